#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "bridge/mqtt/topic_map.hpp"
#include "core/named_string.hpp"

namespace roombus::mqtt {

/// Which wire formats the joined devices of each room use, so that broker delivery publishes each room event once per
/// format that somebody reads, and never for nobody. Memory: one entry per joined pair of room and connection.
class room_encodings {
 public:
  /// The connection joined the room (again), and reads `format`.
  void join(const connection_id& id, const room_name& room, wire format);
  void leave(const connection_id& id, const room_name& room);
  /// The connection now reads `format`, in all its rooms.
  void change(const connection_id& id, wire format);
  /// The connection ended.
  void leave_all(const connection_id& id);

  [[nodiscard]] std::size_t readers(const room_name& room, wire format) const;

 private:
  struct reader {
    wire format = wire::json;
    std::unordered_set<room_name> rooms;
  };

  void add(const room_name& room, wire format);
  void subtract(const room_name& room, wire format);

  std::unordered_map<connection_id, reader> readers_;
  std::unordered_map<room_name, std::array<std::size_t, 2>> counts_;  // rooms with readers only
};

}  // namespace roombus::mqtt
