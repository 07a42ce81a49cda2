#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace roombus {

/// Appends `bytes` in standard base64 with padding. Source: RFC 4648 §4.
void append_base64(std::string& out, std::string_view bytes);

/// The bytes of standard base64 with padding; nothing for any text that `append_base64` would not write (white space,
/// missing padding, unused bits that are set).
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace roombus
