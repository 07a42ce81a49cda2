#include "adapters/auth/chain_authenticator.hpp"

namespace roombus::auth {

task<result<login>> chain_authenticator::authenticate(connection_id id, handshake shown) {
  for (const auto& method : methods_) {
    handshake copy = shown;
    result<login> answer = co_await method->authenticate(id, std::move(copy));
    if (answer || answer.error().code() != errc::no_login) co_return answer;
  }
  co_return chat_error(errc::no_login);
}

}  // namespace roombus::auth
