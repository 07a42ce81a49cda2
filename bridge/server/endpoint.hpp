#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace roombus::server {

/// Where to listen or to connect to.
struct endpoint {
  std::string host;        ///< a name or an IP address, IPv6 without brackets
  std::uint16_t port = 0;  ///< 0 when listening: a free one

  /// Reads `host:port` or `[::1]:port`; a missing host or port is an error. Empty when it is none.
  [[nodiscard]] static std::optional<endpoint> parse(std::string_view text);
  /// `host:port`, with brackets where needed.
  [[nodiscard]] std::string str() const;
  /// Only this machine can reach it: `localhost` or a loopback address.
  [[nodiscard]] bool is_loopback() const;

  bool operator==(const endpoint&) const = default;
};

}  // namespace roombus::server
