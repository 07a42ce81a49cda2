#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "adapters/auth/failure_limit.hpp"
#include "adapters/mosquitto/plugin/account_file.hpp"
#include "core/ports/environment.hpp"

namespace roombus::plugin {

/// How often an address may guess.
struct guess_limit {
  std::size_t max_failures = 10;
  std::int64_t window_ms = 60'000;
};

/// Logins by the accounts of one file, with a limit for guesses: an address that had its failures is not checked until
/// the window is over. Failures are told in the log; those beyond the limit are not, so that a flood does not fill it.
class account_logins {
 public:
  enum class outcome : std::uint8_t { right, wrong, not_checked };

  /// `is_bridges`: the accounts of bridges. Those are needed by everybody, so nobody may lock them out: on this
  /// machine, and where a bridge has come from since the broker started, they are checked always. Elsewhere guesses are
  /// limited as others are, and neither kind counts for the other.
  account_logins(bool is_bridges, guess_limit limit, clock& time, log_sink& log)
      : is_bridges_(is_bridges), limit_(limit.max_failures, limit.window_ms), time_(time), log_(log) {}

  /// As `account_file::load`.
  [[nodiscard]] std::string load(std::string_view text) { return accounts_.load(text); }
  [[nodiscard]] bool contains(std::string_view name) const { return accounts_.contains(name); }
  /// `again`: the broker asks about a connection that is there, which no failure of others may end.
  [[nodiscard]] outcome check(std::string_view name, std::string_view password, std::string_view address, bool again);

 private:
  [[nodiscard]] bool is_checked_always(std::string_view address) const;
  void remember(std::string_view address);

  bool is_bridges_;
  account_file accounts_;
  auth::failure_limit limit_;
  std::deque<std::string> bridges_came_from_;  ///< the latest, each once
  clock& time_;
  log_sink& log_;
};

}  // namespace roombus::plugin
