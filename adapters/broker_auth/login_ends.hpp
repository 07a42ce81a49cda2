#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace roombus::broker_auth {

/// When logins by token end, by user and client id, so that topics are refused afterwards: most brokers do not end the
/// connection. Bounded; kept in memory only, so it forgets with a restart.
class login_ends {
 public:
  /// No user has more than `max_of_user` of the `max_entries`, so that nobody takes the room of the others.
  login_ends(std::size_t max_entries, std::size_t max_of_user) : max_entries_(max_entries), max_of_user_(max_of_user) {}

  /// Remembers the end of a login, wall clock ms. False when there is no room: the login must be refused.
  [[nodiscard]] bool set(std::string_view user, std::string_view client, std::int64_t ends_at_ms, std::int64_t now_ms);
  /// The login has no end.
  void clear(std::string_view user, std::string_view client);
  /// When the next login ends that `take_ended` has not told yet; nothing for none.
  [[nodiscard]] std::optional<std::int64_t> next_end() const;
  /// Logins that have ended since the last call; they are still remembered.
  struct ended {
    std::string user;
    std::string client;
  };
  [[nodiscard]] std::vector<ended> take_ended(std::int64_t now_ms);
  [[nodiscard]] bool has_ended(std::string_view user, std::string_view client, std::int64_t now_ms) const;
  [[nodiscard]] std::size_t size() const { return ends_.size(); }

 private:
  void forget_old(std::int64_t now_ms);

  std::size_t max_entries_;
  std::size_t max_of_user_;
  std::unordered_map<std::string, std::int64_t> ends_;  // by "user/client"
  std::unordered_map<std::string, std::size_t> of_user_;
  std::set<std::pair<std::int64_t, std::string>> untold_;
};

}  // namespace roombus::broker_auth
