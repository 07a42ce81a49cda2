#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "bridge/cluster/device_partitions.hpp"
#include "bridge/cluster/mqtt_bus.hpp"
#include "bridge/cluster/room_output.hpp"
#include "bridge/server/config.hpp"
#include "bridge/server/mqtt_side.hpp"
#include "core/ports/cluster_store.hpp"
#include "core/service.hpp"

namespace roombus::server {

/// What makes an instance one of several: the bus between them, the way to all devices, and its part of the devices.
class cluster_side {
 public:
  using environment = mqtt_side::environment;

  /// Before `devices` and `chat` start. All of the arguments but `settings` outlive it.
  cluster_side(const config& settings, shared_store& data, mqtt_side& devices, environment env);
  cluster_side(const cluster_side&) = delete;
  cluster_side& operator=(const cluster_side&) = delete;

 private:
  task<void> verify(std::function<void(bool lives)> then);

  shared_store& data_;
  service& chat_;
  scheduler& timers_;
  std::uint64_t verification_ = 0;
  std::shared_ptr<bool> exists_ = std::make_shared<bool>(true);
  mqtt::mqtt_cluster_bus bus_;
  mqtt::room_output output_;
  cluster::device_partitions partitions_;
};

}  // namespace roombus::server
