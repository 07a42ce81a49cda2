#include "core/ports/environment.hpp"

#include <array>
#include <vector>

namespace roombus {

std::string random_hex(random_source& random, std::size_t bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::vector<std::uint8_t> raw(bytes);
  random.fill(raw);
  std::string out;
  out.reserve(bytes * 2);
  for (std::uint8_t b : raw) {
    out += digits[b >> 4];
    out += digits[b & 15];
  }
  return out;
}

std::string random_id(random_source& random) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<std::uint8_t, 16> raw{};
  random.fill(raw);
  std::string out;
  unsigned bits = 0;
  unsigned held = 0;
  for (std::uint8_t b : raw) {
    bits = (bits << 8) | b;
    held += 8;
    while (held >= 6) {
      held -= 6;
      out += alphabet[(bits >> held) & 63];
    }
  }
  out += alphabet[(bits << (6 - held)) & 63];
  return out;
}

}  // namespace roombus
