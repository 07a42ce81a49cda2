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
    found->second = ends_at_ms;
    return true;
  }
  if (ends_.size() >= max_entries_) {
    std::erase_if(ends_, [now_ms](const auto& entry) { return entry.second < now_ms - kept_ms; });
    if (ends_.size() >= max_entries_) return false;
  }
  ends_.emplace(std::move(key), ends_at_ms);
  return true;
}

void login_ends::clear(std::string_view user, std::string_view client) {
  ends_.erase(key_of(user, client));
}

bool login_ends::has_ended(std::string_view user, std::string_view client, std::int64_t now_ms) const {
  const auto found = ends_.find(key_of(user, client));
  return found != ends_.end() && found->second <= now_ms;
}

}  // namespace roombus::broker_auth
