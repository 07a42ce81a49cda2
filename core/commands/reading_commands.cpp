// Commands that read a room and change nothing.

#include <algorithm>
#include <limits>
#include <utility>

#include "core/service_impl.hpp"

namespace roombus {

void add_position(value_map& out, const history_page& page) {
  out.append("gap", value(page.gap));
  out.append("epoch", value(page.position.epoch));
  out.append("firstMessageId", value(page.position.first_message_id));
  out.append("lastMessageId", value(page.position.last_message_id));
}

result<void> read_history_options(const value_map& options, std::size_t position, history_request& request) {
  const chat_error bad(errc::bad_argument, {value(std::uint64_t{position}), value(options)});
  if (const value* after = options.find("after"); after != nullptr && !after->is_null()) {
    if (!after->is_number() || after->as_double() < 0) return bad;
    request.read = true;
    request.after = *after->floor_to_uint();
  }
  if (const value* epoch = options.find("epoch"); epoch != nullptr && !epoch->is_null()) {
    if (epoch->if_text() == nullptr) return bad;
    request.epoch = *epoch->if_text();
  }
  if (const value* limit = options.find("limit"); limit != nullptr && !limit->is_null()) {
    if (!limit->is_number() || !(limit->as_double() >= 1)) return bad;
    request.limit = *limit->floor_to_uint();
  }
  return {};
}

task<reply> service::impl::read_history(command_context& ctx, history_request request) {
  const value_map* options_given = ctx.options();
  if (options_given != nullptr) {
    history_request given;
    auto readable = read_history_options(*options_given, ctx.args.size(), given);
    if (!readable) co_return readable.error();
    request.epoch = std::move(given.epoch);  // which messages is what the arguments say
  }
  auto page = co_await env.data.read_history(ctx.room(), ctx.by(), std::move(request));
  if (!page) co_return page.error();
  value_list results;
  results.emplace_back(std::move(page->messages));
  if (options_given != nullptr) {
    value_map extra;
    add_position(extra, *page);
    results.emplace_back(std::move(extra));
  }
  co_return results;
}

task<reply> service::impl::room_recent_history(command_context& ctx) {
  history_request request;
  request.recent = true;
  request.limit = options.history_max_get_messages;
  return read_history(ctx, std::move(request));
}

task<reply> service::impl::room_history_get(command_context& ctx) {
  history_request request;
  request.after = *ctx.args[1].floor_to_uint();
  request.limit = *ctx.args[2].floor_to_uint();
  if (!ctx.bypass_permissions) request.limit = std::min(request.limit, options.history_max_get_messages);
  return read_history(ctx, std::move(request));
}

task<reply> service::impl::read_room(command_context& ctx, room_query query) {
  auto got = co_await env.data.read_room(ctx.room(), ctx.by(), std::move(query));
  if (!got) co_return got.error();
  co_return one(std::move(*got));
}

task<reply> service::impl::room_history_info(command_context& ctx) {
  room_query query(room_field::history_info);
  auto got = co_await env.data.read_room(ctx.room(), ctx.by(), std::move(query));
  if (!got) co_return got.error();
  value_map info{{"historyMaxGetMessages", value(options.history_max_get_messages)}};
  for (auto& [key, v] : *got->if_map())
    info.append(key, v);
  co_return one(value(std::move(info)));
}

task<reply> service::impl::room_user_seen(command_context& ctx) {
  room_query query(room_field::user_seen);
  query.argument = ctx.text(1);
  return read_room(ctx, std::move(query));
}

task<reply> service::impl::room_get_access_list(command_context& ctx) {
  room_query query(room_field::list);
  query.argument = ctx.text(1);
  return read_room(ctx, std::move(query));
}

task<reply> service::impl::room_get_owner(command_context& ctx) {
  room_query query(room_field::owner);
  return read_room(ctx, std::move(query));
}

task<reply> service::impl::room_get_whitelist_mode(command_context& ctx) {
  room_query query(room_field::whitelist_mode);
  return read_room(ctx, std::move(query));
}

task<reply> service::impl::room_notifications_info(command_context& ctx) {
  room_query query(room_field::notifications);
  return read_room(ctx, std::move(query));
}

}  // namespace roombus
