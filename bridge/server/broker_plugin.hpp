#pragma once

#include <string>
#include <vector>

#include "adapters/mosquitto/login_files.hpp"
#include "bridge/mqtt/plugin_client.hpp"
#include "bridge/server/config.hpp"

namespace roombus::server {

/// The plugin that the embedded broker loads, for `mqtt.plugin`: a path; "auto" finds roombus_mosquitto.so beside the
/// program (../lib) or where it is installed (../lib/roombus), "none" is none. "" when there is none.
[[nodiscard]] std::string find_broker_plugin(const std::string& setting);

/// How the embedded broker's plugin lets devices in: by the tokens and passwords of [auth] and the onConnect hook, as
/// for browsers. Empty when there are none.
[[nodiscard]] std::vector<mosquitto::login_setting> device_logins_of(const config& settings);

/// Whether the broker has the plugin, as far as the configuration tells; times are those of the instances' heartbeats.
/// `name` becomes part of topics; `life` is new at each start.
[[nodiscard]] mqtt::plugin_options plugin_options_of(const config& settings, bool embedded_has_it,
                                                     const std::string& name, const std::string& life);

}  // namespace roombus::server
