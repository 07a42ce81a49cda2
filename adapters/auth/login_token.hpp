#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "adapters/auth/jwt.hpp"
#include "adapters/auth/jwt_keys.hpp"
#include "core/ports/authenticator.hpp"

namespace roombus::auth {

/// How tokens are judged. Without a source of keys there are no token logins.
struct jwt_options {
  jwt_sources sources;
  jwt_rules rules;
  std::string user_claim = "sub";        ///< the claim with the user's name
  std::string rights_claim = "roombus";  ///< the claim with `join`, `publish` and `admin`

  [[nodiscard]] bool configured() const;
};

/// A login, or why there is none: for logs, clients learn none of it.
struct token_login {
  std::optional<login> who;
  std::string fault;
};

/// Judges a token as a login at the wall-clock time `now_ms`: the token itself, then the user's name, of at most
/// `name_bytes`, and the rights. The same for all transports.
[[nodiscard]] token_login judge_login_token(std::string_view token, std::span<const jwt_key> keys,
                                            const jwt_options& options, std::size_t name_bytes, std::int64_t now_ms);

/// The rights in a claim: `{"join":[rooms],"publish":[rooms],"admin":bool}`, each of them optional. Nothing for any
/// other form: a slip must not give more than was meant.
[[nodiscard]] std::optional<login_rights> read_rights(const value& claim);

}  // namespace roombus::auth
