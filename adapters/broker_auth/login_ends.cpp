#include "adapters/broker_auth/login_ends.hpp"

namespace roombus::broker_auth {

namespace {

// An ended login is remembered for as long as its connection may plausibly live on.
constexpr std::int64_t kept_ms = 86'400'000;

std::string key_of(std::string_view user, std::string_view client) {
  return std::string(user) + '/' + std::string(client);  // neither can hold a slash
}

void count_less(std::unordered_map<std::string, std::size_t>& of_user, const std::string& key) {
  const auto found = of_user.find(key.substr(0, key.find('/')));
  if (--found->second == 0) of_user.erase(found);
}

}  // namespace

bool login_ends::set(std::string_view user, std::string_view client, std::int64_t ends_at_ms, std::int64_t now_ms) {
  std::string key = key_of(user, client);
  if (const auto found = ends_.find(key); found != ends_.end()) {
    untold_.erase({found->second, key});
    found->second = ends_at_ms;
    untold_.emplace(ends_at_ms, std::move(key));
    return true;
  }
  const std::string name(user);
  const auto is_full = [this, &name] {
    const auto of_user = of_user_.find(name);
    return ends_.size() >= max_entries_ || (of_user != of_user_.end() && of_user->second >= max_of_user_);
  };
  if (is_full()) {
    forget_old(now_ms);
    if (is_full()) return false;
  }
  ++of_user_[name];
  untold_.emplace(ends_at_ms, key);
  ends_.emplace(std::move(key), ends_at_ms);
  return true;
}

void login_ends::clear(std::string_view user, std::string_view client) {
  const auto found = ends_.find(key_of(user, client));
  if (found == ends_.end()) return;
  untold_.erase({found->second, found->first});
  count_less(of_user_, found->first);
  ends_.erase(found);
}

void login_ends::forget_old(std::int64_t now_ms) {
  const std::int64_t before = now_ms - kept_ms;
  untold_.erase(untold_.begin(), untold_.lower_bound({before, std::string()}));
  std::erase_if(ends_, [this, before](const auto& entry) {
    if (entry.second >= before) return false;
    count_less(of_user_, entry.first);
    return true;
  });
}

std::optional<std::int64_t> login_ends::next_end() const {
  if (untold_.empty()) return std::nullopt;
  return untold_.begin()->first;
}

std::vector<login_ends::ended> login_ends::take_ended(std::int64_t now_ms) {
  std::vector<ended> out;
  while (!untold_.empty() && untold_.begin()->first <= now_ms) {
    const std::string& key = untold_.begin()->second;
    const std::size_t slash = key.find('/');
    out.push_back({key.substr(0, slash), key.substr(slash + 1)});
    untold_.erase(untold_.begin());
  }
  return out;
}

bool login_ends::has_ended(std::string_view user, std::string_view client, std::int64_t now_ms) const {
  const auto found = ends_.find(key_of(user, client));
  return found != ends_.end() && found->second <= now_ms;
}

}  // namespace roombus::broker_auth
