#pragma once

#include <cstdint>
#include <string_view>

namespace roombus::redis {

inline constexpr std::uint16_t slot_count = 16384;

/// The cluster slot of a key: CRC16 (XMODEM) of what is between its first `{` and the next `}` when that is not empty,
/// else of all. Source: Redis Cluster specification, "Hash tags".
[[nodiscard]] std::uint16_t key_slot(std::string_view key);

}  // namespace roombus::redis
