#include "adapters/http/uri.hpp"

#include <algorithm>

namespace roombus::http {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::optional<query_list> parse_query(std::string_view query) {
  auto decode = [](std::string_view part) {
    std::string spaced(part);
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    return percent_decode(spaced);
  };
  query_list out;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::string_view name = pair.substr(0, pair.find('='));
    const std::string_view text = name.size() == pair.size() ? std::string_view() : pair.substr(name.size() + 1);
    auto decoded_name = decode(name);
    auto decoded_text = decode(text);
    if (!decoded_name || !decoded_text) return std::nullopt;
    out.emplace_back(std::move(*decoded_name), std::move(*decoded_text));
  }
  return out;
}

const std::string* find_query(const query_list& query, std::string_view name) {
  for (const auto& [key, text] : query) {
    if (key == name) return &text;
  }
  return nullptr;
}

}  // namespace roombus::http
