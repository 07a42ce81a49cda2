#include "schemas/codec/base64.hpp"

#include <array>
#include <cstdint>

namespace roombus {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t invalid = 0x80000000U;

constexpr std::array<std::uint32_t, 256> make_values() {
  std::array<std::uint32_t, 256> values{};
  values.fill(invalid);
  for (std::uint32_t i = 0; i < 64; ++i)
    values[static_cast<unsigned char>(alphabet[i])] = i;
  return values;
}
constexpr auto values = make_values();

std::uint32_t byte_at(std::string_view s, std::size_t i) {
  return static_cast<unsigned char>(s[i]);
}
std::uint32_t digit_at(std::string_view s, std::size_t i) {
  return values[static_cast<unsigned char>(s[i])];
}
char low_byte(std::uint32_t word) {
  return static_cast<char>(word & 0xff);
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  const std::size_t start = out.size();
  out.resize(start + (bytes.size() + 2) / 3 * 4);
  char* to = out.data() + start;
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3, to += 4) {
    const std::uint32_t word = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    to[0] = alphabet[word >> 18];
    to[1] = alphabet[word >> 12 & 63];
    to[2] = alphabet[word >> 6 & 63];
    to[3] = alphabet[word & 63];
  }
  const std::size_t rest = bytes.size() - i;
  if (rest == 0) return;
  const std::uint32_t word = byte_at(bytes, i) << 16 | (rest == 2 ? byte_at(bytes, i + 1) << 8 : 0);
  to[0] = alphabet[word >> 18];
  to[1] = alphabet[word >> 12 & 63];
  to[2] = rest == 2 ? alphabet[word >> 6 & 63] : '=';
  to[3] = '=';
}

std::optional<std::string> decode_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.empty()) return std::string();
  std::size_t padding = 0;
  if (text.back() == '=') padding = text[text.size() - 2] == '=' ? 2 : 1;
  const std::size_t whole = text.size() - (padding != 0 ? 4 : 0);

  std::string out(whole / 4 * 3 + (padding != 0 ? 3 - padding : 0), '\0');
  char* to = out.data();
  std::uint32_t seen = 0;  // collects the mark of invalid digits, looked at once
  for (std::size_t i = 0; i < whole; i += 4, to += 3) {
    const std::uint32_t a = digit_at(text, i);
    const std::uint32_t b = digit_at(text, i + 1);
    const std::uint32_t c = digit_at(text, i + 2);
    const std::uint32_t d = digit_at(text, i + 3);
    seen |= a | b | c | d;
    const std::uint32_t word = a << 18 | b << 12 | c << 6 | d;
    to[0] = low_byte(word >> 16);
    to[1] = low_byte(word >> 8);
    to[2] = low_byte(word);
  }
  if (padding != 0) {
    const std::uint32_t a = digit_at(text, whole);
    const std::uint32_t b = digit_at(text, whole + 1);
    const std::uint32_t c = padding == 1 ? digit_at(text, whole + 2) : 0;
    seen |= a | b | c;
    const std::uint32_t word = a << 18 | b << 12 | c << 6;
    const std::uint32_t unused = padding == 1 ? word & 0xff : word & 0xffff;
    if (unused != 0) return std::nullopt;
    to[0] = low_byte(word >> 16);
    if (padding == 1) to[1] = low_byte(word >> 8);
  }
  if ((seen & invalid) != 0) return std::nullopt;
  return out;
}

}  // namespace roombus
