// What the sanitizers report of Debian's Paho, linked into the tests that use it.

extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions();

/// Paho C 1.3 never frees a message that it has not sent yet when its client is destroyed; max_handed_bytes bounds
/// that.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libpaho-mqtt3a";
}

/// Paho is not instrumented: what its tokens hand from its threads to ours under its own locks looks like a race inside
/// it.
extern "C" const char* __tsan_default_suppressions() {
  return "race:libpaho-mqtt";
}
