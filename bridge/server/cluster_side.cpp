#include "bridge/server/cluster_side.hpp"

#include <algorithm>
#include <utility>

namespace roombus::server {

namespace {

mqtt::mqtt_bus_options bus_options_of(const config& settings) {
  mqtt::mqtt_bus_options options;
  options.prefix = settings.mqtt.prefix;
  // an answer of another instance may be a list of many messages
  options.message.max_depth = settings.payload.max_depth + 64;
  options.message.max_bytes = std::max(options.message.max_bytes, 4 * settings.payload.max_bytes);
  options.message.max_items = std::max(options.message.max_items, 4 * settings.payload.max_items);
  return options;
}

mqtt::room_output_options output_options_of(const config& settings) {
  mqtt::room_output_options options;
  options.prefix = settings.mqtt.prefix;
  options.profile = settings.mqtt.profile;
  options.max_topic = settings.mqtt.max_topic;
  return options;
}

}  // namespace

cluster_side::cluster_side(const config& settings, shared_store& data, mqtt_side& devices, environment env)
    : bus_(bus_options_of(settings),
           mqtt::mqtt_cluster_bus::environment{devices.link(), env.timers, env.log, env.metrics}),
      output_(output_options_of(settings),
              mqtt::room_output::environment{devices.link(), env.timers, env.log, env.metrics}),
      partitions_(cluster::partition_options(settings.chat),
                  cluster::device_partitions::environment{data, data, devices.bridge(), env.timers, env.time,
                                                          env.random, env.log, env.metrics}) {
  link_tap tap;
  tap.on_up = [this] { bus_.link_up(); };
  tap.on_down = [this](std::string_view) { bus_.link_down(); };
  tap.take = [this](mqtt::received_message& message) { return bus_.take(message); };
  devices.link().add_tap(std::move(tap));
  output_.on_shut_out([&devices](const room_name& room, const std::vector<connection_id>& ids) {
    devices.bridge().shut_out(room, ids);
  });
  devices.divide_calls([this](std::string_view device) { return partitions_.owns(device); });
  env.chat.set_cluster(service::cluster_parts{data, bus_, output_, partitions_});
}

}  // namespace roombus::server
