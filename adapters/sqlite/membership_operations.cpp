// Joins, leaves, and the ends of connections.

#include "adapters/sqlite/store_impl.hpp"

namespace roombus::sqlite {

namespace {

constexpr int max_fetches = 16;

/// Notes that a user's join or leave waits for its commit.
class changing_mark {
 public:
  changing_mark(std::map<user_name, int>& marks, const user_name& user) : marks_(marks), user_(user) {
    ++marks_[user_];
  }
  changing_mark(const changing_mark&) = delete;
  changing_mark& operator=(const changing_mark&) = delete;
  ~changing_mark() {
    if (--marks_[user_] == 0) marks_.erase(user_);
  }

 private:
  std::map<user_name, int>& marks_;
  user_name user_;
};

}  // namespace

task<result<begun_join>> sqlite_store::begin_join(join_request request) {
  room_pointer entry = co_await enter_room(request.room, request.user);
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_room(request.room.str());
  if (find_connection(request.user, request.id) == nullptr) {
    co_return chat_error(errc::invalid_socket, {value(request.id.str())});
  }
  auto allowed = entry->state->check_join(request.user);
  if (!allowed) co_return allowed.error();
  begun_join begun;
  begun.already = entry->state->is_joined(request.user, request.id);
  begun.njoined = entry->state->joined_count(request.user) + (begun.already ? 0 : 1);
  co_return begun;
}

task<result<joined>> sqlite_store::confirm_join(join_request request, history_request history) {
  const room_pointer entry = co_await enter_room(request.room, request.user);
  if (!entry) co_return unavailable();
  const changing_mark mark(entry->changing, request.user);
  if (entry->log.has_pending()) {
    auto settled = queue_.barrier();  // the history is that of what was sent before
    const bool good = co_await settled;
    if (!good) co_return unavailable();
  }
  // From here on the gate is not passed again: the state is the committed one, and an edit that is under way by now
  // takes effect after the join and sees it.
  const std::int64_t row = entry->row;
  auto fetched = std::make_shared<fetched_messages>();
  int fetches = 0;
  bool written = false;
  for (;;) {
    auto connection = find_connection(request.user, request.id);
    auto allowed = check_join(*entry, row, connection, request);
    history_plan plan;
    bool complete = false;
    if (allowed) {
      plan = entry->log.plan(history);
      complete = entry->log.fill(plan, *fetched);
      if (!complete && fetches++ < max_fetches) {
        const auto [first, last] = entry->log.missing(plan);
        const bool read = co_await fetch(entry, first, last, fetched);
        if (read) continue;
      }
    }
    if (!allowed || !complete) {
      const bool there = entry->state && entry->row == row;
      if (written && there && !entry->state->is_joined(request.user)) {
        write_late({row, request.user.str(), request.now_ms, false});
      }
      if (!allowed) co_return allowed.error();
      co_return unavailable();
    }
    if (!written && !entry->state->is_joined(request.user)) {
      const seen_row seen{row, request.user.str(), request.now_ms, true};
      supersede_late(seen);
      auto write = queue_.write([seen](tables& rows) { rows.set_seen(seen); }, job_bytes);
      written = co_await write;
      if (!written) co_return unavailable();
      continue;
    }
    auto out = entry->state->join(request.user, request.id, request.now_ms);
    entry->state->forget_change_times();
    if (!out) co_return out.error();
    connection->rooms.insert(request.room);
    out->history = std::move(plan.page);
    co_return out;
  }
}

result<void> sqlite_store::check_join(const room_entry& entry, std::int64_t row,
                                      const user_state::connection* connection, const join_request& request) {
  if (!entry.state || entry.row != row) return no_room(request.room.str());
  if (connection == nullptr) return chat_error(errc::invalid_socket, {value(request.id.str())});
  return entry.state->check_join(request.user);
}

task<result<void>> sqlite_store::cancel_join(join_request /*request*/) {
  co_return result<void>{};
}

task<result<left_room>> sqlite_store::leave(join_request request) {
  room_pointer entry = co_await enter_room(request.room, request.user);
  if (!entry) co_return unavailable();
  if (!entry->state) co_return no_room(request.room.str());
  const std::int64_t row = entry->row;
  bool written = false;
  if (entry->state->is_joined(request.user, request.id) && entry->state->joined_count(request.user) == 1) {
    const seen_row seen{row, request.user.str(), request.now_ms, false};
    supersede_late(seen);
    auto write = queue_.write([seen](tables& rows) { rows.set_seen(seen); }, job_bytes);
    const changing_mark mark(entry->changing, request.user);
    written = co_await write;
  }
  if (!entry->state || entry->row != row) co_return no_room(request.room.str());
  if (auto* connection = find_connection(request.user, request.id)) connection->rooms.erase(request.room);
  left_room out = entry->state->leave(request.user, request.id, request.now_ms);
  entry->state->forget_change_times();
  if (out.user_left && !written) write_late({row, request.user.str(), request.now_ms, false});
  co_return out;
}

task<result<disconnected>> sqlite_store::disconnect(user_name user, connection_id id, std::int64_t now_ms) {
  disconnected out;
  // behind a connect that was handed over before; who is connected is in memory, so this reads no file
  if (!users_.ready(user.str())) {
    const user_pointer turn = co_await users_.enter(user.str());
    if (!turn) co_return out;
  }
  user_entry* entry = users_.peek(user.str());
  user_state::connection* connection = find_connection(user, id);
  if (connection == nullptr) {
    if (entry != nullptr && entry->state) out.nconnected = entry->state->connections.size();
    co_return out;
  }
  seen_rows seen;
  for (const room_name& room : connection->rooms) {
    room_entry* joined = rooms_.peek(room.str());
    if (joined == nullptr || !joined->state || joined->state->joined_count(user) != 1) continue;
    seen.push_back({joined->row, user.str(), now_ms, false});
    supersede_late(seen.back());
  }
  bool written = seen.empty();
  if (!seen.empty()) {
    auto write = queue_.write(
        [seen](tables& rows) {
          for (const seen_row& row : seen)
            rows.set_seen(row);
        },
        job_bytes * seen.size());
    written = co_await write;
  }
  entry = users_.peek(user.str());
  connection = find_connection(user, id);
  if (entry != nullptr && entry->state) out.nconnected = entry->state->connections.size();
  if (connection == nullptr) co_return out;
  out.was_connected = true;
  const std::set<room_name> rooms = std::move(connection->rooms);
  entry->state->connections.erase(id);
  out.nconnected = entry->state->connections.size();
  for (const room_name& room : rooms) {
    room_entry* joined = rooms_.peek(room.str());
    if (joined == nullptr || !joined->state) continue;
    out.rooms.push_back(joined->state->leave(user, id, now_ms));
    joined->state->forget_change_times();
    if (!out.rooms.back().user_left) continue;
    bool told = false;
    for (const seen_row& row : seen)
      told = told || (written && row.room == joined->row);
    if (!told) write_late({joined->row, user.str(), now_ms, false});
  }
  co_return out;
}

user_state::connection* sqlite_store::find_connection(const user_name& user, const connection_id& id) {
  user_entry* entry = users_.peek(user.str());  // who is connected is in memory
  if (entry == nullptr || !entry->state) return nullptr;
  auto it = entry->state->connections.find(id);
  return it == entry->state->connections.end() ? nullptr : &it->second;
}

}  // namespace roombus::sqlite
