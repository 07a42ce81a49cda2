#include "schemas/codec/codec_limits.hpp"

#include <stdexcept>
#include <string>

namespace roombus {

namespace {

const char* words(codec_errc code) {
  switch (code) {
    case codec_errc::syntax:
      return "not well-formed";
    case codec_errc::truncated:
      return "ends too early";
    case codec_errc::too_deep:
      return "nested too deeply";
    case codec_errc::too_large:
      return "too large";
    case codec_errc::invalid_utf8:
      return "invalid UTF-8";
    case codec_errc::duplicate_key:
      return "duplicate key";
    case codec_errc::key_not_text:
      return "a key is not text";
    case codec_errc::bad_number:
      return "number out of range";
    case codec_errc::unsupported:
      return "unsupported kind of value";
    case codec_errc::wrong_type:
      return "neither a list nor a map";
  }
  return "";
}

}  // namespace

std::string to_text(const codec_error& error) {
  return std::string(words(error.code)) + " at byte " + std::to_string(error.offset);
}

void throw_exception_from_error(const codec_error& error, const boost::source_location& /*where*/) {
  throw std::logic_error("value of a failed decode taken: " + to_text(error));
}

}  // namespace roombus
