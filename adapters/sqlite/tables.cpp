#include "adapters/sqlite/tables.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "adapters/sqlite/schema.hpp"

namespace roombus::sqlite {

struct tables::statements {
  explicit statements(database& db) : db_(db) {}

 private:
  database& db_;

 public:
  statement begin{db_, "BEGIN IMMEDIATE"};
  statement commit{db_, "COMMIT"};

  statement insert_room{db_, "INSERT INTO rooms VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"};
  statement delete_room{db_, "DELETE FROM rooms WHERE id = ?"};
  statement delete_room_lists{db_, "DELETE FROM room_lists WHERE room = ?"};
  statement delete_messages{db_, "DELETE FROM messages WHERE room = ?"};
  statement delete_tokens{db_, "DELETE FROM tokens WHERE room = ?"};
  statement delete_seen{db_, "DELETE FROM seen WHERE room = ?"};
  statement add_room_name{db_, "INSERT OR IGNORE INTO room_lists VALUES(?, ?, ?)"};
  statement remove_room_name{db_, "DELETE FROM room_lists WHERE room = ? AND list = ? AND name = ?"};
  statement room_whitelist_only{db_, "UPDATE rooms SET whitelist_only = ? WHERE id = ?"};
  statement room_owner{db_, "UPDATE rooms SET owner = ? WHERE id = ?"};
  statement room_history{db_, "UPDATE rooms SET history_max_size = ? WHERE id = ?"};
  statement room_access_lists_updates{db_, "UPDATE rooms SET access_lists_updates = ? WHERE id = ?"};
  statement room_userlist_updates{db_, "UPDATE rooms SET userlist_updates = ? WHERE id = ?"};
  statement room_last_id{db_, "UPDATE rooms SET last_message_id = ? WHERE id = ?"};
  statement insert_message{db_, "INSERT INTO messages VALUES(?, ?, ?, ?)"};
  statement trim_messages{db_, "DELETE FROM messages WHERE room = ? AND id <= ?"};
  statement insert_token{db_, "INSERT INTO tokens VALUES(?, ?, ?, ?)"};
  statement trim_tokens{db_, "DELETE FROM tokens WHERE room = ? AND id <= ?"};
  // a room that was deleted meanwhile gets no rows
  statement set_seen{db_,
                     "INSERT INTO seen SELECT ?1, ?2, ?3, ?4 WHERE EXISTS(SELECT 1 FROM rooms WHERE id = ?1) "
                     "ON CONFLICT(room, user) DO UPDATE SET at_ms = excluded.at_ms, joined = excluded.joined"};

  statement insert_user{db_, "INSERT INTO users VALUES(?, ?, ?)"};
  statement delete_user{db_, "DELETE FROM users WHERE id = ?"};
  statement delete_user_lists{db_, "DELETE FROM user_lists WHERE user = ?"};
  statement add_user_name{db_, "INSERT OR IGNORE INTO user_lists VALUES(?, ?, ?)"};
  statement remove_user_name{db_, "DELETE FROM user_lists WHERE user = ? AND list = ? AND name = ?"};
  statement user_whitelist_only{db_, "UPDATE users SET whitelist_only = ? WHERE id = ?"};

  statement load_room{db_,
                      "SELECT id, epoch, owner, whitelist_only, userlist_updates, access_lists_updates, "
                      "history_max_size, last_message_id FROM rooms WHERE name = ?"};
  statement load_room_lists{db_, "SELECT list, name FROM room_lists WHERE room = ?"};
  statement first_message{db_, "SELECT min(id) FROM messages WHERE room = ?"};
  statement load_tokens{db_, "SELECT id, token, until_ms FROM tokens WHERE room = ? AND until_ms > ? ORDER BY id"};
  statement load_user{db_, "SELECT id, whitelist_only FROM users WHERE name = ?"};
  statement load_user_lists{db_, "SELECT list, name FROM user_lists WHERE user = ?"};
  statement load_messages{db_,
                          "SELECT id, has_bytes, body FROM messages WHERE room = ? AND id BETWEEN ? AND ? ORDER BY id"};
  statement seen_at{db_, "SELECT at_ms FROM seen WHERE room = ? AND user = ?"};
  statement room_names{db_, "SELECT name FROM rooms WHERE name > ? ORDER BY name LIMIT ?"};
  statement user_names{db_, "SELECT name FROM users WHERE name > ? ORDER BY name LIMIT ?"};
};

std::optional<list_kind> list_kind_of(std::string_view name) {
  if (name == "adminlist") return list_kind::adminlist;
  if (name == "whitelist") return list_kind::whitelist;
  if (name == "blacklist") return list_kind::blacklist;
  return std::nullopt;
}

namespace {

std::int64_t number_of(list_kind list) {
  return static_cast<std::int64_t>(list);
}

std::int64_t bounded(std::uint64_t n) {
  return static_cast<std::int64_t>(std::min(n, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())));
}

}  // namespace

tables::tables(std::unique_ptr<database> db) : db_(std::move(db)), s_(std::make_unique<statements>(*db_)) {}

tables::~tables() = default;

void tables::begin() {
  last_ids_.clear();
  s_->begin.run();
}

void tables::commit() {
  for (const auto& [room, id] : last_ids_)
    s_->room_last_id.run(id, room);
  s_->commit.run();
}

void tables::roll_back() noexcept {
  try {
    if (db_->in_transaction()) db_->run("ROLLBACK");
  } catch (const database_error&) {
    // after an I/O error SQLite has often rolled back by itself; what is left open makes the next BEGIN fail
  }
}

void tables::touch() {
  db_->run(("PRAGMA user_version = " + std::to_string(schema_version)).c_str());
}

void tables::insert_room(const std::string& name, const room_row& room) {
  std::optional<std::string> owner;
  if (room.settings.owner) owner = room.settings.owner->str();
  s_->insert_room.run(room.id, name, room.settings.epoch, owner, room.settings.whitelist_only,
                      room.settings.enable_userlist_updates, room.settings.enable_access_lists_updates,
                      room.settings.history_max_size, room.last_message_id);
  edit_room_list(room.id, list_kind::adminlist, true, room.settings.adminlist);
  edit_room_list(room.id, list_kind::whitelist, true, room.settings.whitelist);
  edit_room_list(room.id, list_kind::blacklist, true, room.settings.blacklist);
}

void tables::delete_room(std::int64_t room) {
  last_ids_.erase(room);
  for (statement* s :
       {&s_->delete_room, &s_->delete_room_lists, &s_->delete_messages, &s_->delete_tokens, &s_->delete_seen})
    s->run(room);
}

void tables::edit_room_list(std::int64_t room, list_kind list, bool add, const std::vector<user_name>& names) {
  statement& edit = add ? s_->add_room_name : s_->remove_room_name;
  for (const user_name& name : names)
    edit.run(room, number_of(list), name.str());
}

void tables::set_whitelist_only(std::int64_t room, bool on) {
  s_->room_whitelist_only.run(on, room);
}

void tables::change_room(std::int64_t room, const room_change& change, std::uint64_t first_message_id) {
  if (change.owner) {
    std::optional<std::string> owner;
    if (*change.owner) owner = (*change.owner)->str();
    s_->room_owner.run(owner, room);
  }
  if (change.access_lists_updates) s_->room_access_lists_updates.run(*change.access_lists_updates, room);
  if (change.userlist_updates) s_->room_userlist_updates.run(*change.userlist_updates, room);
  if (change.history_max_size) {
    s_->room_history.run(*change.history_max_size, room);
    s_->trim_messages.run(room, first_message_id - 1);
  }
}

void tables::append(const message_row& message) {
  if (message.body) {
    s_->insert_message.run(message.room, message.id, message.body->has_bytes(), message.body->cbor());
  }
  if (message.token) s_->insert_token.run(message.room, message.id, message.token->token, message.token->until_ms);
  if (message.trim_to > 0) s_->trim_messages.run(message.room, message.trim_to);
  if (message.forget_tokens_to > 0) s_->trim_tokens.run(message.room, message.forget_tokens_to);
  last_ids_[message.room] = message.id;
}

void tables::set_seen(const seen_row& seen) {
  s_->set_seen.run(seen.room, seen.user, seen.at_ms, seen.joined);
}

void tables::insert_user(const std::string& name, const user_row& user) {
  s_->insert_user.run(user.id, name, user.settings.whitelist_only);
  edit_user_list(user.id, list_kind::whitelist, true, user.settings.whitelist);
  edit_user_list(user.id, list_kind::blacklist, true, user.settings.blacklist);
}

void tables::delete_user(std::int64_t user) {
  s_->delete_user.run(user);
  s_->delete_user_lists.run(user);
}

void tables::edit_user_list(std::int64_t user, list_kind list, bool add, const std::vector<user_name>& names) {
  statement& edit = add ? s_->add_user_name : s_->remove_user_name;
  for (const user_name& name : names)
    edit.run(user, number_of(list), name.str());
}

void tables::set_user_whitelist_only(std::int64_t user, bool on) {
  s_->user_whitelist_only.run(on, user);
}

std::optional<room_row> tables::load_room(const std::string& name, std::int64_t now_ms) {
  statement& load = s_->load_room;
  load.start(name);
  if (!load.step()) return std::nullopt;
  room_row room;
  room.id = load.integer(0);
  room.settings.epoch = load.bytes(1);
  if (!load.is_null(2)) room.settings.owner = user_name(load.bytes(2));
  room.settings.whitelist_only = load.integer(3) != 0;
  room.settings.enable_userlist_updates = load.integer(4) != 0;
  room.settings.enable_access_lists_updates = load.integer(5) != 0;
  room.settings.history_max_size = load.unsigned_integer(6);
  room.last_message_id = load.unsigned_integer(7);
  load.reset();

  statement& lists = s_->load_room_lists;
  lists.start(room.id);
  while (lists.step()) {
    auto& names = lists.integer(0) == number_of(list_kind::adminlist)   ? room.settings.adminlist
                  : lists.integer(0) == number_of(list_kind::whitelist) ? room.settings.whitelist
                                                                        : room.settings.blacklist;
    names.emplace_back(lists.bytes(1));
  }
  statement& first = s_->first_message;
  first.start(room.id);
  first.step();
  room.first_message_id = first.is_null(0) ? room.last_message_id + 1 : first.unsigned_integer(0);
  first.reset();
  statement& tokens = s_->load_tokens;
  tokens.start(room.id, now_ms);
  while (tokens.step())
    room.tokens.push_back({tokens.bytes(1), tokens.unsigned_integer(0), tokens.integer(2)});
  return room;
}

std::optional<user_row> tables::load_user(const std::string& name) {
  statement& load = s_->load_user;
  load.start(name);
  if (!load.step()) return std::nullopt;
  user_row user;
  user.id = load.integer(0);
  user.settings.whitelist_only = load.integer(1) != 0;
  load.reset();
  statement& lists = s_->load_user_lists;
  lists.start(user.id);
  while (lists.step()) {
    auto& names =
        lists.integer(0) == number_of(list_kind::whitelist) ? user.settings.whitelist : user.settings.blacklist;
    names.emplace_back(lists.bytes(1));
  }
  return user;
}

std::vector<std::pair<std::uint64_t, std::shared_ptr<const encoded_map>>> tables::messages(std::int64_t room,
                                                                                           std::uint64_t from,
                                                                                           std::uint64_t to) {
  std::vector<std::pair<std::uint64_t, std::shared_ptr<const encoded_map>>> out;
  statement& load = s_->load_messages;
  load.start(room, bounded(from), bounded(to));
  while (load.step())
    out.emplace_back(load.unsigned_integer(0),
                     std::make_shared<const encoded_map>(load.bytes(2), load.integer(1) != 0));
  return out;
}

std::optional<std::int64_t> tables::seen_at(std::int64_t room, const std::string& user) {
  statement& load = s_->seen_at;
  load.start(room, user);
  if (!load.step()) return std::nullopt;
  const std::int64_t at = load.integer(0);
  load.reset();
  return at;
}

namespace {

value_list names_of(statement& load, const std::string& after, std::size_t limit) {
  value_list names;
  load.start(after, bounded(limit));
  while (load.step())
    names.emplace_back(load.bytes(0));
  return names;
}

}  // namespace

value_list tables::room_names(const std::string& after, std::size_t limit) {
  return names_of(s_->room_names, after, limit);
}

value_list tables::user_names(const std::string& after, std::size_t limit) {
  return names_of(s_->user_names, after, limit);
}

std::int64_t tables::last_room() {
  return db_->ask_integer("SELECT coalesce(max(id), 0) FROM rooms");
}

std::int64_t tables::last_user() {
  return db_->ask_integer("SELECT coalesce(max(id), 0) FROM users");
}

}  // namespace roombus::sqlite
