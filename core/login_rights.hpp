#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/named_string.hpp"
#include "core/value.hpp"

namespace roombus {

/// What a login may do at most, whatever the permissions of rooms allow. Everything absent is not limited.
struct login_rights {
  login_rights() = default;
  std::optional<std::vector<room_name>> join;     ///< rooms it may use at all
  std::optional<std::vector<room_name>> publish;  ///< rooms it may send messages to
  /// The permissions of rooms do not hold for its commands, as with `bypassPermissions` of the server API; it may
  /// create and delete rooms. Only in rooms of `join`. It joins like everybody.
  bool admin = false;

  bool operator==(const login_rights&) const = default;
};

/// False when the rights forbid the command: any command on a room outside of `join` but roomLeave, and roomMessage to
/// a room outside of `publish`. Arguments of a wrong type are left to the command.
[[nodiscard]] bool permits(const login_rights& rights, std::string_view command, const value_list& args);

}  // namespace roombus
