#include "adapters/hooks/hook_url.hpp"

#include <algorithm>
#include <charconv>

namespace roombus::hooks {

namespace {

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_path_character(char c) {
  return c > 0x20 && c < 0x7f && c != '?' && c != '#' && c != '"' && c != '<' && c != '>' && c != '\\';
}

}  // namespace

std::optional<hook_url> hook_url::parse(std::string_view text) {
  constexpr std::string_view plain = "http://";
  constexpr std::string_view secured = "https://";
  constexpr std::size_t max_text = 2000;
  hook_url out;
  out.tls = text.starts_with(secured);
  if ((!out.tls && !text.starts_with(plain)) || text.size() > max_text) return std::nullopt;
  if (out.tls) out.port = 443;
  text.remove_prefix(out.tls ? secured.size() : plain.size());
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::string_view where = text.substr(0, slash);
  std::string_view path = text.substr(slash);
  if (where.starts_with('[')) {
    const std::size_t end = where.find(']');
    if (end == std::string_view::npos || end == 1) return std::nullopt;
    out.host = where.substr(1, end - 1);
    const bool numeric = std::all_of(out.host.begin(), out.host.end(), [](char c) {
      return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' || c == '.';
    });
    if (!numeric) return std::nullopt;
    where.remove_prefix(end + 1);
  } else {
    const std::size_t colon = std::min(where.find(':'), where.size());
    out.host = where.substr(0, colon);
    if (out.host.empty() || !std::all_of(out.host.begin(), out.host.end(), is_host_character)) return std::nullopt;
    where.remove_prefix(colon);
  }
  if (!where.empty()) {
    if (where.front() != ':') return std::nullopt;
    where.remove_prefix(1);
    const auto [end, error] = std::from_chars(where.data(), where.data() + where.size(), out.port);
    if (error != std::errc{} || end != where.data() + where.size() || out.port == 0) return std::nullopt;
  }
  if (!std::all_of(path.begin(), path.end(), is_path_character)) return std::nullopt;
  while (path.ends_with('/'))
    path.remove_suffix(1);
  out.path = path;
  return out;
}

std::string hook_url::authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace roombus::hooks
