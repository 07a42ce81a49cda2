#pragma once

#include "core/ports/authenticator.hpp"
#include "core/service.hpp"

namespace roombus {

/// Lets the service's onConnect hook decide who a client is. Errors: the hook's; no_login when it knows nobody;
/// unavailable when it gives no answer.
class hook_authenticator final : public authenticator {
 public:
  /// `chat` has an onConnect hook whenever this is asked.
  explicit hook_authenticator(service& chat) : chat_(chat) {}

  task<result<login>> authenticate(connection_id id, handshake shown) override;

 private:
  service& chat_;
};

}  // namespace roombus
