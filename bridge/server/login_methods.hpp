#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/auth/credentials.hpp"
#include "bridge/server/config.hpp"
#include "core/ports/authenticator.hpp"
#include "core/service.hpp"

namespace roombus::server {

/// The configured ways to log in, in the order in which they are asked: token, password, onConnect hook, development
/// login. Without any of them every login is rejected.
class login_methods {
 public:
  struct environment {
    service& chat;
    clock& time;
    scheduler& timers;
    log_sink& log;
    metrics_registry& metrics;
  };

  login_methods(const config& settings, environment env);

  /// Reads the files with keys and passwords. Not empty: what is wrong with them.
  [[nodiscard]] std::string load() { return checker_.load(); }
  /// Reads them again.
  void reload() { checker_.reload(); }

  [[nodiscard]] roombus::authenticator& authenticator() { return *chain_; }
  /// For transports that have user name, password and token by themselves.
  [[nodiscard]] credential_checker& checker() { return checker_; }

 private:
  auth::credentials checker_;
  std::unique_ptr<roombus::authenticator> chain_;
};

}  // namespace roombus::server
