#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/command_table.hpp"

namespace roombus {

/// What a hook is called for.
enum class hook_kind : std::uint8_t {
  before,
  after,
  on_connect,
  on_disconnect,
  on_join,
  on_leave,
  on_start,
  on_close,
  room_messages_checker,
  direct_messages_checker
};

/// One hook as configurations and hook servers name it.
struct hook_name {
  std::string text;  ///< "roomMessageBefore", "onConnect"
  hook_kind kind = hook_kind::before;
  const command_descriptor* cmd = nullptr;  ///< of before and after
};

/// Before and after of all commands, in the order of the command table, then the others. Source: contract §7.
[[nodiscard]] std::span<const hook_name> all_hooks();
/// The hook called `text`, or null.
[[nodiscard]] const hook_name* find_hook(std::string_view text);

}  // namespace roombus
