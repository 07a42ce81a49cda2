// Repairing what a failure left behind. Three places know of a membership: the room and the user in the store, and the
// instance that serves the connection. The store comes first: what it does not confirm, this instance gives up; what
// nobody serves, the store gives up. Source: contract §8, Recovery.

#include <algorithm>
#include <utility>

#include "core/service_impl.hpp"

namespace roombus {

/// A connection that nobody serves: this instance does not know it, or its instance is dead.
task<bool> service::impl::is_abandoned(connection_record record) {
  if (cluster_ && record.instance != incarnation()) co_return !cluster_->is_living(record.instance);
  if (record.instance == incarnation()) co_return hub.find(record.id) == nullptr && !connecting_.contains(record.id);
  auto last = co_await env.data.last_heartbeat(record.instance);
  if (!last) co_return false;
  co_return !*last || env.time.now_ms() - **last > options.heartbeat_timeout.count();
}

/// Makes store and instance agree about one connection of this instance in one room; who is joined on one side only
/// leaves it there.
task<result<void>> service::impl::agree_on_membership(user_name user, connection_id id, room_name room) {
  const keyed_lock::guard lock = co_await lock_membership(user, id, room);
  join_request request;
  request.room = room;
  request.user = user;
  request.id = id;
  request.now_ms = env.time.now_ms();
  auto begun = co_await env.data.begin_join(request);
  if (!begun && begun.error().code() == errc::unavailable) co_return begun.error();
  if (!begun && begun.error().code() == errc::timeout) co_return begun.error();
  const bool stored = begun && begun->already;
  if (begun && !stored) {
    co_await roll_back_join(request);
    co_await undo_join(request);  // the user's own records may still name the room after a leave that broke off
  }
  local_connection* connection = hub.find(id);
  if (connection == nullptr) co_return result<void>{};
  const bool served = connection->rooms.contains(room);
  if (served == stored) co_return result<void>{};
  const bool shares_broadcast = connection->shares_broadcast && hub.broadcaster() != nullptr;

  if (stored) {
    auto taken_out = co_await env.data.leave(request);
    if (!taken_out) co_return taken_out.error();
    co_await tell_left(std::move(user), id, std::move(*taken_out), connection_id());
    if (shares_broadcast) co_await revoke(request.user, std::move(room), std::move(id));
    co_return result<void>{};
  }
  const bool updates = co_await wants_userlist_updates(room);
  if (!begun) {
    // an edit or the room's end shut the user out, and we never heard of it
    access_change unheard;
    unheard.removed.resize(1);
    unheard.removed.front().user = user;
    hub.for_each_of(user, [&](local_connection& other) {
      if (other.rooms.contains(room)) unheard.removed.front().connections.push_back(other.id);
    });
    unheard.switches.userlist_updates = updates;
    if (cluster_) {
      // the room's log has told everybody else, and the hook; here it is made up for
      take_out(room, unheard.removed);
      hub.notify_outside(user, room, make_event(notification::room_access_removed, {value(room.str())}));
      cluster_->close_feed_if_unused(room);
      if (shares_broadcast) co_await revoke(std::move(user), std::move(room), std::move(id));
      co_return result<void>{};
    }
    const result<void> told = co_await tell_removed(std::move(room), std::move(unheard));
    co_return told;
  }
  hub.leave(room, id);
  bool another = begun->njoined > 1;
  hub.for_each_of(user, [&](local_connection& other) { another = another || other.rooms.contains(room); });
  left_room left;
  left.room = room;
  left.changed = true;
  left.njoined = begun->njoined - 1;
  left.user_left = !another;
  left.switches.userlist_updates = updates;
  co_await tell_left(std::move(user), id, std::move(left), connection_id());
  if (shares_broadcast) co_await revoke(request.user, std::move(room), std::move(id));
  co_return result<void>{};
}

/// False also for a room that does not exist.
task<bool> service::impl::wants_userlist_updates(room_name room) {
  room_query query(room_field::notifications);
  actor service_itself(user_name(), true);
  auto switches = co_await env.data.read_room(std::move(room), std::move(service_itself), std::move(query));
  if (!switches) co_return false;
  const value* updates = switches->if_map()->find("enableUserlistUpdates");
  co_return updates != nullptr && updates->if_bool() != nullptr&& * updates->if_bool();
}

task<reply> service::impl::api_user_state_sync(value_list args) {
  const user_name user(*args[0].if_text());
  if (cluster_) cluster_->sync_elsewhere(user, room_name());
  return sync_user(user);
}

task<reply> service::impl::sync_user(user_name user) {
  co_await finish_ends();
  auto records = co_await env.data.connection_records(user);
  if (!records) co_return records.error();
  std::set<connection_id> stored;
  for (connection_record& record : *records) {
    stored.insert(record.id);
    const bool abandoned = co_await is_abandoned(record);
    if (!abandoned) continue;
    const std::set<room_name> no_rooms;
    const bool ended = co_await end_connection(std::move(record.user), std::move(record.id), no_rooms);
    if (!ended) co_return chat_error(errc::unavailable);
  }
  auto indexed = co_await env.data.connections(user);
  if (!indexed) co_return indexed.error();
  std::set<std::pair<connection_id, room_name>> memberships;
  hub.for_each_of(user, [&](local_connection& connection) {
    // one that the store does not know would be served without anybody knowing
    if (!stored.contains(connection.id)) connection.sink->close(close_reason::instance_stalled);
    for (const auto& [room, at] : connection.rooms)
      memberships.emplace(connection.id, room);
    const value* rooms = indexed->if_map()->find(connection.id.str());
    if (rooms == nullptr) return;
    for (const value& room : *rooms->if_list())
      memberships.emplace(connection.id, room_name(*room.if_text()));
  });
  for (const auto& [id, room] : memberships) {
    auto agreed = co_await agree_on_membership(user, id, room);
    if (!agreed) co_return agreed.error();
  }
  co_return nothing();
}

task<reply> service::impl::api_room_state_sync(value_list args) {
  const room_name room(*args[0].if_text());
  if (cluster_) cluster_->sync_elsewhere(user_name(), room);
  return sync_room(room);
}

task<reply> service::impl::sync_room(room_name room) {
  auto repaired = co_await env.data.repair_room(room, env.time.now_ms());
  const bool exists = repaired || repaired.error().code() != errc::no_room;
  if (!repaired && exists) co_return repaired.error();
  if (repaired) {
    for (repaired_member& member : *repaired) {
      hub.leave(room, member.id);
      co_await tell_left(std::move(member.user), std::move(member.id), std::move(member.left), connection_id());
    }
  }
  std::set<std::pair<user_name, connection_id>> members;
  hub.for_each_in(room, [&members](local_connection& connection) { members.emplace(connection.user, connection.id); });
  if (!exists && members.empty()) co_return chat_error(errc::no_room, {value(room.str())});
  if (exists) {
    room_query query(room_field::list);
    query.argument = "userlist";
    actor service_itself(user_name(), true);
    auto users = co_await env.data.read_room(room, service_itself, std::move(query));
    if (!users) co_return users.error();
    for (const value& name : *users->if_list()) {
      hub.for_each_of(user_name(*name.if_text()),
                      [&members](local_connection& connection) { members.emplace(connection.user, connection.id); });
    }
  }
  for (const auto& [user, id] : members) {
    auto agreed = co_await agree_on_membership(user, id, room);
    if (!agreed) co_return agreed.error();
  }
  co_return nothing();
}

task<result<void>> service::impl::recover_instance(std::string dead) {
  auto left_behind = co_await env.data.instance_connections(dead);
  if (!left_behind) co_return left_behind.error();
  for (connection_record& record : *left_behind) {
    if (dead == instance && hub.find(record.id) != nullptr) continue;
    const std::set<room_name> no_rooms;
    const bool ended = co_await end_connection(std::move(record.user), std::move(record.id), no_rooms);
    if (!ended) co_return chat_error(errc::unavailable);
  }
  auto forgotten = co_await env.data.forget_instance(std::move(dead));
  co_return forgotten;
}

task<reply> service::impl::api_instance_recovery(value_list args) {
  const std::string& other = *args[0].if_text();
  // one that lives would go on serving connections that the store has ended
  if (other == instance) co_return chat_error(errc::not_allowed);
  if (cluster_) {
    auto done = co_await cluster_->recover(other);
    if (!done) co_return done.error();
    co_return nothing();
  }
  auto recovered = co_await recover_instance(other);
  if (!recovered) co_return recovered.error();
  co_return nothing();
}

}  // namespace roombus
