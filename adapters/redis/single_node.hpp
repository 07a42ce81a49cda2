#pragma once

#include <memory>

#include "adapters/redis/redis_nodes.hpp"

namespace roombus::redis {

/// A Redis that is not a cluster.
[[nodiscard]] std::unique_ptr<nodes> make_single_node(connection_options options, connection_environment env);

}  // namespace roombus::redis
