#include "adapters/broker_auth/login_ends.hpp"

namespace roombus::broker_auth {

namespace {

// An ended login is remembered for as long as its connection may plausibly live on.
constexpr std::int64_t kept_ms = 86'400'000;

std::string key_of(std::string_view user, std::string_view client) {
  return std::string(user) + '/' + std::string(client);  // neither can hold a slash
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
  if (ends_.size() >= max_entries_) {
    untold_.erase(untold_.begin(), untold_.lower_bound({now_ms - kept_ms, std::string()}));
    std::erase_if(ends_, [now_ms](const auto& entry) { return entry.second < now_ms - kept_ms; });
    if (ends_.size() >= max_entries_) return false;
  }
  untold_.emplace(ends_at_ms, key);
  ends_.emplace(std::move(key), ends_at_ms);
  return true;
}

void login_ends::clear(std::string_view user, std::string_view client) {
  const auto found = ends_.find(key_of(user, client));
  if (found == ends_.end()) return;
  untold_.erase({found->second, found->first});
  ends_.erase(found);
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
