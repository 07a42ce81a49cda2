#pragma once

#include <string>
#include <string_view>

#include "adapters/mosquitto/plugin/broker_guard.hpp"
#include "adapters/mosquitto/plugin/device_logins.hpp"

namespace roombus::plugin {

/// What `plugin_opt_…` in the broker's configuration sets.
struct plugin_settings {
  guard_options guard;
  std::string bridge_accounts;  ///< password file (mosquitto_passwd) of roombus itself
  std::string accounts;         ///< the same, of devices
  device_login_options logins;
  bool ask_bridge = false;  ///< about logins that tokens, passwords and accounts do not decide
};

/// Takes one option. False when it is unknown or wrong: a spelling mistake must not open anything. Options with several
/// values are given several times.
[[nodiscard]] bool take_setting(plugin_settings& settings, std::string_view name, const std::string& text);

}  // namespace roombus::plugin
