#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/result.hpp"
#include "core/value.hpp"

namespace roombus {

/// The commands of contract §2, in its order.
enum class command : std::uint8_t {
  direct_add_to_list,
  direct_remove_from_list,
  direct_get_access_list,
  direct_set_whitelist_mode,
  direct_get_whitelist_mode,
  direct_message,
  list_own_sockets,
  system_message,
  room_create,
  room_delete,
  room_join,
  room_leave,
  room_message,
  room_recent_history,
  room_history_get,
  room_history_info,
  room_user_seen,
  room_get_access_list,
  room_get_owner,
  room_get_whitelist_mode,
  room_notifications_info,
  room_add_to_list,
  room_remove_from_list,
  room_set_whitelist_mode
};

/// What an argument must be.
enum class argument_type : std::uint8_t {
  text,       ///< text
  text_list,  ///< list of texts
  boolean,    ///< bool
  from_zero,  ///< number ≥ 0; fractions are rounded down
  from_one,   ///< number ≥ 1; fractions are rounded down
  message,    ///< by option `message_format`
  anything
};

/// One argument of a command: its name where arguments are given by name (contract §2), and what it must be.
struct argument_descriptor {
  std::string_view name;
  argument_type type;
};

/// One row of the command table. All wires, hooks and documents are served from these rows.
struct command_descriptor {
  command id;
  std::string_view name;  ///< On the wire, "roomJoin".
  std::span<const argument_descriptor> arguments;
  std::string_view help;  ///< One sentence.
};

[[nodiscard]] std::span<const command_descriptor> all_commands();
[[nodiscard]] const command_descriptor& describe(command id);
/// The command called `name`, or null.
[[nodiscard]] const command_descriptor* find_command(std::string_view name);

/// Form of a message that no checker replaces. Source: contract §4.
enum class message_format : std::uint8_t { object, text };

/// Checks count and types of a command's own arguments (rest arguments are not passed in).
/// Errors: wrong_arguments_count [expected, got], bad_argument [position, value].
[[nodiscard]] result<void> check_arguments(const command_descriptor& cmd, std::span<const value> args,
                                           message_format format);

/// Turns named arguments into positional ones: those of the command, then `options` as first rest argument.
/// A missing name is left out at the end (and so counted as missing), or is null before a given one.
/// Errors: bad_argument [position, name] for a name that the command does not have; the position is the number of
/// arguments.
[[nodiscard]] result<value_list> positional_arguments(const command_descriptor& cmd, value_map named);

}  // namespace roombus
