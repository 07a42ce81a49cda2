#include "bridge/server/cluster_side.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace roombus::server {

namespace {

constexpr std::chrono::milliseconds retry_pause{500};

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
    : data_(data),
      chat_(env.chat),
      timers_(env.timers),
      bus_(bus_options_of(settings),
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
  output_.on_shut_out([&devices](const room_name& room, const std::vector<connection_id>& ids,
                                 const log_position& removal) { devices.bridge().shut_out(room, ids, removal); });
  devices.divide_calls([this](std::string_view device) { return partitions_.owns(device); });
  devices.verify_by([this](std::function<void(bool)> then) { verify(std::move(then)).detach(); });
  env.chat.set_cluster(service::cluster_parts{data, bus_, output_, partitions_});
}

/// A heartbeat, which the store refuses to whom others recover.
task<void> cluster_side::verify(std::function<void(bool lives)> then) {
  const std::weak_ptr<bool> exists = exists_;
  const std::uint64_t number = ++verification_;
  for (;;) {
    std::string name = chat_.incarnation();
    task<result<bool>> beating = data_.beat(std::move(name), false);
    const result<bool> lives = co_await beating;
    if (exists.expired() || number != verification_) co_return;
    if (lives) {
      then(*lives);
      co_return;
    }
    completion<bool> pause;
    timer_handle timer = timers_.after(retry_pause, [pause] { pause.complete(true); });
    co_await pause;
    if (exists.expired() || number != verification_) co_return;
  }
}

}  // namespace roombus::server
