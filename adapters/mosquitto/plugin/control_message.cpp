#include "adapters/mosquitto/plugin/control_message.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "adapters/mosquitto/plugin/topic_policy.hpp"

namespace roombus::plugin {

namespace {

constexpr std::size_t max_lines = 10'000;
constexpr std::size_t max_room_level = 3 * 4096;
constexpr std::size_t max_words = 8;

struct words {
  std::array<std::string_view, max_words> at;
  std::size_t count = 0;
};

/// False for too many, and for empty ones (two blanks, or one at an end).
bool split(std::string_view line, words& out) {
  out.count = 0;
  for (;;) {
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end == 0 || out.count == max_words) return false;
    out.at[out.count++] = line.substr(0, end);
    if (end == line.size()) return true;
    line.remove_prefix(end + 1);
  }
}

template <class Number>
bool to_number(std::string_view text, Number& out) {
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), out);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
}

bool is_room_level(std::string_view text) {
  return text.size() <= max_room_level && text.find_first_of("/+#") == std::string_view::npos;
}

/// `EPOCH.SEQUENCE`, or `-` for not known.
bool to_place(std::string_view text, log_place& out) {
  if (text == "-") return true;
  const std::size_t dot = text.rfind('.');
  if (dot == 0 || dot == std::string_view::npos || !to_number(text.substr(dot + 1), out.sequence)) return false;
  out.epoch = std::max<std::uint64_t>(1, std::hash<std::string_view>{}(text.substr(0, dot)));
  return true;
}

bool parse_line(const words& w, control_line& out) {
  using verb = control_line::verb;
  const std::string_view name = w.at[0];
  if (w.count == 1) {
    if (name == "hello") return out.what = verb::hello, true;
    if (name == "alone") return out.what = verb::alone, true;
    if (name == "among") return out.what = verb::among, true;
    if (name == "sync") return out.what = verb::sync, true;
    return false;
  }
  if (name == "serves" && w.count == 2) {
    out.parts = read_parts(w.at[1]);
    return out.what = verb::serves, out.parts.has_value();
  }
  if (name == "verdict" && (w.count == 3 || w.count == 4)) {
    out.id = w.at[1];
    out.outcome = w.at[2];
    if (w.count == 4) out.limits = w.at[3];
    const bool accepted = out.outcome == "accepted";
    const bool known = accepted || ((out.outcome == "rejected" || out.outcome == "unavailable") && w.count == 3);
    return out.what = verb::verdict, known && is_name_level(out.id);
  }
  if (w.count < 4) return false;
  out.user = w.at[1];
  out.client = w.at[2];
  if (!is_name_level(out.user) || !is_name_level(out.client) || !to_number(w.at[3], out.generation)) return false;
  if (name == "kick") return out.what = verb::kick, w.count == 4;
  if (name == "reset") return out.what = verb::reset, w.count == 4;
  if (name != "grant" && name != "revoke") return false;
  if (w.count != 6 || !to_place(w.at[4], out.at) || !is_room_level(w.at[5])) return false;
  out.what = name == "grant" ? verb::grant : verb::revoke;
  out.room_level = w.at[5];
  return true;
}

}  // namespace

std::optional<control_message> parse_control(std::string_view text) {
  control_message out;
  words w;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!split(text.substr(0, end), w)) return std::nullopt;
    text.remove_prefix(std::min(end + 1, text.size()));
    if (first) {
      first = false;
      if (w.count != 7 || w.at[0] != "roombus" || w.at[1] != "1") return std::nullopt;
      out.instance = w.at[2];
      out.life = w.at[3];
      out.incarnation = w.at[4];
      if (!is_name_level(out.instance) || !to_number(w.at[5], out.sequence) || !to_number(w.at[6], out.lease_ms)) {
        return std::nullopt;
      }
      continue;
    }
    control_line line;
    if (out.lines.size() == max_lines || !parse_line(w, line)) return std::nullopt;
    out.lines.push_back(line);
  }
  if (first) return std::nullopt;
  return out;
}

}  // namespace roombus::plugin
