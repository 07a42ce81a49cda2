#include "adapters/auth/network_list.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace roombus {

namespace {

constexpr unsigned mapped_prefix = 96;  // bits before the IPv4 part of ::ffff:a.b.c.d

bool bit(const std::array<std::uint8_t, 16>& bytes, unsigned index) {
  return ((bytes[index / 8] >> (7 - index % 8)) & 1) != 0;
}

}  // namespace

std::optional<ip_address> ip_address::parse(std::string_view text) {
  if (text.empty() || text.size() >= INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return std::nullopt;
  const std::string terminated(text);
  ip_address out;
  if (inet_pton(AF_INET6, terminated.c_str(), out.bytes.data()) == 1) return out;
  out.bytes.fill(0);
  if (inet_pton(AF_INET, terminated.c_str(), out.bytes.data() + 12) != 1) return std::nullopt;
  out.bytes[10] = 0xff;
  out.bytes[11] = 0xff;
  return out;
}

std::optional<ip_network> ip_network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto host = text.substr(0, slash);
  const auto address = ip_address::parse(host);
  if (!address) return std::nullopt;
  ip_network out;
  out.first_ = address->bytes;
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    unsigned length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    const bool v4 = host.find(':') == std::string_view::npos;
    if (length > (v4 ? 32U : 128U)) return std::nullopt;
    out.prefix_ = v4 ? mapped_prefix + length : length;
  }
  for (unsigned i = out.prefix_; i < 128; ++i) {
    if (bit(out.first_, i)) return std::nullopt;
  }
  return out;
}

bool ip_network::contains(const ip_address& address) const {
  for (unsigned i = 0; i < prefix_; ++i) {
    if (bit(first_, i) != bit(address.bytes, i)) return false;
  }
  return true;
}

network_list network_list::loopback() {
  return network_list({*ip_network::parse("127.0.0.0/8"), *ip_network::parse("::1/128")});
}

bool network_list::contains(std::string_view address) const {
  const auto parsed = ip_address::parse(address);
  if (!parsed) return false;
  return std::any_of(networks_.begin(), networks_.end(),
                     [&](const ip_network& network) { return network.contains(*parsed); });
}

}  // namespace roombus
