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
    data->on_confirm = [this](const join_request& request) { wanted_an_entry = request.enters_log; };
    data->after = [this](std::string operation) -> result<void> {
      if (operation != "confirm_join") return {};
      if (answers_are_lost) return chat_error(errc::timeout);
      std::exchange(before_the_join, [] {})();
      ++tries;
      if (wanted_an_entry)
        log_store.sink->on_own_entry(room_name("den"), joined(std::to_string(tries)), publishing_turn());
      std::exchange(after_the_join, [] {})();
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
    e.epoch = epoch;
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
  log_part end_of_log() const {
    log_part part;
    part.last = sequence;
    part.epoch = epoch;
    return part;
  }
  /// A hole that the log does not keep.
  void lose_a_part() {
    const auto before = log_store.on_read;
    log_store.on_read = [this](std::uint64_t after) {
      log_part part = end_of_log();
      part.complete = after >= sequence;
      return part;
    };
    sequence += 800;
    hear_message(0);
    timers.advance(std::chrono::milliseconds(150));
    log_store.on_read = before;
  }
  void watch() {
    chat.watch_room(room_name("den"), [this](const shared_event& e) {
      if (e->id() == notification::room_message) heard.push_back(json::write(e->args()[1]));
    });
  }

  std::string epoch = "e1";
  texts heard;
  bool wanted_an_entry = false;
  std::function<void()> after_the_join = [] {};
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

TEST_F(cluster_joins_test, one_that_is_done_again_after_an_unknown_outcome_is_heard_from_its_own_place_on) {
  connect("bob");
  data->before = [](std::string operation) -> task<result<void>> {
    if (operation == "leave") co_return chat_error(errc::unavailable);  // nor can it be taken back
    co_return result<void>{};
  };
  answers_are_lost = true;
  EXPECT_EQ(join("bob"), "timeout[]");
  (void)joined(std::to_string(++tries));
  answers_are_lost = false;
  log_store.on_read = [this](std::uint64_t) {
    hear_message(9);  // accepted after the join was answered
    return end_of_log();
  };
  EXPECT_EQ(join("bob"), "[1]");
  EXPECT_TRUE(wanted_an_entry) << "the store had it in the room";
  hear_message(1);
  EXPECT_EQ(take("bob"), texts{R"(roomMessage["den",{"n":1}])"});
}

TEST_F(cluster_joins_test, joining_again_needs_no_entry) {
  connect("bob");
  EXPECT_EQ(join("bob"), "[1]");
  EXPECT_TRUE(wanted_an_entry);
  EXPECT_EQ(join("bob"), "[1]");
  EXPECT_FALSE(wanted_an_entry);
}

// what came in between is not kept any more: the others are closed, and the join begins with its own entry
TEST_F(cluster_joins_test, one_during_which_the_feed_is_broken_off_is_heard) {
  connect("alice");
  connect("bob");
  EXPECT_EQ(join("alice"), "[1]");
  before_the_join = [this] {
    lose_a_part();
    EXPECT_EQ(sinks.at("alice")->closed.size(), 1U);
    disconnect("alice");
    hear_message(2);  // now the join alone holds the feed
  };
  EXPECT_EQ(join("bob"), "[1]");
  forget_events();
  hear_message(1);
  EXPECT_EQ(take("bob"), texts{R"(roomMessage["den",{"n":1}])"});
  EXPECT_EQ(sinks.at("bob")->closed.size(), 0U);
}

TEST_F(cluster_joins_test, one_whose_own_entry_was_lost_with_the_feed_is_not_answered_as_done) {
  connect("alice");
  connect("bob");
  EXPECT_EQ(join("alice"), "[1]");
  after_the_join = [this] { lose_a_part(); };
  before_the_join = [this] { ++sequence; };  // so that its own entry waits for what is lost
  EXPECT_EQ(join("bob"), "timeout[]");
  EXPECT_EQ(run("alice", "roomGetAccessList", R"(["den","userlist"])"), R"([["alice"]])") << "taken back";
}

// ---- who listens without joining

TEST_F(cluster_joins_test, a_watch_goes_on_in_a_room_that_is_made_anew) {
  log_store.on_read = [this](std::uint64_t) { return end_of_log(); };
  watch();
  hear_message(1);
  room_entry end;
  end.kind = room_entry_kind::room_removed;
  log_store.on_read = nullptr;
  end = numbered(end);
  hear(end);
  hear(end);  // told again
  epoch = "e2";
  hear_message(2);
  hear_message(3);
  EXPECT_EQ(heard, (texts{R"({"n":1})", R"({"n":2})", R"({"n":3})"}));
}

TEST_F(cluster_joins_test, a_watch_goes_on_after_what_is_lost_and_after_a_fall) {
  log_store.on_read = [this](std::uint64_t) { return end_of_log(); };
  watch();
  lose_a_part();
  hear_message(1);
  log_store.away = true;
  timers.advance(chat_options().heartbeat_timeout * 2);
  EXPECT_NE(bus.take(), texts{}) << "it has fallen";
  ++sequence;
  log_store.away = false;
  timers.advance(chat_options().heartbeat_timeout);
  hear_message(2);
  EXPECT_EQ(heard, (texts{R"({"n":1})", R"({"n":2})"}));
}

TEST_F(cluster_joins_test, a_watch_of_no_room_costs_nothing_and_begins_with_the_room) {
  watch();
  timers.advance(std::chrono::seconds(5));
  EXPECT_LT(log_store.reads, 3U);
  hear_message(1);
  hear_message(2);
  EXPECT_EQ(heard, (texts{R"({"n":1})", R"({"n":2})"}));
}

}  // namespace
}  // namespace roombus::test
