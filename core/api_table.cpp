#include "core/api_table.hpp"

#include <iterator>
#include <unordered_map>
#include <utility>

namespace roombus {

namespace {

using arg = api_argument;
using enum api_type;

constexpr arg exec_args[] = {
    {"userName", optional_text},       {"id", optional_text}, {"bypassPermissions", optional_boolean},
    {"bypassHooks", optional_boolean}, {"command", text},     {"args", rest}};
constexpr arg user_and_state[] = {{"user", text}, {"state", optional_object}};
constexpr arg user_only[] = {{"user", text}};
constexpr arg user_list_item[] = {{"user", text}, {"list", text}, {"item", text}};
constexpr arg recipient_sender[] = {{"recipient", text}, {"sender", text}};
constexpr arg room_and_state[] = {{"room", text}, {"state", optional_object}};
constexpr arg room_only[] = {{"room", text}};
constexpr arg room_list_item[] = {{"room", text}, {"list", text}, {"item", text}};
constexpr arg room_and_user[] = {{"room", text}, {"user", text}};
constexpr arg room_and_owner[] = {{"room", text}, {"owner", optional_text}};
constexpr arg room_and_size[] = {{"room", text}, {"size", from_zero}};
constexpr arg room_and_enabled[] = {{"room", text}, {"enabled", boolean}};
constexpr arg command_and_args[] = {{"command", text}, {"args", rest}};
constexpr arg event_and_args[] = {{"event", text}, {"args", optional_list}};
constexpr arg instance_only[] = {{"instance", text}};
constexpr arg instance_or_own[] = {{"instance", optional_text}};
constexpr arg page_args[] = {{"after", optional_text}, {"limit", optional_from_zero}};
constexpr arg calls_only[] = {{"calls", list}};

using enum api_access;

constexpr api_descriptor table[] = {
    {api_method::exec_user_command, "execUserCommand", exec_args, rooms,
     "Runs a client command for a user, a connection, or the service itself."},
    {api_method::add_user, "addUser", user_and_state, all, "Adds a user with direct messaging lists."},
    {api_method::delete_user, "deleteUser", user_only, all, "Deletes a user who is not online."},
    {api_method::has_user, "hasUser", user_only, read, "Tells whether a user exists."},
    {api_method::user_has_in_list, "userHasInList", user_list_item, read,
     "Tells whether a name is in a user's direct messaging list."},
    {api_method::has_direct_access, "hasDirectAccess", recipient_sender, read,
     "Tells whether a user may send another one direct messages."},
    {api_method::disconnect_user_sockets, "disconnectUserSockets", user_only, all, "Disconnects a user everywhere."},
    {api_method::add_room, "addRoom", room_and_state, rooms, "Creates a room with owner, lists and switches."},
    {api_method::delete_room, "deleteRoom", room_only, rooms, "Removes everybody from a room and deletes it."},
    {api_method::has_room, "hasRoom", room_only, read, "Tells whether a room exists."},
    {api_method::room_has_in_list, "roomHasInList", room_list_item, read,
     "Tells whether a name is in a list of a room."},
    {api_method::has_room_access, "hasRoomAccess", room_and_user, read, "Tells whether a user may join a room."},
    {api_method::change_room_owner, "changeRoomOwner", room_and_owner, rooms, "Gives a room another owner, or none."},
    {api_method::change_room_history_max_size, "changeRoomHistoryMaxSize", room_and_size, rooms,
     "Sets how many messages a room keeps; shrinking trims at once."},
    {api_method::change_access_lists_updates, "changeAccessListsUpdates", room_and_enabled, rooms,
     "Tells a room's members of list and mode changes, or not."},
    {api_method::change_userlist_updates, "changeUserlistUpdates", room_and_enabled, rooms,
     "Tells a room's members who comes and goes, or not."},
    {api_method::check_arguments, "checkArguments", command_and_args, read,
     "Checks a command's arguments without running it."},
    {api_method::cluster_bus_emit, "clusterBusEmit", event_and_args, all,
     "Sends an event to the operators of all instances."},
    {api_method::user_state_sync, "userStateSync", user_only, all,
     "Makes a user's stored connections agree with the ones that are there."},
    {api_method::room_state_sync, "roomStateSync", room_only, all,
     "Makes a room's stored members agree with the connections that are there."},
    {api_method::instance_recovery, "instanceRecovery", instance_only, all,
     "Ends the connections that an instance left behind."},
    {api_method::get_instance_heartbeat, "getInstanceHeartbeat", instance_or_own, read,
     "Tells when an instance last showed that it lives, in ms, or null."},
    {api_method::get_instance_sockets, "getInstanceSockets", instance_or_own, read,
     "Lists the connections of an instance with their users."},
    {api_method::list_rooms, "listRooms", page_args, read, "Lists room names after a name, in order."},
    {api_method::list_users, "listUsers", page_args, read, "Lists user names after a name, in order."},
    {api_method::batch, "batch", calls_only, read,
     "Runs many calls [{method, args}] one after the other and answers in their order."},
};

bool is_optional(api_type type) {
  return type == optional_text || type == optional_boolean || type == optional_from_zero || type == optional_object ||
         type == optional_list || type == rest;
}

bool fits(const value& v, api_type type) {
  if (v.is_null()) return is_optional(type);
  switch (type) {
    case text:
    case optional_text:
      return v.if_text() != nullptr;
    case boolean:
    case optional_boolean:
      return v.if_bool() != nullptr;
    case from_zero:
    case optional_from_zero:
      return v.is_number() && v.as_double() >= 0;
    case optional_object:
      return v.if_map() != nullptr;
    case optional_list:
    case list:
    case rest:
      return v.if_list() != nullptr;
  }
  return false;
}

chat_error bad_argument(std::size_t position, const value& v) {
  return {errc::bad_argument, {value(std::uint64_t{position}), v}};
}

/// Spreads the first argument of `execUserCommand` over its named ones.
result<value_list> spread_options(value_list given) {
  if (given.empty()) return chat_error(errc::wrong_arguments_count, {value(2), value(0)});
  value_list spread(4);
  const value first = std::move(given.front());
  if (const value_map* options = first.if_map()) {
    for (const auto& [name, v] : *options) {
      std::size_t i = 0;
      while (i < spread.size() && exec_args[i].name != name)
        ++i;
      if (i == spread.size()) return bad_argument(0, first);
      spread[i] = v;
    }
  } else if (first.if_text() != nullptr) {
    spread[0] = first;
  } else if (first.if_bool() != nullptr) {
    spread[2] = first;
  } else if (!first.is_null()) {
    return bad_argument(0, first);
  }
  spread.insert(spread.end(), std::make_move_iterator(given.begin() + 1), std::make_move_iterator(given.end()));
  return spread;
}

result<value_list> by_position(const api_descriptor& method, value_list given) {
  if (method.id == api_method::exec_user_command) {
    auto spread = spread_options(std::move(given));
    if (!spread) return spread.error();
    given = std::move(*spread);
  }
  const std::size_t count = method.arguments.size();
  if (count > 0 && method.arguments[count - 1].type == rest && given.size() >= count - 1) {
    const auto from = given.begin() + static_cast<std::ptrdiff_t>(count - 1);
    value_list more(std::make_move_iterator(from), std::make_move_iterator(given.end()));
    given.erase(from, given.end());
    given.emplace_back(std::move(more));
  }
  std::size_t required = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_optional(method.arguments[i].type)) required = i + 1;
  }
  if (given.size() < required || given.size() > count) {
    const std::size_t expected = given.size() < required ? required : count;
    return chat_error(errc::wrong_arguments_count,
                      {value(std::uint64_t{expected}), value(std::uint64_t{given.size()})});
  }
  given.resize(count);
  return given;
}

result<value_list> by_name(const api_descriptor& method, value_map named) {
  const std::size_t count = method.arguments.size();
  value_list args(count);
  for (auto& [name, v] : named) {
    std::size_t i = 0;
    while (i < count && method.arguments[i].name != name)
      ++i;
    if (i == count) return bad_argument(count, value(name));
    args[i] = std::move(v);
  }
  return args;
}

}  // namespace

std::span<const api_descriptor> all_api_methods() {
  return table;
}

const api_descriptor* find_api_method(std::string_view name) {
  static const auto index = [] {
    std::unordered_map<std::string_view, const api_descriptor*> by;
    for (const api_descriptor& method : table)
      by.emplace(method.name, &method);
    return by;
  }();
  auto it = index.find(name);
  return it == index.end() ? nullptr : it->second;
}

result<value_list> api_arguments(const api_descriptor& method, value given) {
  result<value_list> args = value_list();
  if (value_list* positional = given.if_list()) {
    args = by_position(method, std::move(*positional));
  } else if (value_map* named = given.if_map()) {
    args = by_name(method, std::move(*named));
  } else if (given.is_null()) {
    args = by_position(method, {});
  } else {
    return bad_argument(0, given);
  }
  if (!args) return args;
  for (std::size_t i = 0; i < args->size(); ++i) {
    if (!fits((*args)[i], method.arguments[i].type)) return bad_argument(i, (*args)[i]);
  }
  return args;
}

}  // namespace roombus
