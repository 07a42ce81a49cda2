// The SQLite store against the memory store: the same operations, picked at random, have the same outcomes, whether
// each waits for the one before or many are handed over at once.

#include <deque>
#include <random>

#include "adapters/memory/memory_store.hpp"
#include "tests/adapters/sqlite/sqlite_driver.hpp"

namespace roombus::test {

namespace {

// One operation on any store, and its outcome as text.
struct operation {
  std::string name;  // for people
  std::function<task<std::string>(store&)> start;
};

std::string text_of(const history_page& page) {
  return store_operations::page_text(page);
}

// Coroutines as functions with parameters, never as capturing lambdas: those go before the coroutine ends.
task<std::string> do_append(store& data, std::string room, std::string user, std::string token, std::int64_t now) {
  const value_map message = store_operations::body("by " + user);
  append_options with(token);
  with.now_ms = now;
  with.window_ms = 50;
  with.max_tokens = 3;
  append_request request = store_operations::append_of(room, user, message, with);
  auto done = co_await data.append(std::move(request));
  if (!done) co_return store_operations::error_text(done.error());
  co_return std::to_string(done->id) + (done->repeated ? " again" : "");
}

task<std::string> do_history(store& data, std::string room, std::string user, history_request request) {
  const actor by = store_operations::as(user);
  auto page = co_await data.read_history(room_name(room), by, std::move(request));
  co_return page ? text_of(*page) : store_operations::error_text(page.error());
}

task<std::string> do_read(store& data, std::string room, std::string user, room_query query) {
  const actor by = store_operations::as(user);
  auto got = co_await data.read_room(room_name(room), by, std::move(query));
  co_return store_operations::shown(got);
}

task<std::string> do_join(store& data, join_request request, history_request history) {
  auto done = co_await data.confirm_join(std::move(request), std::move(history));
  if (!done) co_return store_operations::error_text(done.error());
  co_return std::to_string(done->newly) + std::to_string(done->user_newly) + ' ' + std::to_string(done->njoined) + ' ' +
      text_of(done->history);
}

std::string left_text(const left_room& left) {
  return left.room.str() + std::to_string(left.changed) + std::to_string(left.user_left) + std::to_string(left.njoined);
}

task<std::string> do_leave(store& data, join_request request) {
  auto done = co_await data.leave(std::move(request));
  co_return done ? left_text(*done) : store_operations::error_text(done.error());
}

task<std::string> do_connect(store& data, connection_record record) {
  auto done = co_await data.connect(std::move(record), 4);
  co_return done ? std::to_string(*done) : store_operations::error_text(done.error());
}

task<std::string> do_disconnect(store& data, std::string user, std::string id, std::int64_t now) {
  auto done = co_await data.disconnect(user_name(user), connection_id(id), now);
  if (!done) co_return store_operations::error_text(done.error());
  std::string out = std::to_string(done->was_connected) + std::to_string(done->nconnected);
  for (const left_room& left : done->rooms)
    out += " " + left_text(left);
  co_return out;
}

task<std::string> do_edit(store& data, std::string room, std::string user, std::string list, bool add,
                          std::vector<user_name> who) {
  const actor by = store_operations::as(user);
  auto done = co_await data.edit_list(room_name(room), by, std::move(list), add, std::move(who), 3);
  co_return store_operations::change_text(done);
}

task<std::string> do_mode(store& data, std::string room, bool on) {
  const actor by = store_operations::as("");
  auto done = co_await data.set_whitelist_mode(room_name(room), by, on);
  co_return store_operations::change_text(done);
}

task<std::string> do_change(store& data, std::string room, room_change to) {
  auto done = co_await data.change_room(room_name(room), std::move(to));
  co_return store_operations::change_text(done);
}

task<std::string> do_add_room(store& data, std::string room, room_settings settings) {
  auto done = co_await data.add_room(room_name(room), std::move(settings));
  co_return store_operations::outcome(done);
}

task<std::string> do_remove_room(store& data, std::string room) {
  const actor by = store_operations::as("");
  auto done = co_await data.remove_room(room_name(room), by);
  if (!done) co_return store_operations::error_text(done.error());
  std::string out;
  for (const removed_member& member : done->removed)
    out += store_operations::removed_text(member) + " ";
  co_return out;
}

task<std::string> do_connections(store& data, std::string user) {
  auto done = co_await data.connections(user_name(user));
  co_return store_operations::shown(done);
}

task<std::string> do_direct(store& data, std::string user, std::string other, bool add) {
  const std::vector<user_name> names{user_name(other)};
  auto done = co_await data.edit_direct_list(user_name(user), "blacklist", add, names, 2);
  auto list = co_await data.direct_list(user_name(user), "blacklist");
  co_return store_operations::outcome(done) + store_operations::shown(list);
}

class picker {
 public:
  explicit picker(unsigned seed) : random_(seed) {}

  operation next(std::int64_t now) {
    const std::string room = pick({"den", "hall", "attic"});
    const std::string user = pick({"ann", "bob", "cat"});
    const std::string id = user + pick({"1", "2"});
    const std::string by = pick({user.c_str(), user.c_str(), ""});
    join_request request = store_operations::join_of(room, user, id, now);
    switch (number(26)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5: {
        const std::string token = number(3) == 0 ? pick({"k1", "k2", "k3", "k4", "k5"}) : "";
        return {"append " + room + " " + by + " " + token,
                [=](store& data) { return do_append(data, room, by, token, now); }};
      }
      case 6:
      case 7:
      case 8:
      case 9: {
        history_request history = number(2) == 0 ? store_operations::recent(number(8) + 1)
                                                 : store_operations::after(number(40), number(8) + 1);
        return {"join " + room + " " + id, [=](store& data) { return do_join(data, request, history); }};
      }
      case 10:
      case 11:
        return {"leave " + room + " " + id, [=](store& data) { return do_leave(data, request); }};
      case 12:
      case 13: {
        connection_record record;
        record.user = user_name(user);
        record.id = connection_id(id);
        record.instance = "i";
        return {"connect " + id, [=](store& data) { return do_connect(data, record); }};
      }
      case 14:
        return {"disconnect " + id, [=](store& data) { return do_disconnect(data, user, id, now); }};
      case 15:
      case 16:
      case 17: {
        const bool add = number(2) == 0;
        const std::string list = pick({"adminlist", "whitelist", "blacklist", "blacklist", "friends"});
        const auto who = store_operations::names({pick({"ann", "bob", "cat"}), pick({"dan", "eve", "fay"})});
        return {"edit " + room + " " + list + (add ? " +" : " -") + who.front().str(),
                [=](store& data) { return do_edit(data, room, by, list, add, who); }};
      }
      case 18: {
        const bool on = number(3) == 0;
        return {"mode " + room, [=](store& data) { return do_mode(data, room, on); }};
      }
      case 19: {
        room_change to;
        if (number(2) == 0) {
          to.history_max_size = number(12);
        } else {
          to.owner.emplace(user_name(user));
        }
        return {"change " + room, [=](store& data) { return do_change(data, room, to); }};
      }
      case 20:
      case 21: {
        room_settings settings;
        settings.history_max_size = number(12);
        settings.epoch = "e" + std::to_string(now);
        settings.owner = user_name(user);
        return {"add " + room, [=](store& data) { return do_add_room(data, room, settings); }};
      }
      case 22:
        if (number(4) != 0) return next(now);
        return {"remove " + room, [=](store& data) { return do_remove_room(data, room); }};
      case 23: {
        history_request history = number(2) == 0 ? store_operations::recent(number(8) + 1)
                                                 : store_operations::after(number(40), number(8) + 1);
        return {"history " + room + " " + by, [=](store& data) { return do_history(data, room, by, history); }};
      }
      case 24: {
        room_query query(static_cast<room_field>(number(8)));
        query.argument = query.field == room_field::list || query.field == room_field::in_list
                             ? pick({"userlist", "blacklist", "whitelist", "x"})
                             : pick({"ann", "bob", "cat"});
        query.item = "ann";
        return {"read " + room + " " + by + " " + std::to_string(static_cast<int>(query.field)) + " " + query.argument,
                [=](store& data) { return do_read(data, room, by, query); }};
      }
      default:
        if (number(2) == 0) return {"connections " + user, [=](store& data) { return do_connections(data, user); }};
        return {"direct " + user, [=](store& data) { return do_direct(data, user, "eve", now % 2 == 0); }};
    }
  }

  std::uint64_t number(std::uint64_t below) { return random_() % below; }
  std::string pick(std::vector<const char*> from) { return from[number(from.size())]; }

 private:
  std::mt19937 random_;
};

class sqlite_model : public sqlite_test, public ::testing::WithParamInterface<unsigned> {
 protected:
  void SetUp() override {
    sqlite_options tiny;
    tiny.sync = sync_mode::normal;
    if (GetParam() % 2 == 0) {
      tiny.cache_bytes = 4;
      tiny.max_cached_rooms = 1;
      tiny.max_cached_users = 1;
    }
    driver = std::make_unique<sqlite_driver>(tiny);
  }

  void move_to(std::int64_t now) { time_of_model.wall = driver->time.wall = now; }

  /// All that outlives a restart.
  std::string kept() {
    std::string out;
    for (const char* room : {"den", "hall", "attic"}) {
      for (const room_field field :
           {room_field::owner, room_field::whitelist_mode, room_field::notifications, room_field::history_info})
        out += read(room, "", field) + "\n";
      for (const char* name : {"adminlist", "whitelist", "blacklist"})
        out += list(room, name) + "\n";
      out += history(room, "", after(0, 100)) + "\n";
    }
    for (const char* user : {"ann", "bob", "cat"})
      out += shown(run(data().direct_list(user_name(user), "blacklist"))) + "\n";
    return out + shown(run(data().list_rooms("", 10))) + shown(run(data().list_users("", 10)));
  }

  fake_clock time_of_model;
};

TEST_P(sqlite_model, one_after_the_other_is_as_in_memory) {
  picker pick(GetParam());
  auto model = make_memory_store(time_of_model);
  std::string told;
  for (std::int64_t i = 0; i < 3000; ++i) {
    move_to(1000 + i);
    operation next = pick.next(1000 + i);
    const std::string expected = run(next.start(*model));
    const std::string answer = run(next.start(data()));
    told += next.name + ": " + answer + "\n";
    ASSERT_EQ(answer, expected) << "seed " << GetParam() << ", after\n"
                                << told.substr(told.size() > 2000 ? told.size() - 2000 : 0);
  }
}

TEST_P(sqlite_model, many_at_once_leave_the_same_in_memory_and_file) {
  picker pick(GetParam());
  std::int64_t now = 1000;
  for (int round = 0; round < 10; ++round) {
    std::deque<operation> operations;  // outlive their tasks
    std::deque<task<std::string>> answers;
    for (int i = 0; i < 300; ++i) {
      move_to(++now);
      operations.push_back(pick.next(now));
      answers.push_back(operations.back().start(data()));
      if (answers.size() < 40) continue;
      EXPECT_EQ(run(std::move(answers.front())).find("unavailable"), std::string::npos);
      answers.pop_front();
    }
    for (auto& answer : answers)
      run(std::move(answer));
    const std::string before = kept();
    ASSERT_EQ(driver->reopen(), "");
    ASSERT_EQ(kept(), before) << "seed " << GetParam() << ", round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(seeds, sqlite_model, ::testing::Values(1u, 2u, 3u, 4u, 5u, 6u));

}  // namespace

}  // namespace roombus::test
