#include "adapters/auth/credential_authenticators.hpp"

#include <utility>

#include "adapters/auth/shown_credentials.hpp"

namespace roombus::auth {

task<result<login>> token_authenticator::authenticate(connection_id /*id*/, handshake shown) {
  auto token = find_token(shown);
  if (!token.present) co_return chat_error(errc::no_login);
  if (!token.value) co_return chat_error(errc::not_allowed);
  std::string text = std::move(*token.value);
  result<login> who = co_await checker_.check_token(std::move(text), std::move(shown.address));
  // the token decides: nobody else is asked
  if (!who && who.error().code() == errc::no_login) co_return chat_error(errc::not_allowed);
  co_return who;
}

task<result<login>> password_authenticator::authenticate(connection_id /*id*/, handshake shown) {
  auto pair = find_password(shown);
  if (!pair.present) co_return chat_error(errc::no_login);
  if (!pair.value) co_return chat_error(errc::not_allowed);
  std::string user = std::move(pair.value->user);
  std::string password = std::move(pair.value->password);
  result<login> who = co_await checker_.check_password(std::move(user), std::move(password), std::move(shown.address));
  if (!who && who.error().code() == errc::no_login) co_return chat_error(errc::not_allowed);
  co_return who;
}

}  // namespace roombus::auth
