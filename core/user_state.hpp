#pragma once

// One user: the connections with the rooms each has joined, and the rules for direct messages (contract §4).
// Pure state, used by the stores that keep users in the process.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/ports/store.hpp"

namespace roombus {

class user_state {
 public:
  user_state(user_name name, direct_settings settings);

  struct connection {
    std::string instance;       ///< that serves it
    std::set<room_name> rooms;  ///< that it has joined
  };
  std::map<connection_id, connection> connections;

  /// {connection id: [room]}
  [[nodiscard]] value connections_value() const;
  /// Whether `sender` may write to this user.
  [[nodiscard]] bool allows(const user_name& sender) const;
  [[nodiscard]] bool whitelist_only() const { return whitelist_only_; }
  void set_whitelist_only(bool on) { whitelist_only_ = on; }
  /// Errors: no_list, not_allowed (own name), list_limit_exceeded.
  result<void> edit_list(const std::string& list, bool add, const std::vector<user_name>& names, std::size_t limit);
  /// Errors: no_list.
  [[nodiscard]] result<value> list(const std::string& list) const;
  /// Errors: no_list.
  [[nodiscard]] result<bool> has_in_list(const std::string& list, const user_name& item) const;

 private:
  std::set<user_name>* find_list(const std::string& list);

  user_name name_;
  std::set<user_name> whitelist_;
  std::set<user_name> blacklist_;
  bool whitelist_only_;
};

}  // namespace roombus
