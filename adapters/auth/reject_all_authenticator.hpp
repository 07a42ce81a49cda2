#pragma once

#include "core/ports/authenticator.hpp"

namespace roombus {

/// Lets nobody in: what is used when no login method is configured. Error: no_login.
class reject_all_authenticator final : public authenticator {
 public:
  task<result<login>> authenticate(connection_id id, handshake shown) override;
};

}  // namespace roombus
