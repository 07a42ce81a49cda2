#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace roombus::auth {

/// Counts failures per address in windows of time. An IPv6 address counts as its /64, which one customer has whole.
/// Bounded: when the table is full the oldest window goes. Safe from any thread.
class failure_limit {
 public:
  failure_limit(std::size_t max_failures, std::int64_t window_ms, std::size_t max_addresses = 10'000)
      : max_failures_(max_failures), window_ms_(window_ms), max_addresses_(max_addresses) {}

  /// True when the address had its failures for this window. `now_ms` is of a clock that never steps back.
  [[nodiscard]] bool is_blocked(std::string_view address, std::int64_t now_ms) const;
  void add_failure(std::string_view address, std::int64_t now_ms);
  [[nodiscard]] std::size_t size() const;

 private:
  struct entry {
    std::size_t failures = 0;
    std::int64_t since_ms = 0;
  };

  const std::size_t max_failures_;
  const std::int64_t window_ms_;
  const std::size_t max_addresses_;
  mutable std::mutex lock_;
  std::map<std::string, entry> entries_;
};

}  // namespace roombus::auth
