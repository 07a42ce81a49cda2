#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/login_rights.hpp"
#include "core/named_string.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "core/value.hpp"

namespace roombus {

/// What a client shows when it connects.
struct handshake {
  handshake() = default;
  std::string transport;  ///< "socket.io" or "mqtt"
  value_map query;        ///< decoded query parameters, all text
  value_map headers;      ///< request headers, names in lower case
  value auth;             ///< socket.io 3+ auth payload, or null
  std::string address;    ///< the client's IP address
};

/// Who logged in.
struct login {
  login() = default;
  user_name user;
  value_map auth_data;  ///< handed to the client in `loginConfirmed`, with `id` added
  value_map claims;     ///< what a token says about the user, for hooks and operators; empty for other methods
  login_rights rights;  ///< what this login is limited to
  std::optional<std::int64_t> expires_at_ms;  ///< wall clock; the connection ends then, unless it was renewed
};

/// Decides who a client is.
class authenticator {
 public:
  virtual ~authenticator() = default;
  /// Errors: no_login (nothing that tells who it is), not_allowed (told, and wrong), unavailable, or a custom one; the
  /// client gets it in `loginRejected`.
  virtual task<result<login>> authenticate(connection_id id, handshake shown) = 0;
};

}  // namespace roombus
