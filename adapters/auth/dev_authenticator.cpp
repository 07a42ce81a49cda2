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

}  // namespace

dev_authenticator::dev_authenticator(network_list trusted, log_sink& log) : trusted_(std::move(trusted)) {
  log.write(log_level::warning, "dev_login", "development login is on: clients on this machine are whoever they say");
}

task<result<login>> dev_authenticator::authenticate(connection_id /*id*/, handshake shown) {
  const std::string* name = name_of(shown);
  if (name == nullptr) co_return chat_error(errc::no_login);
  if (!trusted_.contains(shown.address)) co_return chat_error(errc::not_allowed);
  login who;
  who.user = user_name(*name);
  co_return who;
}

}  // namespace roombus
