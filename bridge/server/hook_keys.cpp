#include "bridge/server/hook_keys.hpp"

#include <algorithm>
#include <string>

#include "adapters/hooks/hook_url.hpp"
#include "bridge/server/hook_config.hpp"
#include "core/utf8.hpp"

// a generic lambda: for the constant and the changing configuration
#define FIELD(place) ([](auto& c) -> auto& { return c.hooks.place; })

namespace roombus::server {

namespace {

using key = config_key<config>;

constexpr std::int64_t max_count = 1'000'000;
constexpr std::int64_t max_time = 600'000;

bool is_text(const std::string& s) {
  return is_valid_utf8(s) && std::none_of(s.begin(), s.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7f;
         });
}

bool is_policy(const std::string& s) {
  return parse_hook_policy(s).has_value();
}

/// Names are letters, digits, -, _, ., @ and ~: they stand in a line of an access list.
bool is_account(const std::string& s) {
  return !s.empty() && s.size() <= 128 && std::all_of(s.begin(), s.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == '@' || c == '~';
  });
}

std::vector<std::pair<std::string, hook_policy>> policies() {
  return {{"reject", hook_policy::reject}, {"continue", hook_policy::go_on}};
}

std::vector<std::pair<std::string, payload::encoding>> encodings() {
  return {{"json", payload::encoding::json}, {"cbor", payload::encoding::cbor}};
}

template <class Hooks, class Timeout, class OnFailure, class Policy, class Encoding>
void add_common(std::vector<key>& all, const std::string& section, Hooks hooks, Timeout timeout, OnFailure on_failure,
                Policy policy, Encoding encoding) {
  all.push_back(keys::list<config>(
      section, "hooks", hooks, "a list of hook names such as \"onConnect\" or \"roomMessageBefore\"", nullptr,
      "Which hooks are called: a command's name with Before or After behind it, onConnect, onDisconnect, onJoin, "
      "onLeave, onStart, onClose, roomMessagesChecker, directMessagesChecker. Others cost nothing."));
  all.push_back(
      keys::integer<config>(section, "timeout_ms", timeout, 1, max_time, "For a hook's answer, waiting included, ms."));
  all.push_back(keys::choice<config>(
      section, "on_failure", on_failure, policies(),
      "When a hook gives no answer: reject (the command or login answers unavailable, onStart fails the start) or "
      "continue as if it had answered {}. After hooks, onLeave, onDisconnect and onClose change nothing then."));
  key one = keys::list<config>(section, "policy", policy, "a list such as \"roomMessageBefore=continue\"", is_policy,
                               "on_failure of single hooks; in a file also as a table, [" + section +
                                   ".policy] roomMessageBefore = \"continue\".");
  one.table = true;
  all.push_back(std::move(one));
  all.push_back(keys::choice<config>(section, "encoding", encoding, encodings(),
                                     "Of what is sent; answers say themselves what they are."));
}

}  // namespace

void add_hook_keys(std::vector<key>& all) {
  all.push_back(keys::text<config>(
      "hooks.http", "url", FIELD(http.url),
      "a URL such as \"http://127.0.0.1:9000/hooks\" or \"https://hooks.example.org\"",
      [](const std::string& s) { return s.empty() || hooks::hook_url::parse(s).has_value(); },
      "Where hooks are called, each as POST {url}/{hook}."));
  const auto file = [](const char* name, auto field, const char* help) {
    return keys::text<config>("hooks.http", name, field, "a text without control characters", is_text, help);
  };
  all.push_back(file("ca_file", FIELD(http.tls.ca_file),
                     "Certificates (PEM) that an https:// server is checked against, with the host name or address of "
                     "the URL; empty: the system's."));
  all.push_back(file("cert_file", FIELD(http.tls.cert_file),
                     "The certificate (PEM, with its chain) that an https:// server is shown; empty: none."));
  all.push_back(file("key_file", FIELD(http.tls.key_file),
                     "Its key (PEM, without a passphrase); empty: it is in the same file."));
  add_common(all, "hooks.http", FIELD(http.hooks), FIELD(http.timeout_ms), FIELD(http.on_failure), FIELD(http.policy),
             FIELD(http.encoding));
  all.push_back(keys::integer<config>("hooks.http", "max_connections", FIELD(http.max_connections), 1, 10'000,
                                      "Connections to the hook server, and so calls at a time."));
  all.push_back(keys::integer<config>("hooks.http", "max_queue", FIELD(http.max_queue), 0, max_count,
                                      "Calls that wait for a connection; more fail at once."));
  key secret =
      keys::text<config>("hooks.http", "secret", FIELD(http.secret), "a text without control characters", is_text,
                         "Signs each call (X-Roombus-Signature), so that the server knows the caller.");
  secret.secret = true;
  all.push_back(std::move(secret));
  all.push_back(keys::text<config>("hooks.http", "secret_file", FIELD(http.secret_file),
                                   "a text without control characters", is_text,
                                   "A file whose first line is the secret."));
  add_common(all, "hooks.mqtt", FIELD(mqtt.hooks), FIELD(mqtt.timeout_ms), FIELD(mqtt.on_failure), FIELD(mqtt.policy),
             FIELD(mqtt.encoding));
  all.push_back(keys::integer<config>("hooks.mqtt", "max_pending", FIELD(mqtt.max_pending), 1, max_count,
                                      "Calls that wait for an answer; more fail at once."));
}

void add_hook_worker_key(std::vector<key>& all) {
  all.push_back(keys::list<config>(
      "mqtt", "hook_workers", FIELD(mqtt.workers), "a list of user names (letters, digits, -, _, ., @ and ~)",
      is_account,
      "User names that may serve hooks at the embedded broker: they read P/hook/call/# and write P/hook/reply/#."));
}

}  // namespace roombus::server

#undef FIELD
