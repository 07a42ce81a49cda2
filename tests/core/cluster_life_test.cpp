// One of several instances whose broker, store or time fails it: what it promised is kept, or not promised.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/cluster_fakes.hpp"
#include "tests/support/service_fixture.hpp"

namespace roombus::test {
namespace {

using texts = std::vector<std::string>;
using namespace std::chrono_literals;

class cluster_life_test : public service_fixture {
 protected:
  cluster_life_test() {
    chat.set_cluster({log_store, bus, devices, ownership});
    auto started = chat.start(value_map());
    EXPECT_TRUE(started.done());
    EXPECT_TRUE(started.take().has_value());
    log_store.take();
  }

  task<reply> begin(const std::string& id, const std::string& command, value_list args) {
    call c;
    c.user = user_name(user_of(id));
    c.id = connection_id(id);
    c.command = command;
    c.args = std::move(args);
    return chat.execute(std::move(c));
  }
  /// The store answers an operation of this instance in `room`: somebody else publishes it, or (`ours`) it does.
  void answer_in(const std::string& room, bool ours) {
    room_entry e;
    e.message = value(value_map{{"n", value(1)}});
    e.sequence = ++sequence;
    e.epoch = "e1";
    publishing_turn turn;
    turn.ours = ours;
    turn.fence = 1;
    turn.pending = {e};
    log_store.sink->on_own_entry(room_name(room), std::move(e), std::move(turn));
  }
  /// How often the store was asked who publishes the room.
  std::ptrdiff_t asked_for(const std::string& room) {
    const texts calls = log_store.take();
    return std::count(calls.begin(), calls.end(), "take_over " + room + " ");
  }

  fake_cluster_store log_store;
  fake_bus bus;
  fake_devices devices;
  fake_ownership ownership;
  std::uint64_t sequence = 0;
};

TEST_F(cluster_life_test, a_direct_message_that_the_broker_does_not_confirm_is_a_timeout) {
  connect("alice");
  connect("bob");
  task<reply> sending = begin("alice", "directMessage", {value("bob"), value(value_map{{"n", value(1)}})});
  EXPECT_FALSE(sending.done());
  timers.advance(chat_options().bus_ack_timeout - 1ms);
  EXPECT_FALSE(sending.done());
  timers.advance(1ms);
  ASSERT_TRUE(sending.done());
  EXPECT_EQ(shown(sending.take()), "timeout[]");
}

TEST_F(cluster_life_test, a_direct_message_that_is_lost_on_its_way_may_have_been_heard) {
  connect("alice");
  connect("bob");
  task<reply> sending = begin("alice", "directMessage", {value("bob"), value(value_map{{"n", value(1)}})});
  bus.refuse();
  ASSERT_TRUE(sending.done());
  EXPECT_EQ(shown(sending.take()), "timeout[]");
  bus.up = false;
  sending = begin("alice", "directMessage", {value("bob"), value(value_map{{"n", value(1)}})});
  ASSERT_TRUE(sending.done());
  EXPECT_EQ(shown(sending.take()), "unavailable[]");
}

TEST_F(cluster_life_test, what_it_got_to_publish_while_it_served_nobody_is_published_when_it_is_back) {
  log_store.away = true;
  timers.advance(chat_options().heartbeat_timeout + chat_options().heartbeat_rate);
  EXPECT_FALSE(log_store.lives_by_name.contains(bus.name)) << "it has fallen, and may not show itself";
  answer_in("den", true);
  bus.take();
  timers.advance(3s);
  EXPECT_EQ(asked_for("den"), 0) << "nobody may be served";
  EXPECT_EQ(bus.take(), texts{});
  log_store.away = false;
  timers.advance(3s);
  EXPECT_GE(asked_for("den"), 1);
}

TEST_F(cluster_life_test, whoever_stops_without_a_broker_leaves_its_name_to_be_recovered) {
  answer_in("den", false);
  bus.up = false;
  auto closing = chat.close();
  timers.advance(5s);
  ASSERT_TRUE(closing.done());
  EXPECT_TRUE(log_store.lives_by_name.contains(chat.incarnation())) << "what it stored is not published";
}

TEST_F(cluster_life_test, whoever_stops_looks_for_what_nobody_publishes_and_is_forgotten) {
  answer_in("den", false);
  auto closing = chat.close();
  timers.advance(5s);
  ASSERT_TRUE(closing.done());
  EXPECT_EQ(asked_for("den"), 1);
  EXPECT_TRUE(log_store.lives_by_name.empty());
}

}  // namespace
}  // namespace roombus::test
