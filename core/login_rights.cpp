#include "core/login_rights.hpp"

#include <algorithm>

namespace roombus {

namespace {

bool allows(const std::optional<std::vector<room_name>>& rooms, const std::string& room) {
  return !rooms || std::any_of(rooms->begin(), rooms->end(), [&](const room_name& r) { return r.str() == room; });
}

}  // namespace

bool permits(const login_rights& rights, std::string_view command, const value_list& args) {
  if (!rights.join && !rights.publish) return true;
  // every command that names a room is called room…, and names it first
  if (!command.starts_with("room") || command == "roomLeave" || args.empty()) return true;
  const std::string* room = args.front().if_text();
  if (room == nullptr) return true;
  if (!allows(rights.join, *room)) return false;
  return command != "roomMessage" || allows(rights.publish, *room);
}

}  // namespace roombus
