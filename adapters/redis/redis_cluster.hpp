#pragma once

#include <memory>
#include <vector>

#include "adapters/redis/redis_nodes.hpp"

namespace roombus::redis {

/// A Redis Cluster: one connection per master that is asked for something, and the map of slots. The map is read at the
/// start, and again when a node is lost, redirects or says that the cluster is down; single slots follow redirections
/// at once. `options` are those of all connections, but for the address.
[[nodiscard]] std::unique_ptr<nodes> make_cluster(std::vector<node_address> seeds, connection_options options,
                                                  connection_environment env);

}  // namespace roombus::redis
