#pragma once

#include "adapters/auth/network_list.hpp"
#include "core/ports/authenticator.hpp"
#include "core/ports/environment.hpp"

namespace roombus {

/// Believes any name that a client gives, from trusted addresses only. For development.
/// socket.io: query `user` or `userName`, or `user` of the auth payload. Errors: no_login (no name), not_allowed
/// (another address, or a page of
/// another site in a browser on a trusted address).
class dev_authenticator final : public authenticator {
 public:
  /// Warns in the log that everybody is let in. `trusted` is `network_list::loopback()` unless the operator vouches for
  /// more.
  dev_authenticator(network_list trusted, log_sink& log);

  task<result<login>> authenticate(connection_id id, handshake shown) override;

 private:
  network_list trusted_;
};

}  // namespace roombus
