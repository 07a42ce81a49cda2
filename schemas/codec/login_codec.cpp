#include "schemas/codec/login_codec.hpp"

#include <charconv>
#include <utility>
#include <vector>

namespace roombus::payload {

namespace {

bool is_plain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '~';
}

void append_level(std::string& out, std::string_view room) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : room) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    (out += '%') += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  }
}

void append_rooms(std::string& out, std::string_view name, const std::optional<std::vector<room_name>>& rooms) {
  if (!rooms) return;
  if (!out.empty()) out += ';';
  out.append(name).append("=");
  bool first = true;
  for (const room_name& room : *rooms) {
    if (room.empty()) continue;  // no room has this name
    if (!std::exchange(first, false)) out += ',';
    append_level(out, room.str());
  }
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<room_name> read_level(std::string_view level) {
  std::string out;
  for (std::size_t i = 0; i < level.size(); ++i) {
    if (is_plain(level[i])) {
      out += level[i];
      continue;
    }
    if (level[i] != '%' || i + 2 >= level.size()) return std::nullopt;
    const int high = digit_of(level[i + 1]);
    const int low = digit_of(level[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return room_name(std::move(out));
}

/// Takes what stands before the first `end`, and that `end`.
std::string_view take(std::string_view& rest, char end) {
  const std::size_t at = rest.find(end);
  const std::string_view out = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return out;
}

std::optional<std::vector<room_name>> read_rooms(std::string_view list) {
  std::vector<room_name> out;
  while (!list.empty()) {
    auto room = read_level(take(list, ','));
    if (!room) return std::nullopt;
    out.push_back(std::move(*room));
  }
  return out;
}

}  // namespace

std::string login_word(const login_limits& limits) {
  std::string out;
  if (limits.expires_at_ms) out.append("until=").append(std::to_string(*limits.expires_at_ms));
  if (limits.rights.admin) out.append(out.empty() ? "" : ";").append("admin");
  append_rooms(out, "join", limits.rights.join);
  append_rooms(out, "publish", limits.rights.publish);
  return out.empty() ? "-" : out;
}

std::optional<login_limits> read_login_word(std::string_view word) {
  login_limits out;
  if (word == "-") return out;
  std::string_view rest = word;
  while (!rest.empty()) {
    std::string_view part = take(rest, ';');
    const std::string_view name = take(part, '=');
    if (name == "admin" && part.empty()) {
      out.rights.admin = true;
    } else if (name == "join") {
      out.rights.join = read_rooms(part);
      if (!out.rights.join) return std::nullopt;
    } else if (name == "publish") {
      out.rights.publish = read_rooms(part);
      if (!out.rights.publish) return std::nullopt;
    } else if (name == "until") {
      std::int64_t at = 0;
      const auto read = std::from_chars(part.data(), part.data() + part.size(), at);
      if (read.ec != std::errc() || read.ptr != part.data() + part.size()) return std::nullopt;
      out.expires_at_ms = at;
    } else {
      return std::nullopt;
    }
  }
  // one form only: what another writer means is not known
  if (login_word(out) != word) return std::nullopt;
  return out;
}

}  // namespace roombus::payload
