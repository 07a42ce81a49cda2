#pragma once

#include <string>
#include <string_view>

#include "core/ports/authenticator.hpp"

namespace roombus {

/// True for what looks like a signed token, where a token comes as a password: the beginning of a JSON object in
/// base64url, and a dot. No password that a person would choose.
[[nodiscard]] inline bool looks_like_token(std::string_view password) {
  return password.starts_with("eyJ") && password.find('.') != std::string_view::npos;
}

/// Judges what a client shows as its proof, whatever the transport: socket.io, MQTT, or a broker that asks over HTTP.
/// `address` is the client's IP address, for limits; the broker's where nothing better is known.
/// Errors of both: no_login (this kind of proof is not configured), not_allowed (wrong, for whatever reason),
/// rate_limited (too many failures from the address, or too many checks at once).
class credential_checker {
 public:
  virtual ~credential_checker() = default;
  virtual task<result<login>> check_password(std::string user, std::string password, std::string address) = 0;
  virtual task<result<login>> check_token(std::string token, std::string address) = 0;
};

}  // namespace roombus
