#pragma once

// One room as the rules of contract §3 see it: who may do what, who is in it, who loses access by an edit.
// Pure state, used by the stores that keep rooms in the process; it knows neither history nor time nor I/O.
// Invariant: every member has access. Each operation that takes access away removes the members concerned.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ports/store.hpp"

namespace roombus {

class room_state {
 public:
  room_state(room_name name, room_settings settings);

  [[nodiscard]] const room_name& name() const { return name_; }
  [[nodiscard]] const std::string& epoch() const { return epoch_; }
  [[nodiscard]] const std::optional<user_name>& owner() const { return owner_; }
  [[nodiscard]] bool whitelist_only() const { return whitelist_only_; }
  [[nodiscard]] const notification_switches& switches() const { return switches_; }
  [[nodiscard]] std::uint64_t history_max_size() const { return history_max_size_; }

  /// Owner, or in the adminlist.
  [[nodiscard]] bool is_admin(const user_name& user) const;
  /// Admin, or not blacklisted and (whitelist mode off or whitelisted).
  [[nodiscard]] bool has_access(const user_name& user) const;
  [[nodiscard]] bool is_joined(const user_name& user) const { return members_.contains(user); }
  [[nodiscard]] bool is_joined(const user_name& user, const connection_id& id) const;

  /// Errors: not_joined.
  [[nodiscard]] result<void> check_read(const actor& by) const;
  /// Errors: not_joined.
  [[nodiscard]] result<void> check_send(const actor& by) const;
  /// Errors: not_allowed.
  [[nodiscard]] result<void> check_join(const user_name& user) const;
  /// Errors: not_allowed.
  [[nodiscard]] result<void> check_delete(const actor& by) const;

  /// See `membership_store`; the history is filled in by the store. Errors: not_allowed.
  result<joined> join(const user_name& user, const connection_id& id, std::int64_t now_ms);
  left_room leave(const user_name& user, const connection_id& id, std::int64_t now_ms);
  /// See `room_store::edit_list`. Errors: not_allowed, no_list, list_limit_exceeded.
  result<access_change> edit_list(const actor& by, const std::string& list, bool add,
                                  const std::vector<user_name>& names, std::size_t limit, std::int64_t now_ms);
  /// Errors: not_allowed.
  result<access_change> set_whitelist_mode(const actor& by, bool whitelist_only, std::int64_t now_ms);
  /// Who was let in only as the owner is removed.
  access_change change(const room_change& to, std::int64_t now_ms);
  /// Everybody leaves.
  std::vector<removed_member> remove_all();

  /// Sorted by name; `userlist` too. Errors: no_list.
  [[nodiscard]] result<value> list(const std::string& list) const;
  /// Errors: no_list.
  [[nodiscard]] result<bool> has_in_list(const std::string& list, const user_name& item) const;
  /// Every joined connection with its user.
  [[nodiscard]] std::vector<std::pair<user_name, connection_id>> joined_connections() const;
  /// How many connections of the user are joined.
  [[nodiscard]] std::size_t joined_count(const user_name& user) const;
  [[nodiscard]] bool has_members() const { return !members_.empty(); }
  /// {joined, timestamp of the last change, or null}
  [[nodiscard]] value user_seen(const user_name& user) const;
  /// For stores that keep the times of changes elsewhere: `user_seen` knows none of before any more.
  void forget_change_times() { last_change_ms_.clear(); }

 private:
  using name_set = std::set<user_name>;

  name_set* find_list(std::string_view list);
  [[nodiscard]] const name_set* find_list(std::string_view list) const;
  std::optional<removed_member> remove_if_shut_out(const user_name& user, std::int64_t now_ms);

  room_name name_;
  std::string epoch_;
  std::optional<user_name> owner_;
  name_set adminlist_;
  name_set whitelist_;
  name_set blacklist_;
  bool whitelist_only_;
  notification_switches switches_;
  std::uint64_t history_max_size_;
  std::map<user_name, std::vector<connection_id>> members_;
  std::map<user_name, std::int64_t> last_change_ms_;
};

/// Names of a list as a value, in its order.
template <class Names>
[[nodiscard]] value_list names_to_values(const Names& names) {
  value_list out;
  out.reserve(names.size());
  for (const auto& name : names)
    out.emplace_back(name.str());
  return out;
}

}  // namespace roombus
