#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace roombus::redis {

/// Host name or address (without brackets), and port.
struct node_address {
  std::string host;
  std::uint16_t port = 6379;

  /// "host:port", IPv6 addresses in brackets.
  [[nodiscard]] std::string str() const;
  /// The form of `str`, and that of MOVED and CLUSTER SLOTS, where IPv6 addresses have no brackets.
  [[nodiscard]] static std::optional<node_address> parse(std::string_view text);
  auto operator<=>(const node_address&) const = default;
};

/// `redis://[[user]:password@]host[:port][/database]`, or `rediss://` for TLS; user and password may be
/// percent-encoded.
struct redis_url {
  bool tls = false;
  node_address address;
  std::string user;  ///< empty: the default user
  std::string password;
  std::uint32_t database = 0;

  [[nodiscard]] static std::optional<redis_url> parse(std::string_view text);
  /// Several, separated by commas; nothing when one of them is not right or there is none.
  [[nodiscard]] static std::optional<std::vector<redis_url>> parse_list(std::string_view text);
};

}  // namespace roombus::redis
