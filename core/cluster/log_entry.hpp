#pragma once

// An entry of a room's log with the notifications that it means, and its form on the bus.

#include <memory>
#include <optional>
#include <vector>

#include "core/event.hpp"
#include "core/ports/room_log.hpp"

namespace roombus {

/// Immutable but for the notifications, which are made once and shared by all who hand them out, so that each is
/// encoded once per wire format.
class log_entry {
 public:
  log_entry(room_name room, room_entry entry) : room_(std::move(room)), entry_(std::move(entry)) {}

  [[nodiscard]] const room_name& room() const { return room_; }
  [[nodiscard]] const room_entry& entry() const { return entry_; }
  /// What the room's members get, in order. The removed are out by then.
  [[nodiscard]] const std::vector<shared_event>& events() const;

 private:
  room_name room_;
  room_entry entry_;
  mutable std::optional<std::vector<shared_event>> events_;
};

using entry_ptr = std::shared_ptr<const log_entry>;

/// For the bus: a map of short keys. `entry_from` answers nothing for what is not one.
[[nodiscard]] value_map entry_to_map(const room_entry& entry);
[[nodiscard]] std::optional<room_entry> entry_from(const value_map& map);

}  // namespace roombus
