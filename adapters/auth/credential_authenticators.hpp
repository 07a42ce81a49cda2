#pragma once

#include "core/ports/authenticator.hpp"
#include "core/ports/credential_checker.hpp"

namespace roombus::auth {

/// Logs in by token. Errors: no_login (none shown), and those of the checker.
class token_authenticator final : public authenticator {
 public:
  explicit token_authenticator(credential_checker& checker) : checker_(checker) {}
  task<result<login>> authenticate(connection_id id, handshake shown) override;

 private:
  credential_checker& checker_;
};

/// Logs in by user name and password. Errors: no_login (no password shown), and those of the checker.
class password_authenticator final : public authenticator {
 public:
  explicit password_authenticator(credential_checker& checker) : checker_(checker) {}
  task<result<login>> authenticate(connection_id id, handshake shown) override;

 private:
  credential_checker& checker_;
};

}  // namespace roombus::auth
