#include "adapters/auth/dev_authenticator.hpp"

#include <utility>

namespace roombus {
namespace {

const std::string* text_of(const value_map& map, std::string_view key) {
  const value* found = map.find(key);
  const std::string* text = found == nullptr ? nullptr : found->if_text();
  return text == nullptr || text->empty() ? nullptr : text;
}

const std::string* name_of(const handshake& shown) {
  if (const auto* name = text_of(shown.query, "user")) return name;
  if (const auto* name = text_of(shown.query, "userName")) return name;
  const value_map* auth = shown.auth.if_map();
  return auth == nullptr ? nullptr : text_of(*auth, "user");
}

/// Scheme, user and port taken off: "http://localhost:3000" is "localhost".
std::string_view host_of(std::string_view origin) {
  if (const auto scheme = origin.find("://"); scheme != std::string_view::npos) origin.remove_prefix(scheme + 3);
  if (origin.starts_with('[')) return origin.substr(0, origin.find(']') + 1);
  return origin.substr(0, origin.find(':'));
}

/// A browser tells which page opens the connection. Pages of other sites could log in as anybody without it being
/// noticed, so only pages of this server and of this machine may.
bool is_trusted_page(const handshake& shown) {
  const std::string* origin = text_of(shown.headers, "origin");
  if (origin == nullptr) return true;  // not a browser
  const std::string_view host = host_of(*origin);
  if (host == "localhost" || host == "[::1]" || network_list::loopback().contains(host)) return true;
  const std::string* own = text_of(shown.headers, "host");
  return own != nullptr && !host.empty() && host == host_of(*own);
}

}  // namespace

dev_authenticator::dev_authenticator(network_list trusted, log_sink& log) : trusted_(std::move(trusted)) {
  log.write(log_level::warning, "dev_login", "development login is on: clients on this machine are whoever they say");
}

task<result<login>> dev_authenticator::authenticate(connection_id /*id*/, handshake shown) {
  const std::string* name = name_of(shown);
  if (name == nullptr) co_return chat_error(errc::no_login);
  if (!trusted_.contains(shown.address) || !is_trusted_page(shown)) co_return chat_error(errc::not_allowed);
  login who;
  who.user = user_name(*name);
  co_return who;
}

}  // namespace roombus
