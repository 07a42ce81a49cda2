#include "adapters/auth/hook_authenticator.hpp"

#include <utility>

namespace roombus {

task<result<login>> hook_authenticator::authenticate(connection_id id, handshake shown) {
  return chat_.ask_who(std::move(id), std::move(shown));
}

}  // namespace roombus
