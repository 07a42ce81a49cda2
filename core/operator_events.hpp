#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string_view>

#include "core/value.hpp"

namespace roombus {

/// What an operator can observe: ready, closed, storeConsistencyFailure, transportConsistencyFailure, lockTimeExceeded,
/// clusterBus. Source: contract §8.
struct operator_event {
  std::string_view name;
  value_map data;
};

/// Who listens to operator events. Belongs to the core's one thread.
class operator_events {
 public:
  using observer = std::function<void(const operator_event&)>;

  /// `fn` is called for each event until `remove`; it returns at once and must not add or remove observers.
  std::uint64_t add(observer fn);
  void remove(std::uint64_t id);
  void emit(std::string_view name, value_map data) const;

 private:
  std::map<std::uint64_t, observer> observers_;
  std::uint64_t last_id_ = 0;
};

}  // namespace roombus
