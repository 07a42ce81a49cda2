#pragma once

#include <memory>
#include <string>

#include "bridge/server/config.hpp"
#include "core/metrics.hpp"
#include "core/ports/cluster_store.hpp"
#include "core/ports/environment.hpp"
#include "core/ports/store.hpp"

namespace roombus {
class event_loop;
}

namespace roombus::server {

/// Where rooms and users are kept, as configured.
struct store_side {
  struct environment {
    clock& time;
    event_loop& loop;
    random_source& random;
    log_sink& log;
    metrics_registry& metrics;
  };

  /// Opens the store; blocks until it is checked.
  store_side(const config::store_section& settings, const std::string& instance, environment env);

  std::unique_ptr<store> data;     ///< with an error: a store of no use
  shared_store* shared = nullptr;  ///< `data`, where several instances can share it
  std::string remote;              ///< what must be reached over the network, for people; empty: nothing
  std::string error;               ///< why the start must fail, or empty
};

}  // namespace roombus::server
