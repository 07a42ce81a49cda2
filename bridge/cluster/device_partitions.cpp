#include "bridge/cluster/device_partitions.hpp"

#include <utility>

#include "bridge/cluster/partition_table.hpp"

namespace roombus::cluster {}  // namespace roombus::cluster
