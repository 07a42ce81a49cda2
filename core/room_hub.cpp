#include "core/room_hub.hpp"

#include <algorithm>
#include <utility>

namespace roombus {

room_hub::room_hub(metrics_registry& metrics)
    : deliveries_(metrics.add_counter("roombus_deliveries_total", "Notifications handed to connections.")) {
  metrics.add_gauge("roombus_connections", "Connections that are logged in on this instance.",
                    [this] { return static_cast<double>(connections_.size()); });
  metrics.add_gauge("roombus_rooms_in_use", "Rooms that a connection of this instance has joined.",
                    [this] { return static_cast<double>(rooms_.size()); });
}

local_connection& room_hub::add(local_connection connection) {
  auto kept = std::make_unique<local_connection>(std::move(connection));
  local_connection& added = *kept;
  users_[added.user].push_back(&added);
  connections_.emplace(added.id, std::move(kept));
  return added;
}

void room_hub::remove(const connection_id& id) {
  auto it = connections_.find(id);
  if (it == connections_.end()) return;
  local_connection& connection = *it->second;
  while (!connection.rooms.empty()) {
    const room_name room = connection.rooms.begin()->first;
    leave(room, id);
  }
  auto user = users_.find(connection.user);
  std::erase(user->second, &connection);
  if (user->second.empty()) users_.erase(user);
  connections_.erase(it);
}

void room_hub::release(const connection_id& id) {
  room_broadcaster* const broadcaster = std::exchange(broadcaster_, nullptr);
  remove(id);
  broadcaster_ = broadcaster;
}

local_connection* room_hub::find(const connection_id& id) {
  auto it = connections_.find(id);
  return it == connections_.end() ? nullptr : it->second.get();
}

void room_hub::join(const room_name& room, local_connection& connection, log_position at) {
  const auto [known, newly] = connection.rooms.try_emplace(room);
  const bool is_earlier = known->second.epoch == at.epoch && known->second.sequence > at.sequence;
  if (at.is_known() && !is_earlier) known->second = std::move(at);
  if (!newly) return;
  members& in = rooms_[room];
  in.connections.push_back(&connection);
  if (connection.shares_broadcast) ++in.sharing_broadcast;
}

void room_hub::leave(const room_name& room, const connection_id& id) {
  local_connection* connection = find(id);
  if (connection == nullptr || connection->rooms.erase(room) == 0) return;
  auto it = rooms_.find(room);
  std::erase(it->second.connections, connection);
  if (connection->shares_broadcast) {
    --it->second.sharing_broadcast;
    // before the others are told: nobody hears of the room after having left it
    if (broadcaster_ != nullptr) broadcaster_->withdraw(room, id);
  }
  if (it->second.connections.empty()) rooms_.erase(it);
}

void room_hub::leave(const room_name& room, const connection_id& id, const log_position& removal) {
  const local_connection* connection = find(id);
  if (connection == nullptr) return;
  const auto joined = connection->rooms.find(room);
  if (joined != connection->rooms.end() && ends_membership(removal, joined->second)) leave(room, id);
}

std::size_t room_hub::close_user(const user_name& user, close_reason reason) {
  auto it = users_.find(user);
  if (it == users_.end()) return 0;
  for (local_connection* connection : it->second)
    connection->sink->close(reason);
  return it->second.size();
}

std::uint64_t room_hub::watch(const room_name& room, std::function<void(const shared_event&)> fn) {
  watches_[room].emplace(++last_watch_, std::move(fn));
  return last_watch_;
}

void room_hub::unwatch(const room_name& room, std::uint64_t watch) {
  auto it = watches_.find(room);
  if (it == watches_.end()) return;
  it->second.erase(watch);
  if (it->second.empty()) watches_.erase(it);
}

bool room_hub::feeds(const room_name& room) const {
  if (watches_.contains(room)) return true;
  const auto it = rooms_.find(room);
  return it != rooms_.end() && it->second.connections.size() > it->second.sharing_broadcast;
}

void room_hub::publish(const room_name& room, const shared_event& e) {
  if (!watches_.empty()) {
    if (auto watched = watches_.find(room); watched != watches_.end()) {
      for (const auto& [id, fn] : watched->second)
        fn(e);
    }
  }
  auto it = rooms_.find(room);
  if (it == rooms_.end()) return;
  for (local_connection* connection : it->second.connections) {
    if (!connection->shares_broadcast) connection->sink->deliver(e);
  }
  if (it->second.sharing_broadcast > 0 && broadcaster_ != nullptr && !broadcasts_elsewhere_)
    broadcaster_->publish(room, e);
  deliveries_.add(it->second.connections.size());
}

void room_hub::notify(const user_name& user, const shared_event& e, const connection_id& except) {
  auto it = users_.find(user);
  if (it == users_.end()) return;
  for (local_connection* connection : it->second) {
    if (connection->id == except) continue;
    connection->sink->deliver(e);
    deliveries_.add();
  }
}

void room_hub::notify_outside(const user_name& user, const room_name& room, const shared_event& e) {
  for_each_of(user, [&](local_connection& connection) {
    if (connection.rooms.contains(room)) return;
    connection.sink->deliver(e);
    deliveries_.add();
  });
}

}  // namespace roombus
