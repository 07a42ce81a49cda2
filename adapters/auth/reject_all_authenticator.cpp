#include "adapters/auth/reject_all_authenticator.hpp"

namespace roombus {

task<result<login>> reject_all_authenticator::authenticate(connection_id /*id*/, handshake /*shown*/) {
  co_return chat_error(errc::no_login);
}

}  // namespace roombus
