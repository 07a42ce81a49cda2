#include "core/operator_events.hpp"

#include <utility>

namespace roombus {

std::uint64_t operator_events::add(observer fn) {
  observers_.emplace(++last_id_, std::move(fn));
  return last_id_;
}

void operator_events::remove(std::uint64_t id) {
  observers_.erase(id);
}

void operator_events::emit(std::string_view name, value_map data) const {
  const operator_event e{name, std::move(data)};
  for (const auto& [id, fn] : observers_)
    fn(e);
}

}  // namespace roombus
