// Commands on the own user: direct messages and their rules, own connections.

#include <utility>

#include "core/service_impl.hpp"

namespace roombus {

task<reply> service::impl::edit_direct_list(command_context& ctx, bool add) {
  auto names = valid_names(ctx.args[1], add);
  if (!names) co_return names.error();
  auto edited =
      co_await env.data.edit_direct_list(ctx.user, ctx.text(0), add, std::move(*names), options.direct_list_size_limit);
  if (!edited) co_return edited.error();
  co_return nothing();
}

task<reply> service::impl::direct_add_to_list(command_context& ctx) {
  return edit_direct_list(ctx, true);
}

task<reply> service::impl::direct_remove_from_list(command_context& ctx) {
  return edit_direct_list(ctx, false);
}

task<reply> service::impl::direct_get_access_list(command_context& ctx) {
  auto list = co_await env.data.direct_list(ctx.user, ctx.text(0));
  if (!list) co_return list.error();
  co_return one(std::move(*list));
}

task<reply> service::impl::direct_set_whitelist_mode(command_context& ctx) {
  auto done = co_await env.data.set_direct_whitelist_mode(ctx.user, *ctx.args[0].if_bool());
  if (!done) co_return done.error();
  co_return nothing();
}

task<reply> service::impl::direct_get_whitelist_mode(command_context& ctx) {
  auto mode = co_await env.data.direct_whitelist_mode(ctx.user);
  if (!mode) co_return mode.error();
  co_return one(value(*mode));
}

task<reply> service::impl::direct_message(command_context& ctx) {
  if (!options.enable_direct_messages) co_return chat_error(errc::not_allowed);
  const user_name recipient(ctx.text(0));
  auto access = co_await env.data.check_direct(recipient, ctx.user);
  if (!access) co_return access.error();
  if (recipient == ctx.user || (!access->allowed && !ctx.bypass_permissions)) co_return chat_error(errc::not_allowed);
  if (!access->online) co_return chat_error(errc::no_user_online, {value(recipient.str())});
  const value message(stamped(ctx, 1));
  const shared_event to_recipient = make_event(notification::direct_message, {message});
  if (cluster_) {
    // not lost silently: before the broker has it nobody is told anything
    if (!cluster_->reaches_others()) co_return chat_error(errc::unavailable);
    completion<bool> sent;
    cluster_->tell_user_elsewhere(recipient, to_recipient, connection_id(), [sent](bool ok) { sent.complete(ok); });
    timer_handle limit = env.timers.after(options.bus_ack_timeout, [sent] { sent.complete(false); });
    const bool told = co_await sent;
    if (!told) co_return chat_error(errc::timeout);  // others may have heard it
  }
  hub.notify(recipient, to_recipient);
  const shared_event echo = make_event(notification::direct_message_echo, {value(recipient.str()), message});
  notify_everywhere(ctx.user, echo, ctx.echo_except());
  co_return one(message);
}

task<reply> service::impl::list_own_sockets(command_context& ctx) {
  auto connections = co_await env.data.connections(ctx.user);
  if (!connections) co_return connections.error();
  co_return one(std::move(*connections));
}

task<reply> service::impl::system_message(command_context& ctx) {
  notify_everywhere(ctx.user, make_event(notification::system_message, {ctx.args[0]}), ctx.echo_except());
  co_return nothing();
}

}  // namespace roombus
