#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace roombus {

/// An IP address; IPv4 is kept in its IPv4-mapped IPv6 form, so `::ffff:127.0.0.1` and `127.0.0.1` are equal.
struct ip_address {
  std::array<std::uint8_t, 16> bytes{};

  /// Numeric IPv4 or IPv6 only: no names, no brackets, no zone. Anything else is empty.
  [[nodiscard]] static std::optional<ip_address> parse(std::string_view text);
};

/// A range of addresses in CIDR form.
class ip_network {
 public:
  /// `10.0.0.0/8`, `fd00::/8`, or a single address. Empty when it is none of these, or when bits behind the prefix
  /// are set (`10.0.0.1/8`: probably not what was meant).
  [[nodiscard]] static std::optional<ip_network> parse(std::string_view text);

  [[nodiscard]] bool contains(const ip_address& address) const;

 private:
  std::array<std::uint8_t, 16> first_{};
  unsigned prefix_ = 128;  // counted in the IPv6 form
};

/// Networks that something is limited to.
class network_list {
 public:
  network_list() = default;
  explicit network_list(std::vector<ip_network> networks) : networks_(std::move(networks)) {}
  /// 127.0.0.0/8 and ::1.
  [[nodiscard]] static network_list loopback();

  /// True when `address` is numeric and inside one of the networks; never for anything else.
  [[nodiscard]] bool contains(std::string_view address) const;
  void add(ip_network network) { networks_.push_back(network); }

 private:
  std::vector<ip_network> networks_;
};

}  // namespace roombus
