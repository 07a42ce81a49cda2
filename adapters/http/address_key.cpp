#include "adapters/http/address_key.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace roombus::http {

namespace {

constexpr std::size_t network_bytes = 8;  // of a /64

}  // namespace

std::string address_key(std::string_view address) {
  const std::string text(address.substr(0, address.find('%')));  // without the zone of a link-local address
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) return std::string(bytes.data(), 4);
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1) return "";
  const bool mapped = std::all_of(bytes.begin(), bytes.begin() + 10, [](char c) { return c == 0; }) &&
                      bytes[10] == '\xff' && bytes[11] == '\xff';
  return mapped ? std::string(bytes.data() + 12, 4) : std::string(bytes.data(), network_bytes);
}

}  // namespace roombus::http
