// Rooms: created, changed, read, deleted.

#include <algorithm>

#include "adapters/sqlite/store_impl.hpp"

namespace roombus::sqlite {

namespace {

std::size_t names_in(const room_settings& s) {
  return s.adminlist.size() + s.whitelist.size() + s.blacklist.size();
}

value switches_value(const notification_switches& s) {
  return value_map{{"enableUserlistUpdates", value(s.userlist_updates)},
                   {"enableAccessListsUpdates", value(s.access_lists_updates)}};
}

value history_info(const room_entry& entry) {
  const history_position position = entry.log.position();
  return value_map{{"historyMaxSize", value(entry.state->history_max_size())},
                   {"historySize", value(entry.log.size())},
                   {"lastMessageId", value(position.last_message_id)},
                   {"epoch", value(position.epoch)},
                   {"firstMessageId", value(position.first_message_id)}};
}

}  // namespace

task<bool> sqlite_store::load_room(room_pointer entry) {
  auto row = std::make_shared<std::optional<room_row>>();
  const std::int64_t now = time_.now_ms();
  const std::string name = entry->name.str();
  auto read = queue_.read([row, now, name](tables& rows) { *row = rows.load_room(name, now); });
  const bool good = co_await read;
  if (good && *row) set_room(*entry, std::move(**row));
  co_return good;
}

void sqlite_store::set_room(room_entry& entry, room_row row) {
  entry.row = row.id;
  entry.names = names_in(row.settings);
  entry.log = room_log(row);
  entry.state.emplace(entry.name, std::move(row.settings));
}

task<sqlite_store::room_pointer> sqlite_store::enter_room(room_name room, user_name user) {
  for (;;) {
    room_pointer entry = rooms_.ready(room.str());
    if (!entry) {
      entry = co_await rooms_.enter(room.str());
      if (!entry) co_return nullptr;
    }
    if (!entry->changing.contains(user)) co_return entry;
    auto settled = queue_.barrier();
    const bool good = co_await settled;
    if (!good) co_return nullptr;
  }
}

task<result<void>> sqlite_store::add_room(room_name room, room_settings settings) {
  room_pointer entry = co_await rooms_.enter(room.str());
  if (!entry) co_return unavailable();
  if (entry->state) co_return chat_error(errc::room_exists, {value(room.str())});
  room_row row;
  row.id = ++last_room_row_;
  row.settings = std::move(settings);
  const std::size_t bytes = job_bytes + bytes_of(row.settings.adminlist) + bytes_of(row.settings.whitelist) +
                            bytes_of(row.settings.blacklist);
  rooms_.lock(entry);
  auto write = queue_.write([name = room.str(), row](tables& rows) { rows.insert_room(name, row); }, bytes);
  const bool good = co_await write;
  rooms_.unlock(entry);
  if (!good) co_return unavailable();
  set_room(*entry, std::move(row));
  co_return result<void>{};
}

task<result<access_change>> sqlite_store::remove_room(room_name room, actor by) {
  room_pointer entry = co_await enter_room(room, by.user);
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_room(room.str());
  auto allowed = entry->state->check_delete(by);
  if (!allowed) co_return allowed.error();
  rooms_.lock(entry);
  auto write = queue_.write([row = entry->row](tables& rows) { rows.delete_room(row); }, job_bytes);
  const bool good = co_await write;
  rooms_.unlock(entry);
  if (!good) co_return unavailable();
  access_change change;
  change.removed = entry->state->remove_all();
  const seen_rows written;
  finish_removal(*entry, change.removed, written, 0);
  entry->state.reset();
  entry->log = room_log();
  entry->names = 0;
  co_return change;
}

task<result<void>> sqlite_store::find_room(room_name room) {
  room_pointer entry = co_await rooms_.enter(room.str());
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_room(room.str());
  co_return result<void>{};
}

task<result<value>> sqlite_store::read_room(room_name room, actor by, room_query query) {
  room_pointer entry = co_await enter_room(room, by.user);
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_room(room.str());
  if (entry->log.has_pending() && query.field == room_field::history_info) {
    auto settled = queue_.barrier();
    const bool good = co_await settled;
    if (!good) co_return unavailable();
    if (!entry->state) co_return no_room(room.str());
  }
  const room_state& state = *entry->state;
  auto allowed = state.check_read(by);
  if (!allowed) co_return allowed.error();
  switch (query.field) {
    case room_field::owner:
      co_return state.owner() ? value(state.owner()->str()) : value();
    case room_field::whitelist_mode:
      co_return value(state.whitelist_only());
    case room_field::notifications:
      co_return switches_value(state.switches());
    case room_field::history_info:
      co_return history_info(*entry);
    case room_field::user_seen: {
      user_name user(query.argument);
      auto seen = co_await read_seen(std::move(entry), std::move(user));
      co_return seen;
    }
    case room_field::list:
      co_return state.list(query.argument);
    case room_field::access:
      co_return value(state.has_access(user_name(query.argument)));
    case room_field::in_list: {
      auto has = state.has_in_list(query.argument, user_name(query.item));
      if (!has) co_return has.error();
      co_return value(*has);
    }
  }
  co_return value();
}

task<result<value>> sqlite_store::read_seen(room_pointer entry, user_name user) {
  auto at = std::make_shared<std::optional<std::int64_t>>();
  const std::int64_t row = entry->row;
  auto read = queue_.read([at, row, user](tables& rows) { *at = rows.seen_at(row, user.str()); });
  const bool good = co_await read;
  if (!good) co_return unavailable();
  if (!entry->state || entry->row != row) co_return no_room(entry->name.str());
  if (auto late = late_seen_.find({row, user.str()}); late != late_seen_.end()) *at = late->second.at_ms;
  value timestamp;
  if (*at) timestamp = value(**at);
  co_return value(value_map{{"joined", value(entry->state->is_joined(user))}, {"timestamp", std::move(timestamp)}});
}

sqlite_store::seen_rows sqlite_store::seen_of(const room_entry& entry, const std::vector<removed_member>& removed,
                                              std::int64_t now_ms) {
  seen_rows out;
  for (const removed_member& member : removed)
    out.push_back({entry.row, member.user.str(), now_ms, false});
  return out;
}

completion<bool> sqlite_store::write_edit(commit_queue::job_function change, seen_rows removed, std::size_t bytes) {
  for (const seen_row& row : removed)
    supersede_late(row);
  bytes += job_bytes + removed.size() * job_bytes;
  return queue_.write(
      [change = std::move(change), removed = std::move(removed)](tables& rows) {
        change(rows);
        for (const seen_row& row : removed)
          rows.set_seen(row);
      },
      bytes);
}

void sqlite_store::finish_removal(const room_entry& entry, const std::vector<removed_member>& removed,
                                  const seen_rows& written, std::int64_t now_ms) {
  for (const removed_member& member : removed) {
    for (const connection_id& id : member.connections) {
      if (auto* connection = find_connection(member.user, id)) connection->rooms.erase(entry.name);
    }
    if (now_ms == 0) continue;  // the room goes, and its rows with it
    const bool told =
        std::any_of(written.begin(), written.end(), [&](const seen_row& row) { return row.user == member.user.str(); });
    if (!told) write_late({entry.row, member.user.str(), now_ms, false});
  }
}

task<result<access_change>> sqlite_store::edit_list(room_name room, actor by, std::string list, bool add,
                                                    std::vector<user_name> names, std::size_t limit) {
  const std::int64_t now = time_.now_ms();
  room_pointer entry = co_await enter_room(room, by.user);
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_room(room.str());
  room_state tried = *entry->state;
  auto expected = tried.edit_list(by, list, add, names, limit, now);
  if (!expected || expected->names.empty()) co_return expected;

  const list_kind kind = *list_kind_of(list);
  const seen_rows removed = seen_of(*entry, expected->removed, now);
  rooms_.lock(entry);
  auto write = write_edit([row = entry->row, kind, add,
                           changed = expected->names](tables& rows) { rows.edit_room_list(row, kind, add, changed); },
                          removed, bytes_of(expected->names));
  const bool good = co_await write;
  rooms_.unlock(entry);
  if (!good) co_return unavailable();
  auto change = entry->state->edit_list(by, list, add, names, limit, now);
  entry->state->forget_change_times();
  if (!change) co_return change.error();
  entry->names += add ? change->names.size() : 0;
  finish_removal(*entry, change->removed, removed, now);
  co_return change;
}

task<result<access_change>> sqlite_store::set_whitelist_mode(room_name room, actor by, bool whitelist_only) {
  const std::int64_t now = time_.now_ms();
  room_pointer entry = co_await enter_room(room, by.user);
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_room(room.str());
  const bool same = entry->state->whitelist_only() == whitelist_only;
  room_state tried = *entry->state;
  auto expected = tried.set_whitelist_mode(by, whitelist_only, now);
  if (!expected || (same && expected->removed.empty())) co_return expected;

  const seen_rows removed = seen_of(*entry, expected->removed, now);
  rooms_.lock(entry);
  auto write = write_edit(
      [row = entry->row, whitelist_only](tables& rows) { rows.set_whitelist_only(row, whitelist_only); }, removed, 0);
  const bool good = co_await write;
  rooms_.unlock(entry);
  if (!good) co_return unavailable();
  auto change = entry->state->set_whitelist_mode(by, whitelist_only, now);
  entry->state->forget_change_times();
  if (!change) co_return change.error();
  finish_removal(*entry, change->removed, removed, now);
  co_return change;
}

task<result<access_change>> sqlite_store::change_room(room_name room, room_change change) {
  const std::int64_t now = time_.now_ms();
  room_pointer entry = co_await rooms_.enter(room.str());
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_room(room.str());
  room_state tried = *entry->state;
  const access_change expected = tried.change(change, now);
  const seen_rows removed = seen_of(*entry, expected.removed, now);
  const std::uint64_t first =
      change.history_max_size ? entry->log.first_after_resize(*change.history_max_size) : std::uint64_t{1};
  rooms_.lock(entry);
  auto write =
      write_edit([row = entry->row, change, first](tables& rows) { rows.change_room(row, change, first); }, removed, 0);
  const bool good = co_await write;
  rooms_.unlock(entry);
  if (!good) co_return unavailable();
  access_change changed = entry->state->change(change, now);
  entry->state->forget_change_times();
  if (change.history_max_size) entry->log.set_max_size(*change.history_max_size);
  finish_removal(*entry, changed.removed, removed, now);
  co_return changed;
}

task<result<value>> sqlite_store::list_rooms(std::string after, std::size_t limit) {
  auto names = std::make_shared<value_list>();
  auto read = queue_.read([names, after, limit](tables& rows) { *names = rows.room_names(after, limit); });
  const bool good = co_await read;
  if (!good) co_return unavailable();
  co_return value(std::move(*names));
}

task<result<std::vector<repaired_member>>> sqlite_store::repair_room(room_name room, std::int64_t now_ms) {
  room_pointer entry = co_await rooms_.enter(room.str());
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_room(room.str());
  std::vector<repaired_member> repaired;
  for (auto& [user, id] : entry->state->joined_connections()) {
    auto* connection = find_connection(user, id);
    if (connection != nullptr && entry->state->has_access(user)) continue;
    if (connection != nullptr) connection->rooms.erase(room);
    repaired_member member;
    member.user = user;
    member.id = id;
    member.left = entry->state->leave(user, id, now_ms);
    if (member.left.user_left) write_late({entry->row, user.str(), now_ms, false});
    repaired.push_back(std::move(member));
  }
  entry->state->forget_change_times();
  co_return repaired;
}

}  // namespace roombus::sqlite
