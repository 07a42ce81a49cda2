#include "adapters/auth/failure_limit.hpp"

#include <algorithm>

#include "adapters/auth/network_list.hpp"

namespace roombus::auth {

namespace {

/// The bytes that count; texts that are no address share one entry.
std::string key_of(std::string_view address) {
  const auto parsed = ip_address::parse(address);
  if (!parsed) return "";
  const auto& b = parsed->bytes;
  const bool v4 = std::all_of(b.begin(), b.begin() + 10, [](auto byte) { return byte == 0; }) && b[10] == 0xff;
  return std::string(b.begin(), v4 ? b.end() : b.begin() + 8);
}

}  // namespace

bool failure_limit::is_blocked(std::string_view address, std::int64_t now_ms) const {
  const std::lock_guard guard(lock_);
  const auto found = entries_.find(key_of(address));
  return found != entries_.end() && now_ms - found->second.since_ms < window_ms_ &&
         found->second.failures >= max_failures_;
}

void failure_limit::add_failure(std::string_view address, std::int64_t now_ms) {
  const std::lock_guard guard(lock_);
  const std::string key = key_of(address);
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    if (entries_.size() >= max_addresses_) {
      std::erase_if(entries_, [&](const auto& e) { return now_ms - e.second.since_ms >= window_ms_; });
    }
    if (entries_.size() >= max_addresses_) {
      entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
        return a.second.since_ms < b.second.since_ms;
      }));
    }
    found = entries_.emplace(key, entry{}).first;
    found->second.since_ms = now_ms;
  }
  entry& e = found->second;
  if (now_ms - e.since_ms >= window_ms_) {
    e.since_ms = now_ms;
    e.failures = 0;
  }
  ++e.failures;
}

std::size_t failure_limit::size() const {
  const std::lock_guard guard(lock_);
  return entries_.size();
}

}  // namespace roombus::auth
