#pragma once

// Tokens and passwords of devices, judged inside the broker with the code and the files of the socket.io side
// (adapters/auth). Everything happens on the broker's one thread, which waits meanwhile: a token costs microseconds, a
// password some tens of milliseconds. So a password that was right is remembered, as a keyed hash, and the time that
// goes into the others is limited.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "adapters/auth/failure_limit.hpp"
#include "adapters/auth/jwt_keys.hpp"
#include "adapters/auth/login_token.hpp"
#include "adapters/auth/password_table.hpp"
#include "adapters/auth/watched_file.hpp"
#include "adapters/mosquitto/plugin/keyed_proof.hpp"
#include "core/ports/environment.hpp"
#include "schemas/codec/login_codec.hpp"

namespace roombus::plugin {

struct device_login_options {
  auth::jwt_options jwt;
  std::string password_file;  ///< lines user:hash, as roombus hash-password prints them; empty: none
  std::size_t max_failures = 10;
  std::int64_t failure_window_ms = 60'000;
  std::int64_t reload_interval_ms = 5'000;    ///< between two looks at the files; 0: only `reload`
  std::size_t remembered_passwords = 10'000;  ///< users whose password was right; 0: each login is hashed

  [[nodiscard]] bool configured() const { return jwt.configured() || !password_file.empty(); }
};

/// What a check says.
struct device_login {
  enum class outcome : std::uint8_t {
    unknown,   ///< nothing of this kind is configured: nobody has judged it
    accepted,  ///< and `limits` say how far it goes
    wrong,
    busy  ///< not checked: too many failures of the address, or too much time went into passwords; try again later
  };
  outcome what = outcome::unknown;
  payload::login_limits limits;
};

class device_logins {
 public:
  /// `key`: random; what is remembered is of use to nobody without it.
  device_logins(device_login_options options, const secret_key& key, clock& time, log_sink& log);
  ~device_logins();
  device_logins(const device_logins&) = delete;
  device_logins& operator=(const device_logins&) = delete;

  /// Reads the files. Not empty: why there can be no logins.
  [[nodiscard]] std::string load();
  /// Reads them again; one that is bad now keeps what it had.
  void reload() { reload(true); }
  /// Called now and then: looks whether files have changed.
  void tick();

  /// `password` is one, or a token of this user. `again`: the broker asks about a connection that is there, which no
  /// failure of others may end.
  [[nodiscard]] device_login check(std::string_view user, std::string_view password, std::string_view address,
                                   bool again = false);

 private:
  struct remembered {
    keyed_proof proof{};
    std::string hash;  ///< of the password file then; another one now makes it void
  };

  void reload(bool force);
  std::string read_passwords();
  [[nodiscard]] device_login check_token(std::string_view user, std::string_view token, std::string_view address);
  [[nodiscard]] device_login check_password(const std::string& user, std::string_view password,
                                            std::string_view address, bool again);
  [[nodiscard]] bool is_remembered(const std::string& user, const keyed_proof& proof) const;
  void remember(const std::string& user, const keyed_proof& proof);

  device_login_options options_;
  secret_key key_;
  clock& time_;
  log_sink& log_;
  auth::jwt_keys keys_;
  auth::watched_file file_;
  std::unique_ptr<auth::password_table> passwords_;
  auth::failure_limit limit_;
  std::unordered_map<std::string, remembered> remembered_;
  std::int64_t next_look_ms_ = 0;
  double allowance_ms_;  ///< time that may go into passwords now
  std::int64_t allowance_at_ms_;
};

}  // namespace roombus::plugin
