// Joining and leaving a room.

#include <algorithm>
#include <utility>

#include "core/hook_call.hpp"
#include "core/service_impl.hpp"

namespace roombus {

task<void> service::impl::tell_left(user_name user, connection_id id, left_room left, connection_id except) {
  if (!left.changed) co_return;
  const value room(left.room.str());
  notify_everywhere(user, make_event(notification::room_left_echo, {room, value(id.str()), value(left.njoined)}),
                    except);
  if (!cluster_ && left.user_left && left.switches.userlist_updates) {
    hub.publish(left.room, make_event(notification::room_user_left, {room, value(user.str())}));
  }
  if (!hooks.on_leave) co_return;
  membership_change change;
  change.user = std::move(user);
  change.id = std::move(id);
  change.room = std::move(left.room);
  change.njoined = left.njoined;
  co_await tell_hook(env.log, "onLeave", hooks.on_leave, std::move(change));
}

task<keyed_lock::guard> service::impl::lock_membership(user_name user, connection_id id, room_name room) {
  std::string key = id.str() + '\0' + room.str();
  auto exceeded = [this, user = std::move(user), id = std::move(id), room = std::move(room)] {
    events.emit("lockTimeExceeded",
                value_map{{"id", value(id.str())}, {"userName", value(user.str())}, {"roomName", value(room.str())}});
  };
  return membership_lock_.acquire(std::move(key), std::move(exceeded));
}

task<bool> service::impl::revoke(user_name user, room_name room, connection_id id) {
  auto revoked = co_await hub.broadcaster()->revoke(room, id);
  if (!revoked) report_failure("transportConsistencyFailure", user, room, id, "transportChannel", revoked.error());
  co_return revoked.has_value();
}

task<void> service::impl::roll_back_join(join_request request) {
  auto cancelled = co_await env.data.cancel_join(request);
  if (!cancelled) {
    report_failure("storeConsistencyFailure", request.user, request.room, request.id, "userRooms", cancelled.error());
  }
}

/// After a confirmation that may have been done or not: the connection shall not be in the room.
task<void> service::impl::undo_join(join_request request) {
  auto left = co_await env.data.leave(request);
  if (!left && left.error().code() != errc::no_room) {
    report_failure("storeConsistencyFailure", request.user, request.room, request.id, "userRooms", left.error());
  }
}

/// What may still fail before a join counts: the store's first word, the onJoin hook, the transport's grant.
task<result<void>> service::impl::prepare_join(join_request request, bool shares_broadcast) {
  auto begun = co_await env.data.begin_join(request);
  if (!begun) {
    if (begun.error().code() == errc::timeout) co_await roll_back_join(request);
    co_return begun.error();
  }
  const local_connection* connection = hub.find(request.id);
  const bool was_in = connection != nullptr && connection->rooms.contains(request.room);
  if (begun->already && was_in && !cluster_) co_return result<void>{};
  if (hooks.on_join && !begun->already) {
    membership_change change;
    change.user = request.user;
    change.id = request.id;
    change.room = request.room;
    change.njoined = begun->njoined;
    std::optional<result<void>> accepted = co_await ask_hook(env.log, "onJoin", hooks.on_join, std::move(change));
    if (!accepted) accepted.emplace(chat_error(errc::internal_error, {value("internal fault")}));
    if (!*accepted) {
      co_await roll_back_join(request);
      co_return accepted->error();
    }
  }
  if (shares_broadcast) {
    // also to one that has joined before: it may be that the grant did not last, or was never made
    auto granted = co_await hub.broadcaster()->grant(request.room, request.id, std::move(begun->at));
    if (!granted) {
      if (begun->already) co_return granted.error();
      co_await roll_back_join(request);
      if (granted.error().code() == errc::timeout) co_await revoke(request.user, request.room, request.id);
      co_return granted.error();
    }
  }
  co_return result<void>{};
}

task<reply> service::impl::room_join(command_context& ctx) {
  const value_map* options_given = ctx.options();
  history_request history;
  history.read = false;
  history.limit = options.history_max_get_messages;
  if (options_given != nullptr) {
    auto readable = read_history_options(*options_given, ctx.args.size(), history);
    if (!readable) co_return readable.error();
  }
  history.limit = std::min(history.limit, options.history_max_get_messages);

  local_connection* connection = hub.find(ctx.id);
  if (connection == nullptr || (!ctx.user.empty() && ctx.user != connection->user)) {
    co_return chat_error(errc::invalid_socket, {value(ctx.id.str())});
  }
  join_request request;
  request.room = ctx.room();
  request.user = connection->user;
  request.id = ctx.id;
  if (connection->rooms.size() >= limits.rooms_per_connection && !connection->rooms.contains(request.room)) {
    co_return chat_error(errc::rate_limited);
  }
  const bool shares_broadcast = connection->shares_broadcast && hub.broadcaster() != nullptr;

  const keyed_lock::guard lock = co_await lock_membership(request.user, request.id, request.room);
  request.now_ms = env.time.now_ms();
  const bool prepares = shares_broadcast || hooks.on_join;
  if (cluster_) request.reads = connection->sink->reads();
  if (prepares) {
    auto prepared = co_await prepare_join(request, shares_broadcast);
    if (!prepared) co_return prepared.error();
  }
  const bool fed = cluster_ && request.reads.empty();
  connection = hub.find(request.id);  // what it pointed to may be gone by now
  const bool was_in = connection != nullptr && connection->rooms.contains(request.room);
  task<result<joined>> joining = fed        ? join_fed(request, std::move(history))
                                 : cluster_ ? join_told_by_publisher(request, std::move(history))
                                            : env.data.confirm_join(request, std::move(history));
  auto outcome = co_await joining;
  connection = hub.find(request.id);
  if (!outcome) {
    if (was_in) co_return outcome.error();  // joining again failed, the earlier join stands
    hub.leave(request.room, request.id);
    if (outcome.error().code() == errc::timeout) co_await undo_join(request);
    if (prepares) co_await roll_back_join(request);
    if (shares_broadcast) co_await revoke(request.user, request.room, request.id);
    co_return outcome.error();
  }
  // put out again by what came next in the log, and told so: a late "joined" would be believed
  if (fed && connection != nullptr && !connection->rooms.contains(request.room)) {
    co_return chat_error(errc::not_allowed);
  }
  const value room(request.room.str());
  if (connection != nullptr && !fed) hub.join(request.room, *connection, outcome->at);
  if (!cluster_ && outcome->user_newly && outcome->switches.userlist_updates) {
    hub.publish(request.room, make_event(notification::room_user_joined, {room, value(request.user.str())}));
  }
  if (outcome->newly) {
    const shared_event echo =
        make_event(notification::room_joined_echo, {room, value(request.id.str()), value(outcome->njoined)});
    notify_everywhere(request.user, echo, ctx.echo_except());
  }
  if (connection == nullptr) {
    // it joined and ended, in this order; its end is told by whoever ended it
    if (shares_broadcast) co_await revoke(request.user, request.room, request.id);
    co_return chat_error(errc::invalid_socket, {value(request.id.str())});
  }
  value_list results;
  results.emplace_back(outcome->njoined);
  if (options_given != nullptr) {
    value_map extra{{"messages", value(std::move(outcome->history.messages))}};
    add_position(extra, outcome->history);
    results.emplace_back(std::move(extra));
  }
  co_return results;
}

task<reply> service::impl::room_leave(command_context& ctx) {
  local_connection* connection = hub.find(ctx.id);
  if (connection == nullptr || (!ctx.user.empty() && ctx.user != connection->user)) {
    co_return chat_error(errc::invalid_socket, {value(ctx.id.str())});
  }
  join_request request;
  request.room = ctx.room();
  request.user = connection->user;
  request.id = ctx.id;
  const bool shares_broadcast = connection->shares_broadcast && hub.broadcaster() != nullptr;

  const keyed_lock::guard lock = co_await lock_membership(request.user, request.id, request.room);
  request.now_ms = env.time.now_ms();
  auto left = co_await env.data.leave(request);
  if (!left) {
    if (left.error().code() == errc::timeout) {
      report_failure("storeConsistencyFailure", request.user, request.room, request.id, "userRooms", left.error());
    }
    co_return left.error();
  }
  hub.leave(request.room, request.id);
  const std::uint64_t njoined = left->njoined;
  if (cluster_) {
    const result<void> told = co_await cluster_->settled(request.room);
    (void)told;  // it has left in any case
  }
  co_await tell_left(request.user, request.id, std::move(*left), ctx.echo_except());
  if (shares_broadcast) co_await revoke(request.user, request.room, request.id);
  co_return one(value(njoined));
}

}  // namespace roombus
