#include "bridge/mqtt/room_level.hpp"

#include "core/utf8.hpp"

namespace roombus::mqtt {

namespace {

constexpr std::string_view hex_digits = "0123456789ABCDEF";

bool stays_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '~';
}

/// The digit's value, or 16 for what is none.
std::size_t digit_value(char c) {
  const std::size_t at = hex_digits.find(c);
  return at == std::string_view::npos ? 16 : at;
}

}  // namespace

void append_room_level(std::string& out, std::string_view room) {
  for (char c : room) {
    if (stays_plain(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += hex_digits[byte >> 4];
      out += hex_digits[byte & 15];
    }
  }
}

std::string encode_room_level(std::string_view room) {
  std::string out;
  out.reserve(room.size());
  append_room_level(out, room);
  return out;
}

std::optional<room_name> decode_room_level(std::string_view level) {
  if (level.empty()) return std::nullopt;
  std::string room;
  room.reserve(level.size());
  for (std::size_t i = 0; i < level.size(); ++i) {
    if (stays_plain(level[i])) {
      room += level[i];
      continue;
    }
    if (level[i] != '%' || level.size() - i < 3) return std::nullopt;
    const std::size_t high = digit_value(level[i + 1]);
    const std::size_t low = digit_value(level[i + 2]);
    if (high > 15 || low > 15) return std::nullopt;
    const char c = static_cast<char>(high * 16 + low);
    if (stays_plain(c)) return std::nullopt;
    room += c;
    i += 2;
  }
  if (!is_valid_utf8(room)) return std::nullopt;
  return room_name(std::move(room));
}

}  // namespace roombus::mqtt
