#pragma once

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace roombus::plugin {

/// Which connections have to end when, since their login does. Never larger than there are connections.
class login_deadlines {
 public:
  using key = const void*;

  void add(key k, std::int64_t at_ms) { ends_.emplace(at_ms, k); }
  void remove(key k, std::int64_t at_ms) { ends_.erase({at_ms, k}); }
  /// Those whose time has come; they stay until they are removed.
  [[nodiscard]] std::vector<key> due(std::int64_t now_ms) const {
    std::vector<key> out;
    for (auto it = ends_.begin(); it != ends_.end() && it->first <= now_ms; ++it)
      out.push_back(it->second);
    return out;
  }

 private:
  std::set<std::pair<std::int64_t, key>> ends_;
};

}  // namespace roombus::plugin
