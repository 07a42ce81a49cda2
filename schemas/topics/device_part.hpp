#pragma once

// Devices are divided into parts, so that several bridges of one broker can share them: docs/mqtt.md, "Between
// instances". The bridges and the broker's plugin must agree on it.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace roombus::topics {

inline constexpr std::size_t device_parts = 256;

[[nodiscard]] constexpr std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

/// Part of the device "user/client": the 64 bits of FNV-1a, both halves xor-ed, modulo `device_parts`.
[[nodiscard]] constexpr std::size_t device_part(std::string_view device) {
  const std::uint64_t hash = fnv1a(device);
  return static_cast<std::size_t>((hash ^ (hash >> 32U)) % device_parts);
}

/// Part of the device that publishes on `P/u/{user}/{client}/call/…`, `…/send/…` or `…/status`; nothing for all other
/// topics.
[[nodiscard]] constexpr std::optional<std::size_t> part_of_publisher(std::string_view prefix, std::string_view topic) {
  if (!topic.starts_with(prefix)) return std::nullopt;
  topic.remove_prefix(prefix.size());
  if (!topic.starts_with("/u/")) return std::nullopt;
  topic.remove_prefix(3);
  const std::size_t user = topic.find('/');
  if (user == std::string_view::npos) return std::nullopt;
  const std::size_t client = topic.find('/', user + 1);
  if (client == std::string_view::npos) return std::nullopt;
  const std::string_view what = topic.substr(client + 1);
  if (!what.starts_with("call/") && !what.starts_with("send/") && what != "status") return std::nullopt;
  return device_part(topic.substr(0, client));
}

}  // namespace roombus::topics
