#include "bridge/mqtt/topic.hpp"

#include <algorithm>
#include <cstdint>

#include "core/utf8.hpp"

namespace roombus::mqtt {

namespace {

bool is_topic_text(std::string_view text, std::size_t max_bytes) {
  return !text.empty() && text.size() <= std::min<std::size_t>(max_bytes, 65535) &&
         text.find('\0') == std::string_view::npos && is_valid_utf8(text);
}

/// Takes the first level off `rest`; `more` tells whether a `/` followed it.
std::string_view take_level(std::string_view& rest, bool& more) {
  const std::size_t slash = rest.find('/');
  const std::string_view level = rest.substr(0, slash);
  more = slash != std::string_view::npos;
  rest = more ? rest.substr(slash + 1) : std::string_view();
  return level;
}

/// The code point at `i`, which moves behind it; the text is valid UTF-8.
std::uint32_t take_code_point(std::string_view text, std::size_t& i) {
  const auto first = static_cast<unsigned char>(text[i++]);
  if (first < 0x80) return first;
  const unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  std::uint32_t code = first & (0x3fU >> more);
  for (unsigned n = 0; n < more; ++n)
    code = (code << 6) | (static_cast<unsigned char>(text[i++]) & 0x3fU);
  return code;
}

}  // namespace

bool is_topic_name(std::string_view text, std::size_t max_bytes) {
  return is_topic_text(text, max_bytes) && text.find_first_of("+#") == std::string_view::npos;
}

bool is_topic_filter(std::string_view text, std::size_t max_bytes) {
  if (!is_topic_text(text, max_bytes)) return false;
  bool more = true;
  while (more) {
    const std::string_view level = take_level(text, more);
    if (level == "#") return !more;
    if (level != "+" && level.find_first_of("+#") != std::string_view::npos) return false;
  }
  return true;
}

bool topic_matches(std::string_view filter, std::string_view name) {
  if (name.front() == '$' && (filter.front() == '+' || filter.front() == '#')) return false;
  bool filter_more = true;
  bool name_more = true;
  while (filter_more) {
    const std::string_view wanted = take_level(filter, filter_more);
    if (wanted == "#") return true;  // "a/#" selects "a" too: name_more is false then
    if (!name_more) return false;
    const std::string_view level = take_level(name, name_more);
    if (wanted != "+" && wanted != level) return false;
    if (filter_more && !name_more) return filter == "#";
  }
  return !name_more;
}

bool has_disallowed_characters(std::string_view valid_utf8) {
  for (std::size_t i = 0; i < valid_utf8.size();) {
    const std::uint32_t c = take_code_point(valid_utf8, i);
    if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) return true;
    if ((c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe) return true;
  }
  return false;
}

}  // namespace roombus::mqtt
