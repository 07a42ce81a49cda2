#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api_table.hpp"
#include "core/value.hpp"

namespace roombus {

/// The keys that open the server API, each up to an access level; shared by HTTP and MQTT.
class api_keys {
 public:
  /// Longest key, bytes.
  static constexpr std::size_t max_bytes = 256;

  /// True for 1 to `max_bytes` printable ASCII characters without blanks: what a header can carry.
  [[nodiscard]] static bool is_key(std::string_view text);

  /// Of a key that is added twice the higher level counts.
  void add(std::string key, api_access level);
  [[nodiscard]] bool empty() const { return keys_.empty(); }
  [[nodiscard]] std::size_t size() const { return keys_.size(); }
  /// The level of `key`, or nothing for an unknown one. How long it takes tells nothing about the keys but their
  /// number.
  [[nodiscard]] std::optional<api_access> level_of(std::string_view key) const;

 private:
  struct entry {
    std::string key;
    api_access level;
  };
  std::vector<entry> keys_;
};

/// "read", "rooms" or "all".
[[nodiscard]] std::string_view to_text(api_access level);

/// The level that a call needs: the method's, and for `batch` the highest of what is in it. What is no method or no
/// call needs `read`: it does nothing but fail.
[[nodiscard]] api_access needed_access(std::string_view method, const value& args);

}  // namespace roombus
