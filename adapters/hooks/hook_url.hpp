#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace roombus::hooks {

/// Where a hook server is: `http://host[:port][/path]`, or `https://`.
struct hook_url {
  bool tls = false;
  std::string host;         ///< name or address, without brackets
  std::uint16_t port = 80;  ///< 443 with TLS
  std::string path;         ///< before `/{hook}`: empty, or begins with `/` and does not end with it

  /// Nothing for anything else: user info, query and fragment included.
  [[nodiscard]] static std::optional<hook_url> parse(std::string_view text);
  /// "host:port" as the Host header has it.
  [[nodiscard]] std::string authority() const;
};

}  // namespace roombus::hooks
