#include "bridge/server/hook_config.hpp"

#include <algorithm>
#include <fstream>
#include <set>

#include "bridge/server/suggest.hpp"
#include "core/hook_names.hpp"

namespace roombus::server {

namespace {

constexpr std::size_t max_secret_bytes = 4096;

using failure = std::function<void(const char* path, const std::string& why)>;

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string no_such_hook(const std::string& name) {
  std::vector<std::string> names;
  for (const hook_name& h : all_hooks())
    names.push_back(h.text);
  return "no such hook \"" + name.substr(0, 80) + "\"" + did_you_mean(name, names);
}

void check_names(const remote_hooks_section& section, const char* hooks_path, const char* policy_path,
                 const failure& fail) {
  std::set<std::string> seen;
  for (const std::string& name : section.hooks) {
    if (find_hook(name) == nullptr) fail(hooks_path, no_such_hook(name));
    if (!seen.insert(name).second) fail(hooks_path, "\"" + name + "\" is listed twice");
  }
  for (const std::string& text : section.policy) {
    const auto one = parse_hook_policy(text);
    if (!one) continue;  // told when it was read
    if (find_hook(one->first) == nullptr) {
      fail(policy_path, no_such_hook(one->first));
    } else if (!contains(section.hooks, one->first)) {
      fail(policy_path, "\"" + one->first + "\" is not among the hooks that are called (" + hooks_path + ")");
    }
  }
}

void read_secret(http_hooks_section& http, const failure& fail) {
  if (http.secret_file.empty()) return;
  if (!http.secret.empty()) {
    fail("hooks.http.secret_file", "expected either hooks.http.secret or hooks.http.secret_file");
    return;
  }
  std::ifstream in(http.secret_file);
  std::getline(in, http.secret);
  if (!http.secret.empty() && http.secret.back() == '\r') http.secret.pop_back();
  if (http.secret.empty() || http.secret.size() > max_secret_bytes) {
    fail("hooks.http.secret_file",
         "expected a readable file with a secret in its first line, got \"" + http.secret_file + "\"");
  }
}

}  // namespace

bool hooks_section::decide_logins() const {
  return contains(http.hooks, "onConnect") || contains(mqtt.hooks, "onConnect");
}

std::optional<std::pair<std::string, hook_policy>> parse_hook_policy(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return std::nullopt;
  const std::string word = text.substr(equals + 1);
  if (word == "reject") return std::pair(text.substr(0, equals), hook_policy::reject);
  if (word == "continue") return std::pair(text.substr(0, equals), hook_policy::go_on);
  return std::nullopt;
}

void finish_hooks(hooks_section& hooks, bool has_mqtt, const failure& fail) {
  check_names(hooks.http, "hooks.http.hooks", "hooks.http.policy", fail);
  check_names(hooks.mqtt, "hooks.mqtt.hooks", "hooks.mqtt.policy", fail);
  if (!hooks.http.hooks.empty() && hooks.http.url.empty()) {
    fail("hooks.http.hooks", "expected hooks.http.url with it: where the hooks are called");
  }
  if (!hooks.mqtt.hooks.empty() && !has_mqtt) fail("hooks.mqtt.hooks", "expected a broker (mqtt.broker)");
  for (const std::string& name : hooks.mqtt.hooks) {
    if (contains(hooks.http.hooks, name)) {
      fail("hooks.mqtt.hooks", "\"" + name + "\" is called over HTTP already (hooks.http.hooks)");
    }
    if (name == "onStart") {
      fail("hooks.mqtt.hooks", "onStart cannot be called over MQTT: the broker is reached only after it");
    }
  }
  read_secret(hooks.http, fail);
}

}  // namespace roombus::server
