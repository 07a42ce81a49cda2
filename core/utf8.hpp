#pragma once

#include <cstddef>
#include <string_view>

namespace roombus {

/// True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. Source: RFC 3629 §4.
[[nodiscard]] bool is_valid_utf8(std::string_view text);

/// The longest prefix of at most `max_bytes` bytes that does not cut a character of valid UTF-8.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes);

}  // namespace roombus
