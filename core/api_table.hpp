#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/result.hpp"
#include "core/value.hpp"

namespace roombus {

/// Methods of the server API (contract §8), and a few that operators need beside it.
enum class api_method : std::uint8_t {
  exec_user_command,
  add_user,
  delete_user,
  has_user,
  user_has_in_list,
  has_direct_access,
  disconnect_user_sockets,
  add_room,
  delete_room,
  has_room,
  room_has_in_list,
  has_room_access,
  change_room_owner,
  change_room_history_max_size,
  change_access_lists_updates,
  change_userlist_updates,
  check_arguments,
  cluster_bus_emit,
  user_state_sync,
  room_state_sync,
  instance_recovery,
  get_instance_heartbeat,
  get_instance_sockets,
  list_rooms,
  list_users,
  batch
};

/// What an API argument must be. The optional ones may also be null or absent.
enum class api_type : std::uint8_t {
  text,
  optional_text,
  boolean,
  optional_boolean,
  from_zero,
  optional_from_zero,
  optional_object,
  optional_list,
  list,
  /// A list by name; by position all arguments from here on.
  rest
};

struct api_argument {
  std::string_view name;
  api_type type;
};

/// What a key must allow for a method. Each level includes the ones before it.
enum class api_access : std::uint8_t {
  read,   ///< changes nothing
  rooms,  ///< changes rooms and what is in them, acts as users
  all     ///< also users, recovery, other instances
};

/// One row of the method table; HTTP, MQTT and the command line are served from these rows.
struct api_descriptor {
  api_method id;
  std::string_view name;  ///< "addRoom"
  std::span<const api_argument> arguments;
  api_access access;
  std::string_view help;  ///< One sentence.
};

[[nodiscard]] std::span<const api_descriptor> all_api_methods();
/// The method called `name`, or null.
[[nodiscard]] const api_descriptor* find_api_method(std::string_view name);

/// Brings the arguments of a call, a list of positional or a map of named ones, into the order of the table: one value
/// for each argument, null where an optional one is absent. `execUserCommand` by position begins with an object
/// {userName?, id?, bypassPermissions?, bypassHooks?}, or a user name, or the bool bypassPermissions, or null.
/// Errors: wrong_arguments_count [expected, got], bad_argument [position, value].
[[nodiscard]] result<value_list> api_arguments(const api_descriptor& method, value given);

}  // namespace roombus
