#include "core/hook_names.hpp"

#include <algorithm>
#include <vector>

namespace roombus {

namespace {

std::vector<hook_name> make_hooks() {
  std::vector<hook_name> all;
  for (const command_descriptor& cmd : all_commands()) {
    all.push_back({std::string(cmd.name) + "Before", hook_kind::before, &cmd});
    all.push_back({std::string(cmd.name) + "After", hook_kind::after, &cmd});
  }
  all.push_back({"onConnect", hook_kind::on_connect});
  all.push_back({"onDisconnect", hook_kind::on_disconnect});
  all.push_back({"onJoin", hook_kind::on_join});
  all.push_back({"onLeave", hook_kind::on_leave});
  all.push_back({"onStart", hook_kind::on_start});
  all.push_back({"onClose", hook_kind::on_close});
  all.push_back({"roomMessagesChecker", hook_kind::room_messages_checker});
  all.push_back({"directMessagesChecker", hook_kind::direct_messages_checker});
  return all;
}

}  // namespace

std::span<const hook_name> all_hooks() {
  static const std::vector<hook_name> all = make_hooks();
  return all;
}

const hook_name* find_hook(std::string_view text) {
  const auto all = all_hooks();
  const auto found = std::find_if(all.begin(), all.end(), [text](const hook_name& h) { return h.text == text; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace roombus
