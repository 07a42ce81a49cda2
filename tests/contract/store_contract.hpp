#pragma once

// What every store must do (core/ports/store.hpp), as one suite. A store's test program links `roombus_store_contract`
// and names its drivers:
//
//   INSTANTIATE_TEST_SUITE_P(memory, store_contract, ::testing::Values(make_driver), driver_name);

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/store.hpp"
#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::test {

/// One store under test, and what moves it.
class store_driver {
 public:
  virtual ~store_driver() = default;
  virtual store& data() = 0;
  /// Runs what the store waits for until `done` holds; false if it never will.
  virtual bool run_until(const std::function<bool()>& done) = 0;
  /// The clock that the store was made with.
  fake_clock time;
};

struct store_kind {
  std::string name;
  std::function<std::unique_ptr<store_driver>()> make;
};

inline std::ostream& operator<<(std::ostream& out, const store_kind& kind) {
  return out << kind.name;
}

struct append_options {
  append_options() = default;
  explicit append_options(std::string t) : token(std::move(t)) {}
  std::string token;  ///< empty: none of the client's
  std::int64_t now_ms = 1000;
  std::int64_t window_ms = 1000;
  std::size_t max_tokens = 100;
};

/// Short forms of the port's operations, with names as text, an actor that is a user (or "" for the service itself),
/// and outcomes as text: results as JSON, errors as `code[args]`.
class store_operations {
 public:
  virtual ~store_operations() = default;
  virtual store& data() = 0;
  virtual bool run_until(const std::function<bool()>& done) = 0;

  template <class T>
  T run(task<T> running) {
    const bool finished = run_until([&] { return running.done(); });
    if (!finished) throw std::runtime_error("the store did not answer");
    return running.take();
  }

  static actor as(const std::string& user) { return {user_name(user), user.empty()}; }
  static std::string error_text(const chat_error& e) {
    return std::string(e.code_name()) + json::write(value(e.args()));
  }
  template <class T>
  static std::string outcome(const result<T>& r) {
    return r ? "ok" : error_text(r.error());
  }
  static std::string shown(const result<value>& r) { return r ? json::write(*r) : error_text(r.error()); }
  static std::vector<user_name> names(const std::vector<std::string>& texts) {
    std::vector<user_name> out;
    for (const std::string& text : texts)
      out.emplace_back(text);
    return out;
  }

  std::string add_room(const std::string& room, room_settings settings = {}) {
    if (settings.epoch.empty()) settings.epoch = "epoch of " + room;
    return outcome(run(data().add_room(room_name(room), std::move(settings))));
  }
  std::string read(const std::string& room, const std::string& user, room_field field, const std::string& argument = "",
                   const std::string& item = "") {
    room_query query(field);
    query.argument = argument;
    query.item = item;
    return shown(run(data().read_room(room_name(room), as(user), std::move(query))));
  }
  std::string list(const std::string& room, const std::string& list_name) {
    return read(room, "", room_field::list, list_name);
  }
  std::string connect(const std::string& user, const std::string& id, std::size_t limit = 100,
                      const std::string& instance = "i1") {
    connection_record record;
    record.user = user_name(user);
    record.id = connection_id(id);
    record.instance = instance;
    record.now_ms = 1;
    auto n = run(data().connect(std::move(record), limit));
    return n ? std::to_string(*n) : error_text(n.error());
  }
  static join_request join_of(const std::string& room, const std::string& user, const std::string& id,
                              std::int64_t now_ms = 1000) {
    join_request request;
    request.room = room_name(room);
    request.user = user_name(user);
    request.id = connection_id(id);
    request.now_ms = now_ms;
    return request;
  }
  static history_request position_only() {
    history_request request;
    request.read = false;
    return request;
  }
  result<joined> join(const std::string& room, const std::string& user, const std::string& id,
                      std::int64_t now_ms = 1000) {
    return run(data().confirm_join(join_of(room, user, id, now_ms), position_only()));
  }
  result<left_room> leave(const std::string& room, const std::string& user, const std::string& id,
                          std::int64_t now_ms = 2000) {
    return run(data().leave(join_of(room, user, id, now_ms)));
  }
  /// Connects and joins.
  void enter(const std::string& room, const std::string& user, const std::string& id) {
    ASSERT_NE(connect(user, id), "");
    ASSERT_EQ(outcome(join(room, user, id)), "ok");
  }
  /// "names; user:connection+connection …" of what an edit did.
  static std::string change_text(const result<access_change>& r) {
    if (!r) return error_text(r.error());
    std::string out;
    for (const user_name& name : r->names)
      out += (out.empty() ? "" : ",") + name.str();
    out += ";";
    for (const removed_member& member : r->removed)
      out += " " + removed_text(member);
    return out;
  }
  static std::string removed_text(const removed_member& member) {
    std::string out = member.user.str() + ":";
    for (std::size_t i = 0; i < member.connections.size(); ++i)
      out += (i == 0 ? "" : "+") + member.connections[i].str();
    return out;
  }
  std::string edit(const std::string& room, const std::string& by, const std::string& list_name, bool add,
                   const std::vector<std::string>& who, std::size_t limit = 100) {
    return change_text(run(data().edit_list(room_name(room), as(by), list_name, add, names(who), limit)));
  }
  std::string whitelist_mode(const std::string& room, const std::string& by, bool on) {
    return change_text(run(data().set_whitelist_mode(room_name(room), as(by), on)));
  }
  std::string change(const std::string& room, room_change to) {
    return change_text(run(data().change_room(room_name(room), std::move(to))));
  }

  static value_map body(const std::string& text) {
    return value_map{{"textMessage", value(text)}, {"author", value("a")}, {"timestamp", value(5)}};
  }
  static append_request append_of(const std::string& room, const std::string& by, const value_map& message,
                                  const append_options& with) {
    append_request request;
    request.room = room_name(room);
    request.by = as(by);
    request.message = &message;
    request.token = with.token;
    request.client_token = !with.token.empty();
    request.now_ms = with.now_ms;
    request.window_ms = with.window_ms;
    request.max_tokens = with.max_tokens;
    return request;
  }
  /// The id, with "again" behind it for a known token.
  std::string append(const std::string& room, const std::string& by, const std::string& text,
                     append_options with = append_options()) {
    const value_map message = body(text);
    auto done = run(data().append(append_of(room, by, message, with)));
    if (!done) return error_text(done.error());
    return std::to_string(done->id) + (done->repeated ? " again" : "");
  }
  void append_many(const std::string& room, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t id = from; id <= to; ++id)
      ASSERT_EQ(append(room, "", "m" + std::to_string(id)), std::to_string(id));
  }

  static history_request after(std::uint64_t id, std::uint64_t limit) {
    history_request request;
    request.after = id;
    request.limit = limit;
    return request;
  }
  static history_request recent(std::uint64_t limit) {
    history_request request;
    request.recent = true;
    request.limit = limit;
    return request;
  }
  /// "id=text id=text … [first,last]" and " gap".
  static std::string page_text(const history_page& page) {
    std::string out;
    for (const value& message : page.messages) {
      const value decoded = cbor::materialize(message);
      const value_map& fields = *decoded.if_map();
      out += std::to_string(*fields.find("id")->floor_to_uint()) + "=" + *fields.find("textMessage")->if_text() + " ";
    }
    out += "[" + std::to_string(page.position.first_message_id) + "," + std::to_string(page.position.last_message_id) +
           "]";
    return out + (page.gap ? " gap" : "");
  }
  std::string history(const std::string& room, const std::string& by, history_request request) {
    auto page = run(data().read_history(room_name(room), as(by), std::move(request)));
    return page ? page_text(*page) : error_text(page.error());
  }
};

class store_contract : public store_operations, public ::testing::TestWithParam<store_kind> {
 protected:
  void SetUp() override { driver = GetParam().make(); }
  void TearDown() override { driver.reset(); }
  store& data() override { return driver->data(); }
  bool run_until(const std::function<bool()>& done) override { return driver->run_until(done); }

  std::unique_ptr<store_driver> driver;
};

inline std::string driver_name(const ::testing::TestParamInfo<store_kind>& info) {
  return info.param.name;
}

}  // namespace roombus::test
