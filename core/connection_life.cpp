// A connection's beginning and end.

#include <algorithm>
#include <utility>

#include "core/hook_call.hpp"
#include "core/service_impl.hpp"

namespace roombus {

task<result<login>> service::impl::ask_who(connection_id id, handshake shown) {
  auto said = co_await ask_hook(env.log, "onConnect", hooks.on_connect, std::move(id), std::move(shown));
  if (!said) co_return chat_error(errc::internal_error, {value("internal fault")});
  co_return std::move(*said);
}

task<result<void>> service::impl::connect(user_name user, connection_id id, std::shared_ptr<connection_sink> sink,
                                          bool shares_broadcast, login_rights rights) {
  if (state_ != state::open || (cluster_ && cluster_->is_fallen())) co_return chat_error(errc::unavailable);
  if (!is_valid_name(user.str(), limits.name_bytes)) co_return chat_error(errc::invalid_name, {value(user.str())});
  if (hub.find(id) != nullptr || !connecting_.emplace(id, false).second) {
    co_return chat_error(errc::invalid_socket, {value(id.str())});
  }
  const std::set<room_name> no_rooms;
  if (unfinished_.contains(id)) {
    // an earlier life with this id has to end before, or its rooms would be this one's
    user_name earlier = unfinished_.at(id).user;
    const bool earlier_ended = co_await end_connection(std::move(earlier), id, no_rooms);
    if (!earlier_ended) {
      connecting_.erase(id);
      co_return chat_error(errc::unavailable);
    }
  }
  connection_record record;
  record.user = user;
  record.id = id;
  record.instance = incarnation();
  const std::string served_under = record.instance;
  record.now_ms = env.time.now_ms();
  auto nconnected = co_await env.data.connect(std::move(record), limits.connections_per_user);
  const bool ended = connecting_.extract(id).mapped();
  if (!nconnected) {
    // it may be there without anybody to serve it
    if (nconnected.error().code() == errc::timeout) co_await end_connection(user, id, no_rooms);
    co_return nconnected.error();
  }
  if (ended || state_ != state::open || served_under != incarnation()) {
    co_await end_connection(user, id, no_rooms);
    co_return chat_error(errc::invalid_socket, {value(id.str())});
  }
  local_connection connection;
  connection.id = id;
  connection.user = user;
  connection.shares_broadcast = shares_broadcast || (cluster_ && !sink->reads().empty());
  connection.sink = std::move(sink);
  connection.rights = std::move(rights);
  connection.allowance = limits.requests_per_second;
  connection.allowance_at_ms = env.time.steady_ms();
  hub.add(std::move(connection));
  notify_everywhere(user, make_event(notification::socket_connect_echo, {value(id.str()), value(*nconnected)}), id);
  co_return result<void>{};
}

bool service::impl::adopt(user_name user, connection_id id, std::shared_ptr<connection_sink> sink,
                          const std::vector<joined_room>& rooms, login_rights rights) {
  if (hub.find(id) != nullptr || connecting_.contains(id)) return false;
  local_connection connection;
  connection.id = std::move(id);
  connection.user = std::move(user);
  connection.sink = std::move(sink);
  connection.shares_broadcast = true;
  connection.rights = std::move(rights);
  connection.allowance = limits.requests_per_second;
  connection.allowance_at_ms = env.time.steady_ms();
  local_connection& added = hub.add(std::move(connection));
  for (const joined_room& in : rooms)
    hub.join(in.room, added, in.at);
  return true;
}

task<void> service::impl::disconnect(connection_id id) {
  if (auto it = connecting_.find(id); it != connecting_.end()) {
    it->second = true;
    co_return;
  }
  local_connection* connection = hub.find(id);
  if (connection == nullptr) co_return;
  user_name user = connection->user;
  std::set<room_name> rooms;
  for (const auto& [room, at] : connection->rooms)
    rooms.insert(room);
  hub.remove(id);
  ++running_;
  co_await end_connection(std::move(user), std::move(id), std::move(rooms));
  finish_one();
}

task<bool> service::impl::end_connection(user_name user, connection_id id, std::set<room_name> rooms) {
  auto outcome = co_await env.data.disconnect(user, id, env.time.now_ms());
  if (!outcome) {
    remember_unfinished(user, id, std::move(rooms));
    report_failure("storeConsistencyFailure", user, {}, id, "userSockets", outcome.error());
    co_return false;
  }
  auto unfinished = unfinished_.extract(id);
  if (!outcome->was_connected && !unfinished.empty()) {
    // it ended when the store could not tell us so: what nobody was told then is told now
    auto left = co_await rooms_left_untold(user, id, unfinished.mapped().rooms);
    if (!left) {
      unfinished_.insert(std::move(unfinished));
      co_return false;
    }
    outcome->rooms = std::move(*left);
    outcome->was_connected = true;
  }
  if (outcome->was_connected) co_await tell_ended(std::move(user), std::move(id), std::move(*outcome));
  co_return true;
}

void service::impl::remember_unfinished(const user_name& user, const connection_id& id, std::set<room_name> rooms) {
  constexpr std::size_t most = 10'000;  // more are found by the sync methods only
  if (unfinished_.size() >= most && !unfinished_.contains(id)) return;
  unfinished_end& end = unfinished_[id];
  end.user = user;
  end.rooms.merge(rooms);
}

/// What the end of a connection was for each room, found out afterwards.
task<result<std::vector<left_room>>> service::impl::rooms_left_untold(user_name user, connection_id id,
                                                                      std::set<room_name> rooms) {
  std::vector<left_room> out;
  if (rooms.empty()) co_return out;
  auto joined = co_await env.data.connections(user);
  if (!joined) co_return joined.error();
  for (const room_name& room : rooms) {
    left_room left;
    left.room = room;
    left.changed = true;
    left.switches.userlist_updates = co_await wants_userlist_updates(room);
    for (const auto& [other, in] : *joined->if_map()) {
      const value_list& names = *in.if_list();
      if (other != id.str() && std::find(names.begin(), names.end(), value(room.str())) != names.end()) ++left.njoined;
    }
    left.user_left = left.njoined == 0;
    out.push_back(std::move(left));
  }
  co_return out;
}

/// Everything that is told is told in this turn; hooks may take their time after it.
task<void> service::impl::tell_ended(user_name user, connection_id id, disconnected outcome) {
  ended_connection ended;
  ended.user = user;
  ended.id = id;
  ended.nconnected = outcome.nconnected;
  std::vector<task<void>> leaving;
  for (left_room& left : outcome.rooms) {
    ended.rooms_removed.push_back(left.room);
    ended.joined_sockets.push_back(left.njoined);
    leaving.push_back(tell_left(user, id, std::move(left), id));
  }
  const shared_event echo =
      make_event(notification::socket_disconnect_echo, {value(id.str()), value(outcome.nconnected)});
  notify_everywhere(user, echo, id);
  for (task<void>& one_room : leaving)
    co_await one_room;
  if (hooks.on_disconnect) co_await tell_hook(env.log, "onDisconnect", hooks.on_disconnect, std::move(ended));
}

task<void> service::impl::finish_ends() {
  std::vector<std::pair<connection_id, user_name>> ends;
  for (const auto& [id, end] : unfinished_) {
    if (!connecting_.contains(id)) ends.emplace_back(id, end.user);
  }
  for (auto& [id, user] : ends) {
    if (connecting_.contains(id) || !unfinished_.contains(id)) continue;  // meanwhile somebody else saw to it
    std::set<room_name> no_more_rooms;
    const bool ended = co_await end_connection(std::move(user), std::move(id), std::move(no_more_rooms));
    if (!ended) co_return;
  }
}

}  // namespace roombus
