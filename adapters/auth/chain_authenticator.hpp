#pragma once

#include <memory>
#include <vector>

#include "core/ports/authenticator.hpp"

namespace roombus::auth {

/// Asks one method after the other. One that finds nothing of its kind (no_login) passes on to the next; any other
/// answer is final, so a wrong token is never made good by another method. Error of an empty chain: no_login.
class chain_authenticator final : public authenticator {
 public:
  explicit chain_authenticator(std::vector<std::unique_ptr<authenticator>> methods) : methods_(std::move(methods)) {}
  task<result<login>> authenticate(connection_id id, handshake shown) override;

 private:
  std::vector<std::unique_ptr<authenticator>> methods_;
};

}  // namespace roombus::auth
