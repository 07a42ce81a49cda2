#include "core/user_state.hpp"

#include <algorithm>
#include <utility>

#include "core/room_state.hpp"

namespace roombus {

user_state::user_state(user_name name, direct_settings settings)
    : name_(std::move(name)),
      whitelist_(settings.whitelist.begin(), settings.whitelist.end()),
      blacklist_(settings.blacklist.begin(), settings.blacklist.end()),
      whitelist_only_(settings.whitelist_only) {}

value user_state::connections_value() const {
  value_map out;
  for (const auto& [id, joined] : connections)
    out.append(id.str(), names_to_values(joined.rooms));
  return out;
}

bool user_state::allows(const user_name& sender) const {
  if (sender == name_ || blacklist_.contains(sender)) return false;
  return !whitelist_only_ || whitelist_.contains(sender);
}

std::set<user_name>* user_state::find_list(const std::string& list) {
  if (list == "whitelist") return &whitelist_;
  if (list == "blacklist") return &blacklist_;
  return nullptr;
}

result<void> user_state::edit_list(const std::string& list, bool add, const std::vector<user_name>& names,
                                   std::size_t limit) {
  std::set<user_name>* edited = find_list(list);
  if (edited == nullptr) return chat_error(errc::no_list, {value(list)});
  if (std::find(names.begin(), names.end(), name_) != names.end()) return chat_error(errc::not_allowed);
  if (!add) {
    for (const user_name& name : names)
      edited->erase(name);
    return {};
  }
  std::set<user_name> longer = *edited;
  longer.insert(names.begin(), names.end());
  if (longer.size() > limit) return chat_error(errc::list_limit_exceeded, {value(list)});
  *edited = std::move(longer);
  return {};
}

result<value> user_state::list(const std::string& list) const {
  const std::set<user_name>* names = const_cast<user_state*>(this)->find_list(list);
  if (names == nullptr) return chat_error(errc::no_list, {value(list)});
  return value(names_to_values(*names));
}

result<bool> user_state::has_in_list(const std::string& list, const user_name& item) const {
  const std::set<user_name>* names = const_cast<user_state*>(this)->find_list(list);
  if (names == nullptr) return chat_error(errc::no_list, {value(list)});
  return names->contains(item);
}

}  // namespace roombus
