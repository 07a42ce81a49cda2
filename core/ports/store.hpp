#pragma once

// What the core keeps outside itself: rooms and users, as coarse atomic operations.
//
// Every operation is atomic: it happens entirely, or not at all and answers an error (`unavailable`: nothing was done;
// `timeout`: unknown). Operations on one room complete in the order in which they were committed, and no read shows a
// change before the operation that made it has completed. The core relies on that: it hands out an operation's effects
// (reply, notifications, grants) in the same turn in which the operation completes, before it waits for anything else,
// so that every receiver sees a room's events in commit order.
// The rules of permissions are applied inside the operation, on the state it changes (core/room_state.hpp has them).
// A room that does not exist answers no_room before anything else is checked.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/named_string.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/value.hpp"

namespace roombus {

/// Who asks. Without a user it is the service itself; with `bypass` permissions are not checked (existence still is).
struct actor {
  actor() = default;
  actor(user_name u, bool b) : user(std::move(u)), bypass(b) {}
  user_name user;
  bool bypass = false;
};

/// State that a room is created with (contract §8, addRoom).
struct room_settings {
  room_settings() = default;
  std::optional<user_name> owner;
  std::vector<user_name> adminlist;
  std::vector<user_name> whitelist;
  std::vector<user_name> blacklist;
  bool whitelist_only = false;
  std::uint64_t history_max_size = 10000;
  bool enable_access_lists_updates = false;
  bool enable_userlist_updates = false;
  std::string epoch;  ///< 128 random bits as text; new whenever a room's ids start anew
};

/// Switches that say which notifications a room's members get.
struct notification_switches {
  bool userlist_updates = false;
  bool access_lists_updates = false;
};

/// A user whom an operation removed from a room, with the connections that were joined.
struct removed_member {
  user_name user;
  std::vector<connection_id> connections;
};

/// Place of a change among all of a room, where the store keeps a log of them (core/ports/room_log.hpp).
struct log_position {
  log_position() = default;
  log_position(std::string e, std::uint64_t s) : epoch(std::move(e)), sequence(s) {}
  std::string epoch;  ///< of the room; "" when the place is not known
  std::uint64_t sequence = 0;
  [[nodiscard]] bool is_known() const { return !epoch.empty(); }
};

/// Whether a removal from a room ends a membership that there was at `joined`. One that came before does not, however
/// late it is heard of; nor does one of another life of the room: everybody was put out at that life's end. Where a
/// place is not known it does.
[[nodiscard]] inline bool ends_membership(const log_position& removal, const log_position& joined) {
  if (!removal.is_known() || !joined.is_known()) return true;
  return removal.epoch == joined.epoch && removal.sequence > joined.sequence;
}

/// A room that a connection has joined.
struct joined_room {
  joined_room() = default;
  joined_room(room_name r, log_position p = {}) : room(std::move(r)), at(std::move(p)) {}
  room_name room;
  log_position at;  ///< it was joined then
};

/// What an edit of a list or mode did, or the end of a room.
struct access_change {
  std::vector<user_name> names;         ///< were really added or removed; empty: nothing to tell anybody
  std::vector<removed_member> removed;  ///< lost access, and were removed from the room by this operation
  notification_switches switches;
  log_position at;  ///< of the operation
};

/// Part of a room's state that a reading command asks for.
enum class room_field : std::uint8_t {
  owner,
  whitelist_mode,
  notifications,
  history_info,
  user_seen,
  list,
  in_list,  ///< whether `item` is in the list
  access    ///< whether the user may join
};

struct room_query {
  room_query() = default;
  room_query(room_field f) : field(f) {}
  room_field field = room_field::owner;
  std::string argument;  ///< list name, or user name for `user_seen` and `access`
  std::string item;      ///< name to look for, with `in_list`
};

/// A change of a room's state by the server API; exactly one is set.
struct room_change {
  room_change() = default;
  std::optional<std::optional<user_name>> owner;  ///< the inner one empty: nobody
  std::optional<std::uint64_t> history_max_size;  ///< shrinking trims at once
  std::optional<bool> access_lists_updates;
  std::optional<bool> userlist_updates;
};

/// Where a room's history stands.
struct history_position {
  std::string epoch;
  std::uint64_t first_message_id = 1;  ///< oldest kept; last + 1 when none is kept
  std::uint64_t last_message_id = 0;
};

/// Which messages to read.
struct history_request {
  history_request() = default;
  bool read = true;     ///< false: only the position
  bool recent = false;  ///< the newest `limit` instead of the oldest after `after`
  std::uint64_t after = 0;
  std::uint64_t limit = 0;
  std::optional<std::string> epoch;  ///< the epoch in which the reader got `after`
};

/// Messages newest first, and where the history stood at that moment.
struct history_page {
  std::vector<value> messages;  ///< maps or encoded maps with author, timestamp and id
  bool gap = false;  ///< messages after `after` are not kept any more, or `epoch`/`after` are not of this history
  history_position position;
};

struct append_request {
  append_request() = default;
  room_name room;
  actor by;
  const value_map* message = nullptr;  ///< body with author and timestamp, without id; valid until the task is done
  std::string token;                   ///< unique per attempt, or the client's key bound to its user
  bool client_token = false;           ///< the token is to be remembered for `window_ms`
  std::int64_t now_ms = 0;
  std::int64_t window_ms = 0;
  std::size_t max_tokens = 0;
};

struct appended {
  std::uint64_t id = 0;
  bool repeated = false;  ///< the token was known: nothing was stored, nothing is to be sent
};

struct join_request {
  join_request() = default;
  room_name room;
  user_name user;
  connection_id id;
  std::int64_t now_ms = 0;
  /// How the connection gets the room's events when another instance publishes them: "json" or "cbor" for a device's
  /// own topics, "shared json" or "shared cbor" for the room's; empty: from the instance that serves it.
  std::string reads;
  /// Names this try among all of the instance's, so that its entry in the room's log is known again; empty: nobody
  /// asks.
  std::string attempt;
  /// The log is to have an entry of it also when the connection had joined before.
  bool enters_log = false;
};

/// Outcome of a join that has begun.
struct begun_join {
  bool already = false;       ///< the connection has joined before; there is nothing to do
  std::uint64_t njoined = 0;  ///< connections of the user in the room once this join counts
  log_position at;            ///< what was looked at: changes up to here are in it
};

/// Outcome of a join that was confirmed.
struct joined {
  bool newly = false;       ///< this connection was not joined before
  bool user_newly = false;  ///< it is the user's first connection in the room
  std::uint64_t njoined = 0;
  notification_switches switches;
  history_page history;  ///< read in the same operation
  log_position at;       ///< of the join, or where it was found that there had been one
};

/// Outcome of a connection leaving a room.
struct left_room {
  room_name room;
  bool changed = false;    ///< the connection was joined
  bool user_left = false;  ///< it was the user's last
  std::uint64_t njoined = 0;
  notification_switches switches;
};

class room_store {
 public:
  virtual ~room_store() = default;
  /// Errors: room_exists [room], list_limit_exceeded.
  virtual task<result<void>> add_room(room_name room, room_settings settings) = 0;
  /// Removes everybody, then the room. Errors: no_room, not_allowed (only the owner may, without bypass).
  virtual task<result<access_change>> remove_room(room_name room, actor by) = 0;
  /// Errors: no_room.
  virtual task<result<void>> find_room(room_name room) = 0;
  /// A value in the form of the contract's results. Errors: no_room, not_joined (neither joined nor admin), no_list.
  virtual task<result<value>> read_room(room_name room, actor by, room_query query) = 0;
  /// Errors: no_room, not_joined.
  virtual task<result<history_page>> read_history(room_name room, actor by, history_request request) = 0;
  /// Stores a message under the next id. Errors: no_room, not_joined.
  virtual task<result<appended>> append(append_request request) = 0;
  /// Adds names to a list or removes them, and with that removes from the room who lost access.
  /// Errors: no_room, no_list, not_allowed, list_limit_exceeded [list].
  virtual task<result<access_change>> edit_list(room_name room, actor by, std::string list, bool add,
                                                std::vector<user_name> names, std::size_t limit) = 0;
  /// Errors: no_room, not_allowed.
  virtual task<result<access_change>> set_whitelist_mode(room_name room, actor by, bool whitelist_only) = 0;
  /// The former owner is removed from the room if only that let them in. Errors: no_room.
  virtual task<result<access_change>> change_room(room_name room, room_change change) = 0;
  /// At most `limit` names after `after`, in byte order.
  virtual task<result<value>> list_rooms(std::string after, std::size_t limit) = 0;
};

class membership_store {
 public:
  virtual ~membership_store() = default;
  /// Starts a join: checks access and notes it as pending; nobody sees it. Joining twice is fine.
  /// Errors: no_room, not_allowed, invalid_socket [id] (the connection has ended).
  virtual task<result<begun_join>> begin_join(join_request request) = 0;
  /// Makes a pending join count, if access still holds. Errors: those of begin_join.
  virtual task<result<joined>> confirm_join(join_request request, history_request history) = 0;
  /// Drops a pending join.
  virtual task<result<void>> cancel_join(join_request request) = 0;
  /// Errors: no_room.
  virtual task<result<left_room>> leave(join_request request) = 0;
};

/// Rules of one user's direct messages.
struct direct_settings {
  direct_settings() = default;
  std::vector<user_name> whitelist;
  std::vector<user_name> blacklist;
  bool whitelist_only = false;
};

/// A connection as the store knows it.
struct connection_record {
  connection_record() = default;
  user_name user;
  connection_id id;
  std::string instance;  ///< id of the instance that serves it
  std::int64_t now_ms = 0;
};

/// Outcome of a connection's end.
struct disconnected {
  bool was_connected = false;
  std::uint64_t nconnected = 0;
  std::vector<left_room> rooms;
};

/// Whether somebody may write to somebody.
struct direct_access {
  bool allowed = false;
  bool online = false;
};

class user_store {
 public:
  virtual ~user_store() = default;
  /// Errors: user_exists [user], list_limit_exceeded.
  virtual task<result<void>> add_user(user_name user, direct_settings settings) = 0;
  /// Errors: no_user [user], user_online [user].
  virtual task<result<void>> remove_user(user_name user) = 0;
  virtual task<result<bool>> has_user(user_name user) = 0;
  /// Adds the connection, and the user if new. Answers the number of the user's connections.
  /// Errors: rate_limited (more than `limit` connections).
  virtual task<result<std::uint64_t>> connect(connection_record record, std::size_t limit) = 0;
  /// Ends a connection: it leaves all its rooms. Ending it twice is fine.
  virtual task<result<disconnected>> disconnect(user_name user, connection_id id, std::int64_t now_ms) = 0;
  /// {connection id: [room]}. Errors: no_user.
  virtual task<result<value>> connections(user_name user) = 0;
  /// The user's connections with the instances that serve them. Errors: no_user.
  virtual task<result<std::vector<connection_record>>> connection_records(user_name user) = 0;
  /// At most `limit` names after `after`, in byte order.
  virtual task<result<value>> list_users(std::string after, std::size_t limit) = 0;
  /// Errors: no_user, no_list.
  virtual task<result<bool>> has_in_direct_list(user_name user, std::string list, user_name item) = 0;
  /// Errors: no_user [recipient].
  virtual task<result<direct_access>> check_direct(user_name recipient, user_name sender) = 0;
  /// Errors: no_user, no_list, not_allowed (own name), list_limit_exceeded.
  virtual task<result<void>> edit_direct_list(user_name user, std::string list, bool add, std::vector<user_name> names,
                                              std::size_t limit) = 0;
  /// Errors: no_user, no_list.
  virtual task<result<value>> direct_list(user_name user, std::string list) = 0;
  virtual task<result<void>> set_direct_whitelist_mode(user_name user, bool whitelist_only) = 0;
  virtual task<result<bool>> direct_whitelist_mode(user_name user) = 0;
};

/// A member whom a repair took out of a room.
struct repaired_member {
  user_name user;
  connection_id id;
  left_room left;
};

/// Which instances live, and what dead ones left behind.
class instance_store {
 public:
  virtual ~instance_store() = default;
  /// Notes that an instance lives.
  virtual task<result<void>> heartbeat(std::string instance, std::int64_t now_ms) = 0;
  /// When it last did, in ms; nothing for one that never did or has been forgotten.
  virtual task<result<std::optional<std::int64_t>>> last_heartbeat(std::string instance) = 0;
  /// All instances that have been noted.
  virtual task<result<std::vector<std::string>>> instances() = 0;
  /// Forgets an instance; its connections have to be ended before.
  virtual task<result<void>> forget_instance(std::string instance) = 0;
  /// The connections that an instance serves, or left behind.
  virtual task<result<std::vector<connection_record>>> instance_connections(std::string instance) = 0;
  /// Takes members out of a room whose connections do not exist (any more), or who have no access. Errors: no_room.
  virtual task<result<std::vector<repaired_member>>> repair_room(room_name room, std::int64_t now_ms) = 0;
};

/// A complete store.
class store : public room_store, public membership_store, public user_store, public instance_store {};

}  // namespace roombus
