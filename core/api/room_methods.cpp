// Methods of the server API that are about rooms. They act as the service itself, without permissions.

#include <utility>

#include "core/service_impl.hpp"

namespace roombus {

namespace {

actor the_service() {
  return {user_name(), true};
}

bool read_names(const value& list, std::vector<user_name>& out) {
  if (list.is_null()) return true;
  const value_list* names = list.if_list();
  if (names == nullptr) return false;
  for (const value& name : *names) {
    if (name.if_text() == nullptr) return false;
    out.emplace_back(*name.if_text());
  }
  return true;
}

bool read_bool(const value& v, bool& out) {
  if (v.if_bool() != nullptr) out = *v.if_bool();
  return v.is_null() || v.if_bool() != nullptr;
}

bool read_field(const std::string& key, const value& v, room_settings& out) {
  if (key == "owner") {
    if (v.if_text() != nullptr) out.owner = user_name(*v.if_text());
    return v.is_null() || v.if_text() != nullptr;
  }
  if (key == "adminlist") return read_names(v, out.adminlist);
  if (key == "whitelist") return read_names(v, out.whitelist);
  if (key == "blacklist") return read_names(v, out.blacklist);
  if (key == "whitelistOnly") return read_bool(v, out.whitelist_only);
  if (key == "enableAccessListsUpdates") return read_bool(v, out.enable_access_lists_updates);
  if (key == "enableUserlistUpdates") return read_bool(v, out.enable_userlist_updates);
  if (key == "historyMaxSize") {
    if (v.is_number() && v.as_double() >= 0) out.history_max_size = *v.floor_to_uint();
    return v.is_null() || (v.is_number() && v.as_double() >= 0);
  }
  return false;
}

}  // namespace

task<reply> service::impl::api_add_room(value_list args) {
  room_settings settings = default_room_settings();
  if (const value_map* given = args[1].if_map()) {
    for (const auto& [key, v] : *given) {
      if (!read_field(key, v, settings)) co_return chat_error(errc::bad_argument, {value(1), args[1]});
    }
  }
  auto added = co_await add_room(room_name(*args[0].if_text()), std::move(settings));
  if (!added) co_return added.error();
  co_return nothing();
}

task<reply> service::impl::api_delete_room(value_list args) {
  room_name room(*args[0].if_text());
  auto removed = co_await env.data.remove_room(room, the_service());
  if (!removed) {
    if (removed.error().code() == errc::timeout) {
      report_failure("storeConsistencyFailure", user_name(), room, connection_id(), "roomUserlist", removed.error());
    }
    co_return removed.error();
  }
  const result<void> told = co_await tell_removed(std::move(room), std::move(*removed));
  if (!told) co_return told.error();
  co_return nothing();
}

task<reply> service::impl::api_has_room(value_list args) {
  auto found = co_await env.data.find_room(room_name(*args[0].if_text()));
  if (!found && found.error().code() != errc::no_room) co_return found.error();
  co_return one(value(found.has_value()));
}

task<reply> service::impl::api_room_has_in_list(value_list args) {
  room_query query(room_field::in_list);
  query.argument = *args[1].if_text();
  query.item = *args[2].if_text();
  auto has = co_await env.data.read_room(room_name(*args[0].if_text()), the_service(), std::move(query));
  if (!has) co_return has.error();
  co_return one(std::move(*has));
}

task<reply> service::impl::api_has_room_access(value_list args) {
  room_query query(room_field::access);
  query.argument = *args[1].if_text();
  auto has = co_await env.data.read_room(room_name(*args[0].if_text()), the_service(), std::move(query));
  if (!has) co_return has.error();
  co_return one(std::move(*has));
}

task<reply> service::impl::change_room(room_name room, room_change change) {
  auto changed = co_await env.data.change_room(room, std::move(change));
  if (!changed) {
    if (changed.error().code() == errc::timeout) {
      report_failure("storeConsistencyFailure", user_name(), room, connection_id(), "roomUserlist", changed.error());
    }
    co_return changed.error();
  }
  const result<void> told = co_await tell_removed(std::move(room), std::move(*changed));
  if (!told) co_return told.error();
  co_return nothing();
}

task<reply> service::impl::api_change_room_owner(value_list args) {
  room_change change;
  change.owner.emplace();
  if (const std::string* owner = args[1].if_text()) {
    if (!is_valid_name(*owner, limits.name_bytes)) co_return chat_error(errc::invalid_name, {args[1]});
    change.owner = user_name(*owner);
  }
  reply answer = co_await change_room(room_name(*args[0].if_text()), std::move(change));
  co_return answer;
}

task<reply> service::impl::api_change_room_history_max_size(value_list args) {
  room_change change;
  change.history_max_size = *args[1].floor_to_uint();
  return change_room(room_name(*args[0].if_text()), std::move(change));
}

task<reply> service::impl::api_change_access_lists_updates(value_list args) {
  room_change change;
  change.access_lists_updates = *args[1].if_bool();
  return change_room(room_name(*args[0].if_text()), std::move(change));
}

task<reply> service::impl::api_change_userlist_updates(value_list args) {
  room_change change;
  change.userlist_updates = *args[1].if_bool();
  return change_room(room_name(*args[0].if_text()), std::move(change));
}

task<reply> service::impl::api_list_rooms(value_list args) {
  std::string after;
  if (const std::string* given = args[0].if_text()) after = *given;
  auto names = co_await env.data.list_rooms(std::move(after), page_limit(args[1]));
  if (!names) co_return names.error();
  co_return one(std::move(*names));
}

}  // namespace roombus
