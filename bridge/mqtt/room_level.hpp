#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/named_string.hpp"

namespace roombus::mqtt {

/// The topic level of a room: every byte of its name outside `A–Z a–z 0–9 _ - ~` as `%XX`, upper case. Source: design
/// §3.
[[nodiscard]] std::string encode_room_level(std::string_view room);
void append_room_level(std::string& out, std::string_view room);

/// The room of a level; nothing for the empty level and for anything that `encode_room_level` does not write: a plain
/// byte that is to be encoded, lower-case hex, a byte encoded without need, an incomplete `%`, no valid UTF-8.
[[nodiscard]] std::optional<room_name> decode_room_level(std::string_view level);

}  // namespace roombus::mqtt
