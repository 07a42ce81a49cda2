#include "adapters/redis/redis_url.hpp"

#include <charconv>

namespace roombus::redis {

namespace {

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned byte = 0;
    if (i + 2 >= text.size()) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
    if (error != std::errc{} || end != text.data() + i + 3) return std::nullopt;
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

}  // namespace

std::string node_address::str() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::optional<node_address> node_address::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = whole_number<std::uint16_t>(text.substr(colon + 1));
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (!port || *port == 0) return std::nullopt;
  return node_address{std::string(host), *port};
}

std::optional<redis_url> redis_url::parse(std::string_view text) {
  constexpr std::string_view plain = "redis://";
  constexpr std::string_view secured = "rediss://";
  redis_url out;
  out.tls = text.starts_with(secured);
  if (!out.tls && !text.starts_with(plain)) return std::nullopt;
  text.remove_prefix(out.tls ? secured.size() : plain.size());
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = text.substr(0, at);
    text.remove_prefix(at + 1);
    const std::size_t colon = login.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto user = percent_decoded(login.substr(0, colon));
    auto password = percent_decoded(login.substr(colon + 1));
    if (!user || !password || password->empty()) return std::nullopt;
    out.user = std::move(*user);
    out.password = std::move(*password);
  }
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::string_view database = text.substr(slash + 1);
    if (!database.empty()) {
      const auto number = whole_number<std::uint32_t>(database);
      if (!number) return std::nullopt;
      out.database = *number;
    }
    text = text.substr(0, slash);
  }
  std::string_view host = text;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = host.substr(1, end - 1);
    text.remove_prefix(end + 1);
  } else {
    host = text.substr(0, text.find(':'));
    text.remove_prefix(host.size());
  }
  if (host.empty() || host.find_first_of(" ?#[]\t") != std::string_view::npos) return std::nullopt;
  out.address.host = std::string(host);
  if (text.empty()) return out;
  const auto port = text.starts_with(':') ? whole_number<std::uint16_t>(text.substr(1)) : std::nullopt;
  if (!port || *port == 0) return std::nullopt;
  out.address.port = *port;
  return out;
}

std::optional<std::vector<redis_url>> redis_url::parse_list(std::string_view text) {
  std::vector<redis_url> out;
  while (true) {
    const std::size_t comma = text.find(',');
    std::string_view one = text.substr(0, comma);
    while (one.starts_with(' '))
      one.remove_prefix(1);
    while (one.ends_with(' '))
      one.remove_suffix(1);
    auto url = parse(one);
    if (!url) return std::nullopt;
    out.push_back(std::move(*url));
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace roombus::redis
