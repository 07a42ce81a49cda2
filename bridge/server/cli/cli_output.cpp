#include "bridge/server/cli/cli_output.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <ostream>

#include "schemas/codec/json.hpp"

namespace roombus::server {

namespace {

std::size_t width_of(std::string_view text) {
  // code points; good enough for names
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

std::string clock_time(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%H:%M:%S", &local);
  return text.data();
}

const value* field(const value& data, std::string_view name) {
  const value_map* map = data.if_map();
  return map != nullptr ? map->find(name) : nullptr;
}

std::string field_text(const value& data, std::string_view name) {
  const value* v = field(data, name);
  return v != nullptr ? shown(*v) : std::string("-");
}

/// The message without what the service added; a plain text as it is.
std::string message_text(const value& data) {
  const value_map* map = data.if_map();
  if (map == nullptr) return shown(data);
  value_map own;
  for (const auto& [key, v] : *map) {
    if (key != "author" && key != "timestamp" && key != "id") own.append(key, v);
  }
  const value* text = own.find("textMessage");
  if (own.size() == 1 && text != nullptr && text->if_text() != nullptr) return shown(*text);
  return harmless(json::write(value(std::move(own))));
}

}  // namespace

std::string harmless(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  const auto escape = [&out, digits](unsigned char byte) {
    out += "\\x";
    out += digits[byte >> 4];
    out += digits[byte & 15];
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0U;
    if (byte < 0x20 || byte == 0x7f) {
      escape(byte);
    } else if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {  // U+0080–U+009F
      escape(static_cast<unsigned char>(next));
      ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string shown(const value& v) {
  if (v.is_null()) return "-";
  if (const std::string* text = v.if_text()) return harmless(*text);
  return harmless(json::write(v));
}

std::string shown_list(const value& list) {
  const value_list* items = list.if_list();
  if (items == nullptr || items->empty()) return "-";
  std::string out;
  for (const value& item : *items)
    out += (out.empty() ? "" : ", ") + shown(item);
  return out;
}

void print_table(std::ostream& out, const std::vector<std::string>& header,
                 const std::vector<std::vector<std::string>>& rows, bool with_header) {
  std::vector<std::vector<std::string>> all;
  if (with_header) all.push_back(header);
  all.insert(all.end(), rows.begin(), rows.end());
  std::vector<std::size_t> widths(header.size(), 0);
  for (const auto& row : all) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  }
  for (const auto& row : all) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out << row[i];
      if (i + 1 < row.size()) out << std::string(widths[i] - width_of(row[i]) + 2, ' ');
    }
    out << '\n';
  }
}

std::string event_line(std::string_view name, const value& data, std::int64_t now_ms) {
  const value* time = field(data, "timestamp");
  const std::int64_t at = time != nullptr ? static_cast<std::int64_t>(time->floor_to_uint().value_or(0)) : now_ms;
  const std::string begin = clock_time(at) + " ";
  if (name == "roomMessage") {
    const value* author = field(data, "author");
    const bool named = author != nullptr && author->if_text() != nullptr && !author->if_text()->empty();
    return begin + "#" + field_text(data, "id") + " " + (named ? shown(*author) : "(service)") + ": " +
           message_text(data);
  }
  if (name == "roomUserJoined") return begin + "* " + field_text(data, "user") + " joined";
  if (name == "roomUserLeft") return begin + "* " + field_text(data, "user") + " left";
  return begin + "* " + harmless(name) + " " + shown(data);
}

}  // namespace roombus::server
