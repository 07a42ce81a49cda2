#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "adapters/net/tls_context.hpp"
#include "adapters/redis/redis_url.hpp"
#include "core/metrics.hpp"
#include "core/ports/cluster_store.hpp"
#include "core/ports/environment.hpp"

namespace roombus {

class event_loop;

struct redis_options {
  redis_options() = default;
  std::vector<redis::redis_url> urls;  ///< one; several only for a cluster, whose seeds they are
  bool cluster = false;
  /// For rediss://, of which either all urls are or none; nodes that a cluster names are spoken to in the same way.
  /// Null: the system's trust store.
  std::shared_ptr<net::tls_context> tls;
  std::string prefix = "roombus";  ///< of all keys; no braces
  std::string client_name = "roombus";
  std::chrono::milliseconds timeout{5'000};  ///< of one round trip, waiting for a connection included
  bool replicas = false;  ///< a write counts when a replica has it too, else its command answers `timeout`
  std::chrono::milliseconds replica_timeout{1'000};
  std::size_t max_requests = 20'000;  ///< that wait or are under way on one connection; more are `unavailable` at once
};

struct redis_environment {
  event_loop& loop;
  clock& time;
  random_source& random;
  log_sink& log;
  metrics_registry& metrics;
};

/// Keeps rooms and users in Redis 6 or newer, or in a Redis Cluster, for any number of instances. It connects when it
/// is made, and again whenever it must; meanwhile operations wait for their time and then answer `unavailable`.
[[nodiscard]] std::unique_ptr<shared_store> make_redis_store(redis_options options, redis_environment env);

}  // namespace roombus
