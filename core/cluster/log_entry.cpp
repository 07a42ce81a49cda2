#include "core/cluster/log_entry.hpp"

#include <utility>

namespace roombus {

namespace {

shared_event room_event(notification id, value_list args) {
  return std::make_shared<const event>(id, std::move(args));
}

std::vector<shared_event> events_of(const room_name& room_name_of, const room_entry& e) {
  const value room(room_name_of.str());
  std::vector<shared_event> out;
  switch (e.kind) {
    case room_entry_kind::message:
      out.push_back(room_event(notification::room_message, {room, e.message}));
      break;
    case room_entry_kind::joined:
      if (e.user_changed && e.switches.userlist_updates) {
        out.push_back(room_event(notification::room_user_joined, {room, value(e.user.str())}));
      }
      break;
    case room_entry_kind::left:
      if (e.user_changed && e.switches.userlist_updates) {
        out.push_back(room_event(notification::room_user_left, {room, value(e.user.str())}));
      }
      break;
    case room_entry_kind::list_edited:
      if (!e.names.empty() && e.switches.access_lists_updates) {
        value_list names;
        for (const user_name& name : e.names)
          names.emplace_back(name.str());
        const auto what = e.on ? notification::room_access_list_added : notification::room_access_list_removed;
        out.push_back(room_event(what, {room, value(e.list), value(std::move(names))}));
      }
      break;
    case room_entry_kind::mode_set:
      if (e.switches.access_lists_updates) {
        out.push_back(room_event(notification::room_mode_changed, {room, value(e.on)}));
      }
      break;
    case room_entry_kind::changed:
    case room_entry_kind::room_removed:
      break;
  }
  if (e.kind != room_entry_kind::room_removed && e.switches.userlist_updates) {
    for (const removed_member& member : e.removed)
      out.push_back(room_event(notification::room_user_left, {room, value(member.user.str())}));
  }
  return out;
}

// ---- the form on the bus

value_list texts(const std::vector<user_name>& names) {
  value_list out;
  for (const user_name& name : names)
    out.emplace_back(name.str());
  return out;
}

const std::string* text_at(const value_map& map, std::string_view key) {
  const value* v = map.find(key);
  return v == nullptr ? nullptr : v->if_text();
}

const value_list* list_at(const value_map& map, std::string_view key) {
  const value* v = map.find(key);
  return v == nullptr ? nullptr : v->if_list();
}

bool flag_at(const value_map& map, std::string_view key) {
  const value* v = map.find(key);
  return v != nullptr && v->if_bool() != nullptr && *v->if_bool();
}

std::optional<std::vector<removed_member>> removed_from(const value_list& list) {
  std::vector<removed_member> out;
  for (const value& item : list) {
    const value_list* fields = item.if_list();
    if (fields == nullptr || fields->empty()) return std::nullopt;
    removed_member member;
    for (std::size_t i = 0; i < fields->size(); ++i) {
      const std::string* text = (*fields)[i].if_text();
      if (text == nullptr) return std::nullopt;
      if (i == 0) {
        member.user = user_name(*text);
      } else {
        member.connections.emplace_back(*text);
      }
    }
    out.push_back(std::move(member));
  }
  return out;
}

}  // namespace

const std::vector<shared_event>& log_entry::events() const {
  if (!events_) events_.emplace(events_of(room_, entry_));
  return *events_;
}

value_map entry_to_map(const room_entry& e) {
  value_map out;
  out.append("s", value(e.sequence));
  out.append("e", value(e.epoch));
  out.append("o", value(e.origin));
  out.append("k", value(static_cast<std::uint64_t>(e.kind)));
  if (e.kind == room_entry_kind::message) out.append("m", e.message);
  if (!e.user.empty()) out.append("u", value(e.user.str()));
  if (!e.id.empty()) out.append("c", value(e.id.str()));
  if (e.user_changed) out.append("uc", value(true));
  if (!e.reads.empty()) out.append("r", value(e.reads));
  if (!e.attempt.empty()) out.append("a", value(e.attempt));
  if (!e.list.empty()) out.append("l", value(e.list));
  if (e.on) out.append("on", value(true));
  if (!e.names.empty()) out.append("n", value(texts(e.names)));
  if (!e.removed.empty()) {
    value_list removed;
    for (const removed_member& member : e.removed) {
      value_list fields{value(member.user.str())};
      for (const connection_id& id : member.connections)
        fields.emplace_back(id.str());
      removed.emplace_back(std::move(fields));
    }
    out.append("x", value(std::move(removed)));
  }
  if (e.switches.userlist_updates) out.append("uu", value(true));
  if (e.switches.access_lists_updates) out.append("au", value(true));
  return out;
}

std::optional<room_entry> entry_from(const value_map& map) {
  room_entry e;
  const value* sequence = map.find("s");
  const value* kind = map.find("k");
  const std::string* epoch = text_at(map, "e");
  const std::string* origin = text_at(map, "o");
  if (sequence == nullptr || kind == nullptr || epoch == nullptr || origin == nullptr) return std::nullopt;
  const std::optional<std::uint64_t> number = sequence->floor_to_uint();
  const std::optional<std::uint64_t> kind_number = kind->floor_to_uint();
  if (!number || *number == 0 || !kind_number) return std::nullopt;
  if (*kind_number > static_cast<std::uint64_t>(room_entry_kind::room_removed)) return std::nullopt;
  e.sequence = *number;
  e.kind = static_cast<room_entry_kind>(*kind_number);
  e.epoch = *epoch;
  e.origin = *origin;
  if (e.kind == room_entry_kind::message) {
    const value* message = map.find("m");
    if (message == nullptr || message->if_map() == nullptr) return std::nullopt;
    e.message = *message;
  }
  if (const std::string* user = text_at(map, "u")) e.user = user_name(*user);
  if (const std::string* id = text_at(map, "c")) e.id = connection_id(*id);
  if (const std::string* reads = text_at(map, "r")) e.reads = *reads;
  if (const std::string* attempt = text_at(map, "a")) e.attempt = *attempt;
  if (const std::string* list = text_at(map, "l")) e.list = *list;
  if (const value_list* names = list_at(map, "n")) {
    for (const value& name : *names) {
      if (name.if_text() == nullptr) return std::nullopt;
      e.names.emplace_back(*name.if_text());
    }
  }
  if (const value_list* removed = list_at(map, "x")) {
    auto members = removed_from(*removed);
    if (!members) return std::nullopt;
    e.removed = std::move(*members);
  }
  e.user_changed = flag_at(map, "uc");
  e.on = flag_at(map, "on");
  e.switches.userlist_updates = flag_at(map, "uu");
  e.switches.access_lists_updates = flag_at(map, "au");
  return e;
}

}  // namespace roombus
