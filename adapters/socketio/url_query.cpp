#include "adapters/socketio/url_query.hpp"

#include <optional>

#include "core/utf8.hpp"

namespace roombus::socketio {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  if (!is_valid_utf8(out)) return std::nullopt;
  return out;
}

}  // namespace

query_list parse_query(std::string_view query) {
  query_list out;
  while (!query.empty() && out.size() < max_query_parameters) {
    const auto end = query.find('&');
    const auto part = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (part.empty()) continue;
    const auto equals = part.find('=');
    auto name = decode(part.substr(0, equals));
    auto text = decode(equals == std::string_view::npos ? std::string_view() : part.substr(equals + 1));
    if (name && text) out.emplace_back(std::move(*name), std::move(*text));
  }
  return out;
}

const std::string* find_parameter(const query_list& query, std::string_view name) {
  for (const auto& [key, text] : query) {
    if (key == name) return &text;
  }
  return nullptr;
}

}  // namespace roombus::socketio
