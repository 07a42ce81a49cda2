#pragma once

// Which bridge wants the requests of which devices, so that each request is handed to the one bridge that serves it.
// Kept by connection: on a new one a bridge gets everything until it has said what it wants. Fails towards delivery,
// since each bridge checks by itself: a request is withheld only from a bridge that said it does not want it, while
// another one said it does.

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "schemas/topics/device_part.hpp"

namespace roombus::plugin {

using part_set = std::bitset<topics::device_parts>;

/// 64 lower-case hexadecimal digits, the first of them for parts 0 to 3, part 0 its lowest bit. Nothing for others.
[[nodiscard]] inline std::optional<part_set> read_parts(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (text.size() != topics::device_parts / 4) return std::nullopt;
  part_set out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t digit = digits.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    for (std::size_t bit = 0; bit < 4; ++bit)
      if ((digit >> bit) & 1U) out.set(4 * i + bit);
  }
  return out;
}

class served_parts {
 public:
  using key = const void*;

  void set(key bridge, const part_set& parts) {
    forget(bridge);
    wanted_.emplace(bridge, parts);
    count(parts, 1);
  }

  void forget(key bridge) {
    const auto it = wanted_.find(bridge);
    if (it == wanted_.end()) return;
    count(it->second, -1);
    wanted_.erase(it);
  }

  [[nodiscard]] bool withheld(key bridge, std::string_view prefix, std::string_view topic) const {
    const auto it = wanted_.find(bridge);
    if (it == wanted_.end() || wanted_.size() < 2) return false;
    const std::optional<std::size_t> part = topics::part_of_publisher(prefix, topic);
    return part && !it->second.test(*part) && by_part_[*part] > 0;
  }

 private:
  void count(const part_set& parts, int by) {
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (parts.test(i)) by_part_[i] += by;
  }

  std::unordered_map<key, part_set> wanted_;
  std::array<int, topics::device_parts> by_part_{};
};

}  // namespace roombus::plugin
