// Joining and leaving a room.

#include <algorithm>
#include <utility>

#include "core/service_impl.hpp"

namespace roombus {

void service::impl::tell_left(const user_name& user, const connection_id& id, const left_room& left,
                              const connection_id& except) {
  if (!left.changed) return;
  const value room(left.room.str());
  hub.notify(user, make_event(notification::room_left_echo, {room, value(id.str()), value(left.njoined)}), except);
  if (left.user_left && left.switches.userlist_updates) {
    hub.publish(left.room, make_event(notification::room_user_left, {room, value(user.str())}));
  }
}

task<reply> service::impl::room_join(command_context& ctx) {
  if (ctx.id.empty()) co_return chat_error(errc::no_socket, {value("roomJoin")});
  const value_map* options_given = ctx.options();
  history_request history;
  history.read = false;
  history.limit = options.history_max_get_messages;
  if (options_given != nullptr) {
    auto readable = read_history_options(*options_given, ctx.args.size(), history);
    if (!readable) co_return readable.error();
  }
  history.limit = std::min(history.limit, options.history_max_get_messages);

  join_request request;
  request.room = ctx.room();
  request.id = ctx.id;
  request.now_ms = env.time.now_ms();
  local_connection* connection = hub.find(ctx.id);
  if (connection == nullptr) co_return chat_error(errc::invalid_socket, {value(ctx.id.str())});
  request.user = connection->user;
  if (connection->rooms.size() >= limits.rooms_per_connection && !connection->rooms.contains(request.room)) {
    co_return chat_error(errc::rate_limited);
  }
  room_broadcaster* broadcaster = connection->shares_broadcast ? hub.broadcaster() : nullptr;
  if (broadcaster != nullptr) {
    auto begun = co_await env.data.begin_join(request);
    if (!begun) co_return begun.error();
    auto granted = co_await broadcaster->grant(request.room, request.id);
    if (!granted) {
      auto cancelled = co_await env.data.cancel_join(request);
      if (!cancelled) env.log.write(log_level::error, "cancel_join_failed", "connection " + request.id.str());
      co_return granted.error();
    }
  }
  auto outcome = co_await env.data.confirm_join(request, std::move(history));
  connection = hub.find(request.id);  // what it pointed to may be gone by now
  if (!outcome || connection == nullptr) {
    if (broadcaster != nullptr) {
      auto revoked = co_await broadcaster->revoke(request.room, request.id);
      if (!revoked) env.log.write(log_level::error, "revoke_failed", "connection " + request.id.str());
    }
    if (!outcome) co_return outcome.error();
    co_return chat_error(errc::invalid_socket, {value(request.id.str())});
  }
  const value room(request.room.str());
  hub.join(request.room, *connection);
  if (outcome->user_newly && outcome->switches.userlist_updates) {
    hub.publish(request.room, make_event(notification::room_user_joined, {room, value(request.user.str())}));
  }
  if (outcome->newly) {
    hub.notify(request.user,
               make_event(notification::room_joined_echo, {room, value(request.id.str()), value(outcome->njoined)}),
               ctx.echo_except());
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
  if (ctx.id.empty()) co_return chat_error(errc::no_socket, {value("roomLeave")});
  local_connection* connection = hub.find(ctx.id);
  if (connection == nullptr) co_return chat_error(errc::invalid_socket, {value(ctx.id.str())});
  join_request request;
  request.room = ctx.room();
  request.user = connection->user;
  request.id = ctx.id;
  request.now_ms = env.time.now_ms();
  room_broadcaster* broadcaster = connection->shares_broadcast ? hub.broadcaster() : nullptr;
  auto left = co_await env.data.leave(request);
  if (!left) co_return left.error();
  hub.leave(request.room, request.id);
  tell_left(request.user, request.id, *left, ctx.echo_except());
  if (broadcaster != nullptr) {
    auto revoked = co_await broadcaster->revoke(request.room, request.id);
    if (!revoked) co_return revoked.error();
  }
  co_return one(value(left->njoined));
}

}  // namespace roombus
