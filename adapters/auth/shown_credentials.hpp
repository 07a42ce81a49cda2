#pragma once

#include <optional>
#include <string>

#include "core/ports/authenticator.hpp"

namespace roombus::auth {

/// A user name and password that a client shows.
struct shown_password {
  std::string user;
  std::string password;
};

/// What a client shows of one kind: nothing at all, something of the wrong form, or a value.
template <class T>
struct shown {
  bool present = false;
  std::optional<T> value;  ///< empty with `present`: of the wrong form
};

/// `token` of the socket.io auth payload, query parameter `token`, or `Authorization: Bearer …`, in this order. An
/// empty text counts as nothing.
[[nodiscard]] shown<std::string> find_token(const handshake& given);

/// `user` and `password` of the socket.io auth payload, or `Authorization: Basic …` (RFC 7617, UTF-8), in this order.
/// Never the query: it is written to the logs of others.
[[nodiscard]] shown<shown_password> find_password(const handshake& given);

}  // namespace roombus::auth
