#include "bridge/server/broker_plugin.hpp"

#include <filesystem>
#include <system_error>

#include "bridge/mqtt/topic_map.hpp"

namespace roombus::server {

std::string find_broker_plugin(const std::string& setting) {
  if (setting == "none") return "";
  std::error_code error;
  if (setting != "auto") {
    const auto absolute = std::filesystem::absolute(setting, error);
    return error ? setting : absolute.string();
  }
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return "";
  const auto above = program.parent_path().parent_path();
  for (const char* folder : {"lib", "lib/roombus"}) {
    const auto candidate = above / folder / "roombus_mosquitto.so";
    if (std::filesystem::is_regular_file(candidate, error)) return candidate.string();
  }
  return "";
}

mqtt::plugin_options plugin_options_of(const config& settings, bool embedded_has_it, const std::string& name,
                                       const std::string& life) {
  mqtt::plugin_options options;
  if (settings.mqtt.broker.kind == broker_kind::embedded) {
    options.use = embedded_has_it ? mqtt::plugin_use::require : mqtt::plugin_use::none;
  } else if (settings.mqtt.profile == mqtt::broker_profile::mosquitto) {
    options.use =
        settings.mqtt.identity == identity_kind::plugin ? mqtt::plugin_use::require : mqtt::plugin_use::detect;
  }
  options.instance = mqtt::topic_map::is_name_level(name, mqtt::broker_profile::mosquitto) ? name : life;
  options.life = life;
  options.lease = settings.chat.heartbeat_timeout;
  options.renew = settings.chat.heartbeat_rate;
  options.confirm = settings.chat.bus_ack_timeout;
  return options;
}

}  // namespace roombus::server
