#pragma once

// What an embedder, or a hook server behind an adapter, may decide about commands and connections. Source: contract §7.
//
// A hook is a function that returns a task; it may answer at once or later, always on the core's thread. With g++ 12
// write it as a plain lambda that calls a coroutine function: a capturing lambda that is itself a coroutine is
// miscompiled when it is passed as a temporary.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/command_table.hpp"
#include "core/named_string.hpp"
#include "core/ports/authenticator.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/value.hpp"

namespace roombus {

/// What a command hook sees. Valid until the hook's task is done.
struct hook_context {
  hook_context() = default;
  const command_descriptor* cmd = nullptr;
  user_name user;    ///< empty: the service itself
  connection_id id;  ///< empty: no connection
  value_list args;   ///< exactly the command's own
  value_list rest_args;
  std::optional<value_list> results;  ///< after hooks: what the command answered
  std::optional<chat_error> error;    ///< after hooks: why it failed
  bool is_local_call = false;         ///< called through the server API
  bool bypass_permissions = false;
  bool bypass_hooks = false;
  value_map data;  ///< from the before hook to the after hook
};

/// What a command hook answers; an empty answer changes nothing.
struct hook_answer {
  hook_answer() = default;
  /// before: replace the arguments, with rest arguments behind them; checked again. As many as the command itself has
  /// leave the rest arguments (an idempotency key may be among them) as they are.
  std::optional<value_list> args;
  std::optional<value_map> data;      ///< before: for the after hook
  std::optional<value_list> results;  ///< before: ends the command with them; after: replace the reply; empty: [null]
  std::optional<chat_error> error;    ///< before: ends the command with it; after: replaces the reply
};

using command_hook = std::function<task<hook_answer>(const hook_context&)>;

/// A connection that joins or leaves a room.
struct membership_change {
  membership_change() = default;
  user_name user;
  connection_id id;
  room_name room;
  std::uint64_t njoined = 0;  ///< connections of the user in the room, after the change
};

/// A connection that has ended.
struct ended_connection {
  ended_connection() = default;
  user_name user;
  connection_id id;
  std::uint64_t nconnected = 0;               ///< connections that the user still has
  std::vector<room_name> rooms_removed;       ///< rooms that it left
  std::vector<std::uint64_t> joined_sockets;  ///< for each of them: connections of the user that are still joined
};

/// All hooks of a service. Empty ones cost nothing.
struct service_hooks {
  std::map<command, command_hook> before;
  std::map<command, command_hook> after;

  /// Tells who a connection is. Its error goes to the client in `loginRejected`.
  std::function<task<result<login>>(connection_id, handshake)> on_connect;
  /// The connection has left its rooms. Errors have nobody to go to, so there are none.
  std::function<task<void>(ended_connection)> on_disconnect;
  /// Before a join counts: an error rolls it back and is the answer.
  std::function<task<result<void>>(membership_change)> on_join;
  /// After a connection has left a room, by itself or not.
  std::function<task<void>(membership_change)> on_leave;
  /// Before any request is served. `info` is what the program tells, such as the address of the server API.
  std::function<task<result<void>>(value_map info)> on_start;
  /// When all clients are gone. The argument tells why the service could not end cleanly, if it could not.
  std::function<task<result<void>>(std::optional<chat_error>)> on_close;
  /// Replace `message_format`: any object they accept is a message.
  std::function<task<result<void>>(value message)> room_messages_checker;
  std::function<task<result<void>>(value message)> direct_messages_checker;
};

}  // namespace roombus
