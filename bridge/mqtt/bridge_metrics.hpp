#pragma once

#include <array>

#include "bridge/mqtt/topic_map.hpp"
#include "core/metrics.hpp"

namespace roombus::mqtt {

/// Counters of the bridge; they belong to the registry, which outlives the bridge.
class bridge_metrics {
 public:
  explicit bridge_metrics(metrics_registry& registry);

  void count(ignored reason) { ignored_[static_cast<std::size_t>(reason)]->add(); }

  counter& calls;
  counter& sends;
  counter& statuses;
  counter& failed_sends;
  counter& overloads;
  counter& replies;
  counter& dropped_replies;
  counter& events;
  counter& dropped_events;

 private:
  std::array<counter*, static_cast<std::size_t>(ignored::count)> ignored_{};
};

}  // namespace roombus::mqtt
