#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace roombus::auth {

/// Base64 with `-` and `_` and without padding. Source: RFC 4648 §5, RFC 7515 §2.
[[nodiscard]] std::string encode_base64url(std::string_view bytes);

/// The bytes; nothing for any text that `encode_base64url` would not write (padding, `+`, `/`, white space, unused bits
/// that are set), so every value has exactly one spelling.
[[nodiscard]] std::optional<std::string> decode_base64url(std::string_view text);

/// Standard base64 without padding, as PHC strings have it; strict in the same way.
[[nodiscard]] std::string encode_bare_base64(std::string_view bytes);
[[nodiscard]] std::optional<std::string> decode_bare_base64(std::string_view text);

}  // namespace roombus::auth
