#pragma once

// This instance's connections: who they are, which rooms they have joined, and how events reach them.
// Belongs to the core's one thread. Sinks never call back from `deliver`, so handing out needs no copies.

#include <functional>
#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "core/event.hpp"
#include "core/login_rights.hpp"
#include "core/metrics.hpp"
#include "core/named_string.hpp"
#include "core/ports/connection_sink.hpp"

namespace roombus {

/// One connection that this instance serves.
struct local_connection {
  connection_id id;
  user_name user;
  std::shared_ptr<connection_sink> sink;  // shared: its transport keeps it while it lasts
  bool shares_broadcast = false;
  login_rights rights;                      ///< for as long as it lasts
  std::map<room_name, log_position> rooms;  ///< where in the room's log it was known to be in it
  double allowance = 0;                     ///< requests that it may make at once
  std::int64_t allowance_at_ms = 0;
};

class room_hub {
 public:
  explicit room_hub(metrics_registry& metrics);

  void set_broadcaster(room_broadcaster* broadcaster) { broadcaster_ = broadcaster; }
  [[nodiscard]] room_broadcaster* broadcaster() const { return broadcaster_; }
  /// Somebody else publishes for the connections that share a broadcast (docs/decisions/0007-room-log.md).
  void leave_broadcasts_to_others() { broadcasts_elsewhere_ = true; }

  /// The id must be new.
  local_connection& add(local_connection connection);
  /// Lets go of a connection and of its sink, and takes it out of its rooms. Unknown ids are fine.
  void remove(const connection_id& id);
  /// The same for one that another instance goes on with: its broadcasts are not ended.
  void release(const connection_id& id);
  [[nodiscard]] local_connection* find(const connection_id& id);
  [[nodiscard]] std::size_t size() const { return connections_.size(); }

  /// Joining again keeps the later place in the log.
  void join(const room_name& room, local_connection& connection, log_position at = {});
  /// Unknown connections, and ones that have not joined, are fine.
  void leave(const room_name& room, const connection_id& id);
  /// The same, unless it has joined since (`ends_membership`).
  void leave(const room_name& room, const connection_id& id, const log_position& removal);

  /// Hands an event to every connection that has joined the room.
  void publish(const room_name& room, const shared_event& e);
  /// Hands an event to the user's connections but `except` (empty: to all).
  void notify(const user_name& user, const shared_event& e, const connection_id& except = {});
  /// The same to those of them that are not in the room.
  void notify_outside(const user_name& user, const room_name& room, const shared_event& e);
  /// Closes every connection of the user. Answers how many.
  std::size_t close_user(const user_name& user, close_reason reason);
  /// Calls `fn` with each event of the room, until `unwatch`.
  std::uint64_t watch(const room_name& room, std::function<void(const shared_event&)> fn);
  void unwatch(const room_name& room, std::uint64_t watch);
  /// Somebody gets the room's events through `publish`: a connection that shares no broadcast, or a watch.
  [[nodiscard]] bool feeds(const room_name& room) const;
  /// Calls `fn(local_connection&)` for every connection; `fn` must not add or remove any.
  template <class Fn>
  void for_each(Fn fn) {
    for (auto& [id, connection] : connections_)
      fn(*connection);
  }
  /// The same for the connections of a user, and for those that have joined a room.
  template <class Fn>
  void for_each_of(const user_name& user, Fn fn) {
    auto it = users_.find(user);
    if (it == users_.end()) return;
    for (local_connection* connection : it->second)
      fn(*connection);
  }
  template <class Fn>
  void for_each_in(const room_name& room, Fn fn) {
    auto it = rooms_.find(room);
    if (it == rooms_.end()) return;
    for (local_connection* connection : it->second.connections)
      fn(*connection);
  }

 private:
  struct members {
    std::vector<local_connection*> connections;
    std::size_t sharing_broadcast = 0;
  };

  std::unordered_map<connection_id, std::unique_ptr<local_connection>> connections_;  // never move: rooms point to them
  std::unordered_map<user_name, std::vector<local_connection*>> users_;
  std::unordered_map<room_name, members> rooms_;
  std::unordered_map<room_name, std::map<std::uint64_t, std::function<void(const shared_event&)>>> watches_;
  std::uint64_t last_watch_ = 0;
  room_broadcaster* broadcaster_ = nullptr;
  bool broadcasts_elsewhere_ = false;
  counter& deliveries_;
};

}  // namespace roombus
