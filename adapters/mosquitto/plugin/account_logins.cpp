#include "adapters/mosquitto/plugin/account_logins.hpp"

#include <algorithm>

#include "adapters/auth/network_list.hpp"

namespace roombus::plugin {

namespace {

constexpr std::size_t max_remembered = 64;

}  // namespace

account_logins::outcome account_logins::check(std::string_view name, std::string_view password,
                                              std::string_view address, bool again) {
  const std::int64_t now = time_.steady_ms();
  const bool blocked = limit_.is_blocked(address, now);
  // also for right ones: what is answered at once could be guessed at once
  if (blocked && !again && !is_checked_always(address)) return outcome::not_checked;
  if (accounts_.verify(name, password)) {
    if (is_bridges_) remember(address);
    return outcome::right;
  }
  if (!blocked) {
    limit_.add_failure(address, now);
    log_.write(is_bridges_ ? log_level::warning : log_level::info,
               is_bridges_ ? "wrong_bridge_password" : "wrong_password", "from " + std::string(address));
  }
  return outcome::wrong;
}

bool account_logins::is_checked_always(std::string_view address) const {
  static const network_list here = network_list::loopback();
  return is_bridges_ && (here.contains(address) || std::find(bridges_came_from_.begin(), bridges_came_from_.end(),
                                                             address) != bridges_came_from_.end());
}

void account_logins::remember(std::string_view address) {
  std::erase(bridges_came_from_, address);
  bridges_came_from_.emplace_back(address);
  if (bridges_came_from_.size() > max_remembered) bridges_came_from_.pop_front();
}

}  // namespace roombus::plugin
