#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/net/tls_context.hpp"
#include "core/remote_hooks.hpp"
#include "schemas/codec/payload.hpp"

namespace roombus::server {

/// What [hooks.http] and [hooks.mqtt] have in common.
struct remote_hooks_section {
  std::vector<std::string> hooks;
  std::uint32_t timeout_ms = 2'000;
  hook_policy on_failure = hook_policy::reject;
  std::vector<std::string> policy;  ///< "roomMessageBefore=continue"
  payload::encoding encoding = payload::encoding::json;
};

struct http_hooks_section : remote_hooks_section {
  std::string url;
  net::tls_options tls;  ///< checked, where it is https://
  std::size_t max_connections = 32;
  std::size_t max_queue = 1'000;
  std::string secret;  ///< also when it was given by `secret_file`
  std::string secret_file;
};

struct mqtt_hooks_section : remote_hooks_section {
  std::size_t max_pending = 1'000;
  std::vector<std::string> workers;  ///< user names that may serve hooks at the embedded broker
};

struct hooks_section {
  http_hooks_section http;
  mqtt_hooks_section mqtt;

  /// onConnect is called somewhere: it says who a client is.
  [[nodiscard]] bool decide_logins() const;
};

/// One `policy` entry, taken apart; nothing when it is none.
[[nodiscard]] std::optional<std::pair<std::string, hook_policy>> parse_hook_policy(const std::string& text);

/// Checks what single keys cannot tell, and reads the secret's file. `has_mqtt`: there is a broker. Calls
/// `fail(key, reason)` for each fault.
void finish_hooks(hooks_section& hooks, bool has_mqtt,
                  const std::function<void(const char* path, const std::string& why)>& fail);

}  // namespace roombus::server
