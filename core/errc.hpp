#pragma once

#include <cstdint>

namespace roombus {

/// Why a command was refused or failed. Names on the wire, texts and arguments: contract §6 and `core/chat_error.cpp`.
enum class errc : std::uint8_t {
  bad_argument,           ///< [position, value]: an argument has the wrong type.
  internal_error,         ///< [text]: a fault of the service, or a plain text of a hook.
  invalid_name,           ///< [name]: not a name that a user or room may have.
  invalid_socket,         ///< [id]: the connection is not there (any more).
  no_command,             ///< [name]: no such command or method.
  list_limit_exceeded,    ///< [list]: the edit would make a list too long; nothing changed.
  no_list,                ///< [list]: no such list.
  no_login,               ///< []: the client gave no login.
  no_room,                ///< [room]
  no_socket,              ///< [command]: the command needs a connection.
  no_user,                ///< [user]
  no_user_online,         ///< [user]
  not_allowed,            ///< []
  not_joined,             ///< [room]
  room_exists,            ///< [room]
  timeout,                ///< []: the outcome is unknown; repeat only with an idempotency key.
  user_exists,            ///< [user]
  user_online,            ///< [user]
  wrong_arguments_count,  ///< [expected, got]
  rate_limited,           ///< []: too many requests; nothing was done.
  payload_too_large,      ///< []: nothing was done.
  unavailable,            ///< []: a store or broker is out of reach; nothing was done, retry is safe.
  custom                  ///< a code that a hook made up; the code itself is the text.
};

}  // namespace roombus
