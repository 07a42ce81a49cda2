#include "core/command_table.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>
#include <utility>

namespace roombus {

namespace {

using arg = argument_descriptor;
using enum argument_type;

constexpr arg direct_edit[] = {{"list", text}, {"users", text_list}};
constexpr arg direct_list[] = {{"list", text}};
constexpr arg mode_only[] = {{"mode", boolean}};
constexpr arg direct_message_args[] = {{"user", text}, {"message", message}};
constexpr arg data_only[] = {{"data", anything}};
constexpr arg room_and_mode[] = {{"room", text}, {"mode", boolean}};
constexpr arg room_only[] = {{"room", text}};
constexpr arg room_message_args[] = {{"room", text}, {"message", message}};
constexpr arg history_get[] = {{"room", text}, {"id", from_zero}, {"limit", from_one}};
constexpr arg room_and_user[] = {{"room", text}, {"user", text}};
constexpr arg room_and_list[] = {{"room", text}, {"list", text}};
constexpr arg room_edit[] = {{"room", text}, {"list", text}, {"users", text_list}};

constexpr command_descriptor table[] = {
    {command::direct_add_to_list, "directAddToList", direct_edit, "Adds users to an own direct messaging list."},
    {command::direct_remove_from_list, "directRemoveFromList", direct_edit,
     "Removes users from an own direct messaging list."},
    {command::direct_get_access_list, "directGetAccessList", direct_list, "Reads an own direct messaging list."},
    {command::direct_set_whitelist_mode, "directSetWhitelistMode", mode_only,
     "Lets only whitelisted users send direct messages, or all but the blacklisted."},
    {command::direct_get_whitelist_mode, "directGetWhitelistMode", {}, "Reads the own direct messaging mode."},
    {command::direct_message, "directMessage", direct_message_args, "Sends a message to a user who is online."},
    {command::list_own_sockets, "listOwnSockets", {}, "Lists the user's connections and the rooms each has joined."},
    {command::system_message, "systemMessage", data_only, "Sends any value to the user's other connections."},
    {command::room_create, "roomCreate", room_and_mode, "Creates a room; the caller becomes its owner."},
    {command::room_delete, "roomDelete", room_only, "Removes everybody from a room and deletes it."},
    {command::room_join, "roomJoin", room_only, "Joins a room with this connection."},
    {command::room_leave, "roomLeave", room_only, "Leaves a room with this connection."},
    {command::room_message, "roomMessage", room_message_args,
     "Sends a message to a room; the id in the answer means stored."},
    {command::room_recent_history, "roomRecentHistory", room_only, "Reads a room's newest messages."},
    {command::room_history_get, "roomHistoryGet", history_get, "Reads the oldest messages after an id."},
    {command::room_history_info, "roomHistoryInfo", room_only, "Tells where a room's history stands."},
    {command::room_user_seen, "roomUserSeen", room_and_user,
     "Tells whether a user is joined, and since or until when."},
    {command::room_get_access_list, "roomGetAccessList", room_and_list,
     "Reads a list of a room; userlist is who is present."},
    {command::room_get_owner, "roomGetOwner", room_only, "Reads a room's owner."},
    {command::room_get_whitelist_mode, "roomGetWhitelistMode", room_only, "Reads a room's mode."},
    {command::room_notifications_info, "roomNotificationsInfo", room_only, "Reads a room's notification switches."},
    {command::room_add_to_list, "roomAddToList", room_edit,
     "Adds users to a list of a room; who loses access is removed at once."},
    {command::room_remove_from_list, "roomRemoveFromList", room_edit,
     "Removes users from a list of a room; who loses access is removed at once."},
    {command::room_set_whitelist_mode, "roomSetWhitelistMode", room_and_mode,
     "Lets only whitelisted users in, or all but the blacklisted; who loses access is removed at once."},
};

bool is_number_from(const value& v, double least) {
  return v.is_number() && v.as_double() >= least;
}

bool is_text_list(const value& v) {
  const value_list* list = v.if_list();
  return list != nullptr && std::all_of(list->begin(), list->end(), [](const value& item) { return item.if_text(); });
}

bool is_message(const value& v, message_format format) {
  const value_map* map = v.if_map();
  if (map == nullptr) return false;
  if (format == message_format::object) return true;
  const value* text_message = map->find("textMessage");
  return map->size() == 1 && text_message != nullptr && text_message->if_text() != nullptr;
}

bool fits(const value& v, argument_type type, message_format format) {
  switch (type) {
    case text:
      return v.if_text() != nullptr;
    case text_list:
      return is_text_list(v);
    case boolean:
      return v.if_bool() != nullptr;
    case from_zero:
      return is_number_from(v, 0);
    case from_one:
      return is_number_from(v, 1);
    case message:
      return is_message(v, format);
    case anything:
      return true;
  }
  return false;
}

}  // namespace

std::span<const command_descriptor> all_commands() {
  return table;
}

const command_descriptor& describe(command id) {
  return table[static_cast<std::size_t>(id)];
}

const command_descriptor* find_command(std::string_view name) {
  static const auto by_name = [] {
    std::unordered_map<std::string_view, const command_descriptor*> index;
    for (const command_descriptor& cmd : table)
      index.emplace(cmd.name, &cmd);
    return index;
  }();
  auto it = by_name.find(name);
  return it == by_name.end() ? nullptr : it->second;
}

result<void> check_arguments(const command_descriptor& cmd, std::span<const value> args, message_format format) {
  if (args.size() != cmd.arguments.size()) {
    return chat_error(errc::wrong_arguments_count,
                      {value(std::uint64_t{cmd.arguments.size()}), value(std::uint64_t{args.size()})});
  }
  for (std::size_t i = 0; i < args.size(); ++i) {
    if (!fits(args[i], cmd.arguments[i].type, format)) {
      return chat_error(errc::bad_argument, {value(std::uint64_t{i}), args[i]});
    }
  }
  return {};
}

result<value_list> positional_arguments(const command_descriptor& cmd, value_map named) {
  const std::size_t count = cmd.arguments.size();
  value_list args(count + 1);
  std::size_t given = 0;
  for (auto& [name, v] : named) {
    std::size_t i = 0;
    while (i < count && cmd.arguments[i].name != name)
      ++i;
    if (i == count && name != "options") {
      return chat_error(errc::bad_argument, {value(std::uint64_t{count}), value(name)});
    }
    args[i] = std::move(v);
    given = std::max(given, i + 1);
  }
  args.resize(given);
  return args;
}

}  // namespace roombus
