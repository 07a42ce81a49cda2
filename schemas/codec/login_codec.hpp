#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/login_rights.hpp"

namespace roombus::payload {

/// What a login is limited to, in rooms and in time.
struct login_limits {
  login_limits() = default;
  login_rights rights;
  std::optional<std::int64_t> expires_at_ms;  ///< wall clock

  bool operator==(const login_limits&) const = default;
};

/// One word without blanks for a login, as the broker's plugin tells it to bridges: `-` for no limits, else parts
/// between `;`: `until=MS`, `admin`, `join=ROOM,ROOM`, `publish=ROOM`; rooms encoded as topic levels (design §3).
[[nodiscard]] std::string login_word(const login_limits& limits);

/// Nothing for anything that `login_word` does not write.
[[nodiscard]] std::optional<login_limits> read_login_word(std::string_view word);

}  // namespace roombus::payload
