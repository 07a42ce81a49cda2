#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "adapters/auth/login_token.hpp"
#include "core/metrics.hpp"
#include "core/ports/credential_checker.hpp"
#include "core/ports/environment.hpp"

namespace roombus::auth {

/// How passwords are judged. Without a file there are no password logins.
struct password_options {
  std::string file;
  std::size_t workers = 2;        ///< threads that hash
  std::size_t max_queue = 64;     ///< checks that wait for one; more are refused with rate_limited
  std::size_t max_failures = 10;  ///< of one address within the window; then it gets rate_limited
  std::int64_t failure_window_ms = 60'000;
};

struct credential_options {
  jwt_options jwt;
  password_options password;
  std::chrono::milliseconds reload_interval{5'000};  ///< between two looks at the files; 0: only `reload`
  std::size_t name_bytes = 256;                      ///< longest user name
};

/// Tokens and passwords of the configured files. Belongs to the core's thread; hashing runs on threads of its own.
class credentials final : public credential_checker {
 public:
  struct environment {
    clock& time;  ///< steady_ms also from other threads
    scheduler& timers;
    log_sink& log;
    metrics_registry& metrics;
  };

  credentials(credential_options options, environment env);
  ~credentials() override;

  /// Reads the files and starts to watch them. Not empty: why there can be no logins.
  [[nodiscard]] std::string load();
  /// Reads all files again, now. One that is bad now keeps what it had.
  void reload();

  task<result<login>> check_password(std::string user, std::string password, std::string address) override;
  task<result<login>> check_token(std::string token, std::string address) override;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace roombus::auth
