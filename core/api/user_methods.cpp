// Methods of the server API that are about users, and the one that acts as them.

#include <algorithm>
#include <utility>

#include "core/service_impl.hpp"

namespace roombus {

namespace {

constexpr std::uint64_t longest_page = 1000;
constexpr std::uint64_t usual_page = 100;

std::string text_or_empty(const value& v) {
  return v.if_text() != nullptr ? *v.if_text() : std::string();
}
bool is_true(const value& v) {
  return v.if_bool() != nullptr && *v.if_bool();
}

}  // namespace

std::size_t page_limit(const value& v) {
  if (!v.is_number()) return usual_page;
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(*v.floor_to_uint(), 1, longest_page));
}

task<reply> service::impl::call_api(std::string method, value args) {
  const api_descriptor* found = find_api_method(method);
  if (found == nullptr) co_return chat_error(errc::no_command, {value(std::move(method))});
  auto ordered = api_arguments(*found, std::move(args));
  if (!ordered) co_return ordered.error();
  if (state_ != state::open) co_return chat_error(errc::unavailable);
  ++running_;
  std::string fault;
  reply answer = chat_error(errc::internal_error, {value("internal fault")});
  try {
    const api_handler work = api_handler_of(found->id);
    answer = co_await (this->*work)(std::move(*ordered));
  } catch (const std::exception& e) {
    fault = e.what();
  }
  if (!fault.empty()) env.log.write(log_level::error, "api_fault", std::string(found->name) + ": " + fault);
  finish_one();
  co_return answer;
}

task<reply> service::impl::api_exec_user_command(value_list args) {
  call c;
  c.user = user_name(text_or_empty(args[0]));
  c.id = connection_id(text_or_empty(args[1]));
  c.bypass_permissions = is_true(args[2]);
  c.bypass_hooks = is_true(args[3]);
  c.command = *args[4].if_text();
  if (value_list* given = args[5].if_list()) c.args = std::move(*given);
  c.local = true;
  if (!c.user.empty()) {
    auto known = co_await env.data.has_user(c.user);
    if (!known) co_return known.error();
    if (!*known) co_return chat_error(errc::no_user, {value(c.user.str())});
  }
  if (cluster_ && !c.id.empty() && !c.user.empty() && hub.find(c.id) == nullptr) {
    call copy = c;
    auto elsewhere = co_await run_where_served(std::move(copy));
    if (elsewhere) co_return std::move(*elsewhere);
  }
  reply answer = co_await execute(std::move(c));
  co_return answer;
}

namespace {

/// Reads a list of names of a state object. Null and absent are empty.
result<std::vector<user_name>> names_of(const value* list, std::size_t limit, std::size_t longest_name,
                                        const char* list_name, const chat_error& bad) {
  std::vector<user_name> out;
  if (list == nullptr || list->is_null()) return out;
  const value_list* names = list->if_list();
  if (names == nullptr) return bad;
  if (names->size() > limit) return chat_error(errc::list_limit_exceeded, {value(list_name)});
  for (const value& name : *names) {
    const std::string* text = name.if_text();
    if (text == nullptr) return bad;
    if (!is_valid_name(*text, longest_name)) return chat_error(errc::invalid_name, {name});
    out.emplace_back(*text);
  }
  return out;
}

}  // namespace

task<reply> service::impl::api_add_user(value_list args) {
  const user_name user(*args[0].if_text());
  if (!is_valid_name(user.str(), limits.name_bytes)) co_return chat_error(errc::invalid_name, {args[0]});
  direct_settings settings;
  if (const value_map* given = args[1].if_map()) {
    const chat_error bad(errc::bad_argument, {value(1), args[1]});
    for (const auto& [key, v] : *given) {
      if (key == "whitelist" || key == "blacklist") {
        auto names = names_of(&v, options.direct_list_size_limit, limits.name_bytes, key.c_str(), bad);
        if (!names) co_return names.error();
        (key == "whitelist" ? settings.whitelist : settings.blacklist) = std::move(*names);
      } else if (key == "whitelistOnly" && (v.is_null() || v.if_bool() != nullptr)) {
        settings.whitelist_only = is_true(v);
      } else {
        co_return bad;
      }
    }
  }
  auto added = co_await env.data.add_user(user, std::move(settings));
  if (!added) co_return added.error();
  co_return nothing();
}

task<reply> service::impl::api_delete_user(value_list args) {
  auto removed = co_await env.data.remove_user(user_name(*args[0].if_text()));
  if (!removed) co_return removed.error();
  co_return nothing();
}

task<reply> service::impl::api_has_user(value_list args) {
  auto known = co_await env.data.has_user(user_name(*args[0].if_text()));
  if (!known) co_return known.error();
  co_return one(value(*known));
}

task<reply> service::impl::api_user_has_in_list(value_list args) {
  auto has = co_await env.data.has_in_direct_list(user_name(*args[0].if_text()), *args[1].if_text(),
                                                  user_name(*args[2].if_text()));
  if (!has) co_return has.error();
  co_return one(value(*has));
}

task<reply> service::impl::api_has_direct_access(value_list args) {
  auto access = co_await env.data.check_direct(user_name(*args[0].if_text()), user_name(*args[1].if_text()));
  if (!access) co_return access.error();
  co_return one(value(access->allowed));
}

task<reply> service::impl::api_disconnect_user_sockets(value_list args) {
  const user_name user(*args[0].if_text());
  auto known = co_await env.data.has_user(user);
  if (!known) co_return known.error();
  if (!*known) co_return chat_error(errc::no_user, {args[0]});
  hub.close_user(user, close_reason::disconnected);
  if (cluster_) cluster_->close_user_elsewhere(user);
  co_return nothing();
}

task<reply> service::impl::api_list_users(value_list args) {
  auto names = co_await env.data.list_users(text_or_empty(args[0]), page_limit(args[1]));
  if (!names) co_return names.error();
  co_return one(std::move(*names));
}

task<reply> service::impl::api_check_arguments(value_list args) {
  const command_descriptor* cmd = find_command(*args[0].if_text());
  if (cmd == nullptr) co_return chat_error(errc::no_command, {args[0]});
  value_list given;
  if (const value_list* list = args[1].if_list()) given = *list;
  result<void> checked = co_await check(*cmd, given);
  if (!checked) co_return checked.error();
  co_return nothing();
}

service::impl::api_handler service::impl::api_handler_of(api_method id) {
  switch (id) {
    case api_method::exec_user_command:
      return &impl::api_exec_user_command;
    case api_method::add_user:
      return &impl::api_add_user;
    case api_method::delete_user:
      return &impl::api_delete_user;
    case api_method::has_user:
      return &impl::api_has_user;
    case api_method::user_has_in_list:
      return &impl::api_user_has_in_list;
    case api_method::has_direct_access:
      return &impl::api_has_direct_access;
    case api_method::disconnect_user_sockets:
      return &impl::api_disconnect_user_sockets;
    case api_method::add_room:
      return &impl::api_add_room;
    case api_method::delete_room:
      return &impl::api_delete_room;
    case api_method::has_room:
      return &impl::api_has_room;
    case api_method::room_has_in_list:
      return &impl::api_room_has_in_list;
    case api_method::has_room_access:
      return &impl::api_has_room_access;
    case api_method::change_room_owner:
      return &impl::api_change_room_owner;
    case api_method::change_room_history_max_size:
      return &impl::api_change_room_history_max_size;
    case api_method::change_access_lists_updates:
      return &impl::api_change_access_lists_updates;
    case api_method::change_userlist_updates:
      return &impl::api_change_userlist_updates;
    case api_method::check_arguments:
      return &impl::api_check_arguments;
    case api_method::cluster_bus_emit:
      return &impl::api_cluster_bus_emit;
    case api_method::user_state_sync:
      return &impl::api_user_state_sync;
    case api_method::room_state_sync:
      return &impl::api_room_state_sync;
    case api_method::instance_recovery:
      return &impl::api_instance_recovery;
    case api_method::get_instance_heartbeat:
      return &impl::api_get_instance_heartbeat;
    case api_method::get_instance_sockets:
      return &impl::api_get_instance_sockets;
    case api_method::list_rooms:
      return &impl::api_list_rooms;
    case api_method::list_users:
      return &impl::api_list_users;
    case api_method::batch:
      return &impl::api_batch;
  }
  return nullptr;
}

}  // namespace roombus
