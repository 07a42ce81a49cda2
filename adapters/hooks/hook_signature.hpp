#pragma once

#include <string>
#include <string_view>

namespace roombus::hooks {

/// "sha256=" and the HMAC-SHA256 of `timestamp + "." + body` in lower-case hex: the header X-Roombus-Signature, by
/// which a hook server knows who calls. `timestamp` is the header X-Roombus-Timestamp: ms since 1970.
[[nodiscard]] std::string hook_signature(std::string_view secret, std::string_view timestamp, std::string_view body);

}  // namespace roombus::hooks
