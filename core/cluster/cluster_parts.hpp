#pragma once

#include "core/ports/cluster_bus.hpp"
#include "core/ports/cluster_store.hpp"
#include "core/ports/device_ownership.hpp"

namespace roombus {

/// What makes an instance one of several. All parts outlive the service.
struct cluster_parts {
  cluster_store& log;
  cluster_bus& bus;
  device_publisher_port& devices;
  device_ownership& ownership;
};

}  // namespace roombus
