#pragma once

// What happens in a room, as several instances over one store see it. Every operation that changes a room writes one
// entry into the room's log, in the same step. Entries are numbered 1, 2, 3 … without holes; whoever applies them in
// this order has the room's events in the order in which they were accepted, whichever instance accepted them.
// The part of the log that nobody has published yet is the room's outbox. Source: design §5;
// docs/decisions/0007-room-log.md.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/ports/store.hpp"

namespace roombus {

enum class room_entry_kind : std::uint8_t {
  message,
  joined,       ///< a connection joined
  left,         ///< a connection left, or ended
  list_edited,  ///< a list was edited; who lost access is in `removed`
  mode_set,     ///< whitelist mode was set; the same
  changed,      ///< the server API changed the owner or a switch; the same
  room_removed  ///< the room is gone, with everybody who was in it
};

/// One operation on a room.
struct room_entry {
  room_entry() = default;
  std::uint64_t sequence = 0;
  std::string epoch;   ///< of the room when it happened
  std::string origin;  ///< incarnation of the instance that did it
  room_entry_kind kind = room_entry_kind::message;
  value message;                        ///< message: a map or encoded map with author, timestamp and id
  user_name user;                       ///< joined, left
  connection_id id;                     ///< joined, left
  bool user_changed = false;            ///< joined: it was the user's first; left: the user's last
  std::string reads;                    ///< joined, left: see `join_request::reads`
  std::string attempt;                  ///< joined: see `join_request::attempt`
  std::string list;                     ///< list_edited
  bool on = false;                      ///< list_edited: names were added; mode_set: whitelist mode is on
  std::vector<user_name> names;         ///< list_edited: who was really added or removed
  std::vector<removed_member> removed;  ///< whom the operation put out of the room
  notification_switches switches;       ///< of the room at that moment
  [[nodiscard]] log_position position() const { return {epoch, sequence}; }
};

/// Devices that are to get a room's events from whoever publishes them.
struct room_audience {
  std::string version;  ///< text that changes with the rest; "" when never read
  /// Devices that are served one by one, each as "json mqtt#user/client" or "cbor mqtt#user/client".
  std::vector<std::string> inboxes;
  bool shared_json = false;  ///< somebody reads the room's shared topics in this encoding
  bool shared_cbor = false;
};

/// Whether the caller of an operation is the one who publishes the room's log now.
struct publishing_turn {
  bool ours = false;
  std::uint64_t fence = 0;                ///< grows with each change of the publisher
  std::vector<room_entry> pending;        ///< entries to publish that the caller has not been given yet, in order; the
                                          ///< operation's own is the last of them
  std::optional<room_audience> audience;  ///< as it is now, if it is not the version that the caller knows
};

/// Gets what the store's own operations did, from inside them: before the operation completes, in commit order.
class room_log_sink {
 public:
  virtual ~room_log_sink() = default;
  /// This instance did something in a room.
  virtual void on_own_entry(const room_name& room, room_entry entry, publishing_turn turn) = 0;
  /// It may have done something, the answer was lost: the log knows.
  virtual void on_unknown_outcome(const room_name& room) = 0;
  /// Asked before each operation: whether this instance could publish now (its broker is reached).
  [[nodiscard]] virtual bool can_publish() const = 0;
  /// The last entry of the room that this instance was given to publish under its present turn; 0 for none.
  [[nodiscard]] virtual std::uint64_t last_given(const room_name& room) const = 0;
  /// Version of the audience that it knows; "" for none.
  [[nodiscard]] virtual std::string known_audience(const room_name& room) const = 0;
};

}  // namespace roombus
