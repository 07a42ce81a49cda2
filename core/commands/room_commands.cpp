// Commands that change a room or write to it.

#include <utility>

#include "core/hook_call.hpp"
#include "core/service_impl.hpp"

namespace roombus {

task<reply> service::impl::room_create(command_context& ctx) {
  if (!options.enable_rooms_management && !ctx.by().bypass) co_return chat_error(errc::not_allowed);
  room_settings settings = default_room_settings();
  settings.whitelist_only = *ctx.args[1].if_bool();
  if (!ctx.user.empty()) settings.owner = ctx.user;
  auto added = co_await add_room(ctx.room(), std::move(settings));
  if (!added) co_return added.error();
  co_return nothing();
}

task<reply> service::impl::room_delete(command_context& ctx) {
  if (!options.enable_rooms_management && !ctx.by().bypass) co_return chat_error(errc::not_allowed);
  auto removed = co_await env.data.remove_room(ctx.room(), ctx.by());
  if (!removed) {
    report_unknown(ctx, "roomUserlist", removed.error());
    co_return removed.error();
  }
  const result<void> told = co_await tell_removed(ctx.room(), std::move(*removed));
  if (!told) co_return told.error();
  co_return nothing();
}

/// Whoever has joined since stays.
void service::impl::take_out(const room_name& room, const std::vector<removed_member>& removed,
                             const log_position& removal) {
  for (const removed_member& member : removed) {
    for (const connection_id& id : member.connections) {
      hub.leave(room, id, removal);
      const auto joining = joins_under_way_.find({id, room});
      if (joining != joins_under_way_.end()) joining->second->put_out = removal;
    }
  }
}

/// Tells everybody who is concerned, and completes when nothing of the room reaches the removed any more. With several
/// instances the room's log has told it, and put them out. Errors: timeout (not everybody is known to have let go).
task<result<void>> service::impl::tell_removed(room_name room, access_change change) {
  const std::vector<removed_member>& removed = change.removed;
  const value room_value(room.str());
  // first everybody out, then the news: nobody who was removed hears of another's removal
  if (!cluster_) take_out(room, removed);
  const shared_event access_removed = make_event(notification::room_access_removed, {room_value});
  for (const removed_member& member : removed) {
    if (cluster_) break;
    hub.notify(member.user, access_removed);
    if (change.switches.userlist_updates) {
      hub.publish(room, make_event(notification::room_user_left, {room_value, value(member.user.str())}));
    }
  }
  std::vector<task<void>> pending;
  std::vector<task<bool>> revoking;
  for (const removed_member& member : removed) {
    for (const connection_id& id : member.connections) {
      if (hub.broadcaster() != nullptr && !cluster_) revoking.push_back(revoke(member.user, room, id));
      if (!hooks.on_leave) continue;
      membership_change left;
      left.user = member.user;
      left.id = id;
      left.room = room;
      pending.push_back(tell_hook(env.log, "onLeave", hooks.on_leave, std::move(left)));
    }
  }
  for (task<void>& one_connection : pending)
    co_await one_connection;
  bool all_out = true;
  for (task<bool>& one_connection : revoking) {
    const bool out = co_await one_connection;
    all_out = all_out && out;
  }
  if (!all_out) co_return chat_error(errc::timeout);
  if (!cluster_ || removed.empty()) co_return result<void>{};
  const result<void> confirmed = co_await cluster_->removal_confirmed(std::move(room), std::move(change.at));
  co_return confirmed;
}

task<reply> service::impl::edit_room_list(command_context& ctx, bool add) {
  auto names = valid_names(ctx.args[2], add);
  if (!names) co_return names.error();
  auto change = co_await env.data.edit_list(ctx.room(), ctx.by(), ctx.text(1), add, std::move(*names),
                                            options.room_list_size_limit);
  if (!change) {
    report_unknown(ctx, "roomUserlist", change.error());
    co_return change.error();
  }
  if (!cluster_) take_out(ctx.room(), change->removed);
  if (!cluster_ && !change->names.empty() && change->switches.access_lists_updates) {
    value_list edited;
    for (const user_name& name : change->names)
      edited.emplace_back(name.str());
    const auto what = add ? notification::room_access_list_added : notification::room_access_list_removed;
    hub.publish(ctx.room(), make_event(what, {ctx.args[0], ctx.args[1], value(std::move(edited))}));
  }
  const result<void> told = co_await tell_removed(ctx.room(), std::move(*change));
  if (!told) co_return told.error();
  co_return nothing();
}

task<reply> service::impl::room_add_to_list(command_context& ctx) {
  return edit_room_list(ctx, true);
}

task<reply> service::impl::room_remove_from_list(command_context& ctx) {
  return edit_room_list(ctx, false);
}

task<reply> service::impl::room_set_whitelist_mode(command_context& ctx) {
  auto change = co_await env.data.set_whitelist_mode(ctx.room(), ctx.by(), *ctx.args[1].if_bool());
  if (!change) {
    report_unknown(ctx, "roomUserlist", change.error());
    co_return change.error();
  }
  if (!cluster_) take_out(ctx.room(), change->removed);
  if (!cluster_ && change->switches.access_lists_updates) {
    hub.publish(ctx.room(), make_event(notification::room_mode_changed, {ctx.args[0], ctx.args[1]}));
  }
  const result<void> told = co_await tell_removed(ctx.room(), std::move(*change));
  if (!told) co_return told.error();
  co_return nothing();
}

namespace {

/// The client's idempotency key, bound to its user; empty when there is none.
result<std::string> client_token(const command_context& ctx) {
  constexpr std::size_t longest_key = 128;
  const value_map* options = ctx.options();
  const value* key = options == nullptr ? nullptr : options->find("idempotencyKey");
  if (key == nullptr || key->is_null()) return std::string();
  const std::string* text = key->if_text();
  if (text == nullptr || text->empty() || text->size() > longest_key) {
    return chat_error(errc::bad_argument, {value(std::uint64_t{ctx.args.size()}), ctx.rest_args.front()});
  }
  return ctx.user.str() + '\0' + *text;
}

}  // namespace

task<reply> service::impl::room_message(command_context& ctx) {
  auto token = client_token(ctx);
  if (!token) co_return token.error();
  value_map message = stamped(ctx, 1);
  append_request request;
  request.room = ctx.room();
  request.by = ctx.by();
  request.message = &message;
  request.client_token = !token->empty();
  request.token = request.client_token ? std::move(*token) : random_id(env.random);
  request.now_ms = env.time.now_ms();
  request.window_ms = options.idempotency_window.count();
  request.max_tokens = limits.idempotency_keys;
  auto stored = co_await env.data.append(std::move(request));
  if (!stored) {
    report_unknown(ctx, "roomMessages", stored.error());
    co_return stored.error();
  }
  if (cluster_) {
    const result<void> told = co_await cluster_->settled(ctx.room());
    (void)told;  // stored it is, whoever still waits for what came before it
  } else if (!stored->repeated) {
    message.set("id", value(stored->id));
    hub.publish(ctx.room(), make_event(notification::room_message, {ctx.args[0], value(std::move(message))}));
  }
  co_return one(value(stored->id));
}

}  // namespace roombus
