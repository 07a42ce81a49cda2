#include "core/room_state.hpp"

#include <algorithm>
#include <utility>

namespace roombus {

room_state::room_state(room_name name, room_settings settings)
    : name_(std::move(name)),
      epoch_(std::move(settings.epoch)),
      owner_(std::move(settings.owner)),
      adminlist_(settings.adminlist.begin(), settings.adminlist.end()),
      whitelist_(settings.whitelist.begin(), settings.whitelist.end()),
      blacklist_(settings.blacklist.begin(), settings.blacklist.end()),
      whitelist_only_(settings.whitelist_only),
      switches_{settings.enable_userlist_updates, settings.enable_access_lists_updates},
      history_max_size_(settings.history_max_size) {}

bool room_state::is_admin(const user_name& user) const {
  return owner_ == user || adminlist_.contains(user);
}

bool room_state::has_access(const user_name& user) const {
  if (is_admin(user)) return true;
  return !blacklist_.contains(user) && (!whitelist_only_ || whitelist_.contains(user));
}

bool room_state::is_joined(const user_name& user, const connection_id& id) const {
  auto it = members_.find(user);
  return it != members_.end() && std::find(it->second.begin(), it->second.end(), id) != it->second.end();
}

result<void> room_state::check_read(const actor& by) const {
  if (by.bypass || is_joined(by.user) || is_admin(by.user)) return {};
  return chat_error(errc::not_joined, {value(name_.str())});
}

result<void> room_state::check_send(const actor& by) const {
  if (by.bypass || is_joined(by.user)) return {};
  return chat_error(errc::not_joined, {value(name_.str())});
}

result<void> room_state::check_join(const user_name& user) const {
  if (has_access(user)) return {};
  return chat_error(errc::not_allowed);
}

result<void> room_state::check_delete(const actor& by) const {
  if (by.bypass || owner_ == by.user) return {};
  return chat_error(errc::not_allowed);
}

result<joined> room_state::join(const user_name& user, const connection_id& id, std::int64_t now_ms) {
  if (!has_access(user)) return chat_error(errc::not_allowed);
  joined out;
  std::vector<connection_id>& connections = members_[user];
  out.user_newly = connections.empty();
  out.newly = std::find(connections.begin(), connections.end(), id) == connections.end();
  if (out.newly) connections.push_back(id);
  if (out.user_newly) last_change_ms_[user] = now_ms;
  out.njoined = connections.size();
  out.switches = switches_;
  return out;
}

left_room room_state::leave(const user_name& user, const connection_id& id, std::int64_t now_ms) {
  left_room out;
  out.room = name_;
  out.switches = switches_;
  auto it = members_.find(user);
  if (it == members_.end()) return out;
  out.changed = std::erase(it->second, id) > 0;
  out.njoined = it->second.size();
  if (it->second.empty()) {
    out.user_left = true;
    members_.erase(it);
    last_change_ms_[user] = now_ms;
  }
  return out;
}

std::optional<removed_member> room_state::remove_if_shut_out(const user_name& user, std::int64_t now_ms) {
  auto it = members_.find(user);
  if (it == members_.end() || has_access(user)) return std::nullopt;
  removed_member removed{user, std::move(it->second)};
  members_.erase(it);
  last_change_ms_[user] = now_ms;
  return removed;
}

result<access_change> room_state::edit_list(const actor& by, const std::string& list, bool add,
                                            const std::vector<user_name>& names, std::size_t limit,
                                            std::int64_t now_ms) {
  if (list == "userlist") return chat_error(errc::not_allowed);
  if (!by.bypass && owner_ != by.user) {
    const bool names_owner = owner_ && std::find(names.begin(), names.end(), *owner_) != names.end();
    if (list == "adminlist" || !is_admin(by.user) || names_owner) return chat_error(errc::not_allowed);
  }
  name_set* edited = find_list(list);
  if (edited == nullptr) return chat_error(errc::no_list, {value(list)});

  access_change change;
  change.switches = switches_;
  const name_set distinct(names.begin(), names.end());
  for (const user_name& name : distinct) {
    if (edited->contains(name) != add) change.names.push_back(name);
  }
  if (add && edited->size() + change.names.size() > limit) {
    return chat_error(errc::list_limit_exceeded, {value(list)});
  }
  for (const user_name& name : change.names) {
    if (add) {
      edited->insert(name);
    } else {
      edited->erase(name);
    }
  }
  for (const user_name& name : change.names) {
    if (auto removed = remove_if_shut_out(name, now_ms)) change.removed.push_back(std::move(*removed));
  }
  return change;
}

result<access_change> room_state::set_whitelist_mode(const actor& by, bool whitelist_only, std::int64_t now_ms) {
  if (!by.bypass && !is_admin(by.user)) return chat_error(errc::not_allowed);
  access_change change;
  change.switches = switches_;
  whitelist_only_ = whitelist_only;
  std::vector<user_name> present;
  for (const auto& [user, connections] : members_)
    present.push_back(user);
  for (const user_name& user : present) {
    if (auto removed = remove_if_shut_out(user, now_ms)) change.removed.push_back(std::move(*removed));
  }
  return change;
}

access_change room_state::change(const room_change& to, std::int64_t now_ms) {
  access_change change;
  if (to.history_max_size) history_max_size_ = *to.history_max_size;
  if (to.access_lists_updates) switches_.access_lists_updates = *to.access_lists_updates;
  if (to.userlist_updates) switches_.userlist_updates = *to.userlist_updates;
  change.switches = switches_;
  if (!to.owner) return change;
  const std::optional<user_name> former = std::exchange(owner_, *to.owner);
  if (!former) return change;
  if (auto removed = remove_if_shut_out(*former, now_ms)) change.removed.push_back(std::move(*removed));
  return change;
}

std::vector<removed_member> room_state::remove_all() {
  std::vector<removed_member> out;
  for (auto& [user, connections] : members_)
    out.push_back({user, std::move(connections)});
  members_.clear();
  return out;
}

const room_state::name_set* room_state::find_list(std::string_view list) const {
  if (list == "adminlist") return &adminlist_;
  if (list == "whitelist") return &whitelist_;
  if (list == "blacklist") return &blacklist_;
  return nullptr;
}

room_state::name_set* room_state::find_list(std::string_view list) {
  return const_cast<name_set*>(std::as_const(*this).find_list(list));
}

result<value> room_state::list(const std::string& list) const {
  if (list == "userlist") {
    value_list out;
    for (const auto& [user, connections] : members_)
      out.emplace_back(user.str());
    return value(std::move(out));
  }
  const name_set* names = find_list(list);
  if (names == nullptr) return chat_error(errc::no_list, {value(list)});
  return value(names_to_values(*names));
}

result<bool> room_state::has_in_list(const std::string& list, const user_name& item) const {
  if (list == "userlist") return is_joined(item);
  const name_set* names = find_list(list);
  if (names == nullptr) return chat_error(errc::no_list, {value(list)});
  return names->contains(item);
}

std::vector<std::pair<user_name, connection_id>> room_state::joined_connections() const {
  std::vector<std::pair<user_name, connection_id>> out;
  for (const auto& [user, connections] : members_) {
    for (const connection_id& id : connections)
      out.emplace_back(user, id);
  }
  return out;
}

std::size_t room_state::joined_count(const user_name& user) const {
  auto it = members_.find(user);
  return it == members_.end() ? 0 : it->second.size();
}

value room_state::user_seen(const user_name& user) const {
  auto it = last_change_ms_.find(user);
  value timestamp;
  if (it != last_change_ms_.end()) timestamp = value(it->second);
  return value_map{{"joined", value(is_joined(user))}, {"timestamp", std::move(timestamp)}};
}

}  // namespace roombus
