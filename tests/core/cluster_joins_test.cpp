// Joins of browsers where several instances share the rooms: only an answered one is heard.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/cluster/log_entry.hpp"
#include "tests/support/cluster_fakes.hpp"
#include "tests/support/service_fixture.hpp"

namespace roombus::test {
namespace {

using texts = std::vector<std::string>;

class cluster_joins_test : public service_fixture {
 protected:
  cluster_joins_test() {
    add_room("den", chat.default_room_settings());
    chat.set_cluster({log_store, bus, devices, ownership});
    data->after = [this](std::string operation) -> result<void> {
      if (operation != "confirm_join") return {};
      if (answers_are_lost) return chat_error(errc::timeout);
      std::exchange(before_the_join, [] {})();
      log_store.sink->on_own_entry(room_name("den"), joined(std::to_string(++tries)), publishing_turn());
      return {};
    };
    auto started = chat.start(value_map());
    EXPECT_TRUE(started.done());
    EXPECT_TRUE(started.take().has_value());
  }

  room_entry joined(const std::string& attempt) {
    room_entry e;
    e.kind = room_entry_kind::joined;
    e.user = user_name(user_of(joining));
    e.id = connection_id(joining);
    e.attempt = attempt;
    return numbered(std::move(e));
  }
  room_entry numbered(room_entry e) {
    e.sequence = ++sequence;
    e.epoch = "e1";
    e.origin = chat.incarnation();
    return e;
  }
  /// Another instance publishes it.
  void hear(const room_entry& e) {
    value_map body{{"t", value("entry")}};
    body.append("room", value("den"));
    body.append("entry", value(entry_to_map(e)));
    bus.on.on_message(std::move(body));
  }
  void hear_message(int n) {
    room_entry e;
    e.message = value(value_map{{"n", value(n)}});
    hear(numbered(std::move(e)));
  }
  std::string join(const std::string& id) {
    joining = id;
    return run(id, "roomJoin", R"(["den"])");
  }

  fake_cluster_store log_store;
  fake_bus bus;
  fake_devices devices;
  fake_ownership ownership;
  bool answers_are_lost = false;
  std::function<void()> before_the_join = [] {};
  std::string joining;
  int tries = 0;
  std::uint64_t sequence = 0;
};

TEST_F(cluster_joins_test, a_join_is_heard_from_its_place_in_the_log_on) {
  connect("alice");
  connect("bob");
  EXPECT_EQ(join("alice"), "[1]");
  hear_message(1);
  EXPECT_EQ(join("bob"), "[1]");
  forget_events();
  hear_message(2);
  EXPECT_EQ(take("alice"), texts{R"(roomMessage["den",{"n":2}])"});
  EXPECT_EQ(take("bob"), texts{R"(roomMessage["den",{"n":2}])"});
}

TEST_F(cluster_joins_test, one_that_was_answered_with_timeout_is_not_heard_when_it_turns_out_to_be_done) {
  connect("alice");
  connect("bob");
  EXPECT_EQ(join("alice"), "[1]");
  answers_are_lost = true;
  EXPECT_EQ(join("bob"), "timeout[]");
  const std::string late = std::to_string(++tries);
  answers_are_lost = false;
  forget_events();
  hear(joined(late));
  hear_message(1);
  EXPECT_EQ(take("alice"), texts{R"(roomMessage["den",{"n":1}])"}) << "the room goes on for the others";
  EXPECT_EQ(take("bob"), texts{});
}

TEST_F(cluster_joins_test, one_that_was_done_late_does_not_stand_for_the_next_one) {
  connect("alice");
  connect("bob");
  EXPECT_EQ(join("alice"), "[1]");
  answers_are_lost = true;
  EXPECT_EQ(join("bob"), "timeout[]");
  const std::string late = std::to_string(++tries);
  answers_are_lost = false;
  before_the_join = [this, late] {
    hear(joined(late));
    hear_message(1);
  };
  EXPECT_EQ(join("bob"), "[1]");
  hear_message(2);
  EXPECT_EQ(take("bob"), texts{R"(roomMessage["den",{"n":2}])"});
}

}  // namespace
}  // namespace roombus::test
