#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/auth/jwt_key.hpp"

namespace roombus::auth {

/// The usable keys of a JWK set, and what is said about the others.
struct jwks_result {
  std::vector<jwt_key> keys;
  std::vector<std::string> skipped;  ///< one text per key that is for something else (encryption, other algorithms)
  std::string error;                 ///< not empty: the set as a whole is refused
};

/// Reads a JWK set. Keys of other types, algorithms or uses are skipped, as RFC 7517 §5 wants; a key of ours that is
/// broken refuses the whole set, so that a damaged file is noticed. Private members are ignored for `oct` only: a set
/// with private RSA or EC keys is refused. At most 100 keys.
[[nodiscard]] jwks_result read_jwks(std::string_view json);

}  // namespace roombus::auth
