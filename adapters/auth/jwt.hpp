#pragma once

// Reads and judges signed tokens (JWS compact form with a claims set inside).
//
// The order is the point: size, form, header, key, signature, and only then the claims. Whatever is not known to be
// right is wrong. Source: RFC 7515, RFC 7519, and the advice of RFC 8725.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/auth/jwt_key.hpp"
#include "core/value.hpp"

namespace roombus::auth {

/// What a token must say to be taken.
struct jwt_rules {
  std::vector<std::string> audience;  ///< one of them must be in `aud`; empty: a token with `aud` is for others
  std::vector<std::string> issuer;    ///< `iss` must be one of them; empty: not looked at
  std::int64_t leeway_ms = 30'000;    ///< difference of the clocks that `exp`, `nbf` and `iat` allow for
  bool require_exp = true;            ///< a token that never expires is refused
};

/// What makes a token wrong, for logs and counters; clients learn none of it.
enum class jwt_fault : std::uint8_t {
  too_large,      ///< above `max_token_bytes`
  malformed,      ///< not three parts of base64url with JSON objects, a member twice, a claim of a wrong type
  encrypted,      ///< JWE
  header,         ///< `crit`, `cty`, `zip`, or a `typ` of tokens for something else
  algorithm,      ///< none of ours, "none" included
  no_key,         ///< no key for its `kid` and algorithm
  signature,      ///< not made by the key
  expired,        ///< `exp`
  no_expiry,      ///< `exp` is missing
  not_yet_valid,  ///< `nbf`, or `iat` in the future
  audience,       ///< `aud`
  issuer          ///< `iss`
};

[[nodiscard]] std::string_view to_text(jwt_fault fault);

constexpr std::size_t max_token_bytes = 8192;

/// Claims of a token that was taken, or its fault.
struct jwt_outcome {
  std::optional<jwt_fault> fault;
  value_map claims;
  std::optional<std::int64_t> expires_at_ms;  ///< when the token stops being taken: `exp` and the leeway
};

/// Judges a token at the wall-clock time `now_ms`.
[[nodiscard]] jwt_outcome verify_token(std::string_view token, std::span<const jwt_key> keys, const jwt_rules& rules,
                                       std::int64_t now_ms);

/// Makes a token; empty when OpenSSL fails.
[[nodiscard]] std::string make_token(const signing_key& key, const value_map& claims,
                                     const std::optional<std::string>& kid = {});

}  // namespace roombus::auth
