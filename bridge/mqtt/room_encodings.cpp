#include "bridge/mqtt/room_encodings.hpp"

namespace roombus::mqtt {

void room_encodings::join(const connection_id& id, const room_name& room, wire format) {
  change(id, format);
  reader& r = readers_[id];
  r.format = format;
  if (r.rooms.insert(room).second) add(room, format);
}

void room_encodings::leave(const connection_id& id, const room_name& room) {
  auto it = readers_.find(id);
  if (it == readers_.end() || it->second.rooms.erase(room) == 0) return;
  subtract(room, it->second.format);
  if (it->second.rooms.empty()) readers_.erase(it);
}

void room_encodings::change(const connection_id& id, wire format) {
  auto it = readers_.find(id);
  if (it == readers_.end() || it->second.format == format) return;
  for (const room_name& room : it->second.rooms) {
    add(room, format);
    subtract(room, it->second.format);
  }
  it->second.format = format;
}

void room_encodings::leave_all(const connection_id& id) {
  auto it = readers_.find(id);
  if (it == readers_.end()) return;
  for (const room_name& room : it->second.rooms)
    subtract(room, it->second.format);
  readers_.erase(it);
}

std::size_t room_encodings::readers(const room_name& room, wire format) const {
  auto it = counts_.find(room);
  return it == counts_.end() ? 0 : it->second[static_cast<std::size_t>(format)];
}

void room_encodings::add(const room_name& room, wire format) {
  ++counts_[room][static_cast<std::size_t>(format)];
}

void room_encodings::subtract(const room_name& room, wire format) {
  auto it = counts_.find(room);
  --it->second[static_cast<std::size_t>(format)];
  if (it->second[0] + it->second[1] == 0) counts_.erase(it);
}

}  // namespace roombus::mqtt
