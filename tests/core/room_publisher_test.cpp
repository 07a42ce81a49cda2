#include "core/cluster/room_publisher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "tests/support/cluster_fakes.hpp"

namespace roombus::test {
namespace {

const room_name den("den");

class room_publisher_test : public ::testing::Test {
 protected:
  room_publisher_test()
      : publisher(room_publisher::environment{cluster_parts{data, bus, devices, ownership}, timers, log, metrics}) {}

  static room_entry message(std::uint64_t sequence) {
    room_entry e;
    e.sequence = sequence;
    e.epoch = "e1";
    e.message = value(value_map{{"n", value(sequence)}});
    return e;
  }
  static room_entry member(std::uint64_t sequence, room_entry_kind kind, const std::string& id) {
    room_entry e = message(sequence);
    e.kind = kind;
    e.user = user_name("bob");
    e.id = connection_id(id);
    e.reads = "json";
    return e;
  }

  void take(std::uint64_t fence, std::vector<room_entry> entries,
            std::optional<room_audience> audience = std::nullopt) {
    publishing_turn turn;
    turn.ours = true;
    turn.fence = fence;
    turn.pending = std::move(entries);
    turn.audience = std::move(audience);
    std::vector<entry_ptr> given;
    for (const room_entry& e : turn.pending)
      given.push_back(std::make_shared<const log_entry>(den, e));
    publisher.take(den, turn, given);
  }
  static room_audience devices_of(std::vector<std::string> inboxes, std::string version = "v1") {
    room_audience audience;
    audience.version = std::move(version);
    audience.inboxes = std::move(inboxes);
    return audience;
  }
  void acknowledge() {
    bus.acknowledge();
    devices.acknowledge();
    timers.run_posted();
  }

  fake_clock time;
  fake_scheduler timers{time};
  recording_log log;
  metrics_registry metrics;
  fake_cluster_store data;
  fake_bus bus;
  fake_devices devices;
  fake_ownership ownership;
  room_publisher publisher;
};

using texts = std::vector<std::string>;

TEST_F(room_publisher_test, publishes_in_order_and_confirms_what_is_acknowledged) {
  take(1, {message(1), message(2)}, devices_of({"json mqtt#a/a"}));
  EXPECT_EQ(bus.take(), (texts{"room den 1", "room den 2"}));
  EXPECT_EQ(devices.take(), (texts{"den roomMessage 1 to json mqtt#a/a", "den roomMessage 2 to json mqtt#a/a"}));
  timers.run_posted();
  EXPECT_EQ(data.take(), texts{}) << "nothing is acknowledged yet";
  acknowledge();
  EXPECT_EQ(data.take(), texts{"published den 1 2"});
  EXPECT_EQ(publisher.held(), 0U) << "the store said that nothing is left";
  EXPECT_EQ(publisher.known_audience(den), "v1");
}

TEST_F(room_publisher_test, a_missing_acknowledgement_holds_back_what_comes_after) {
  take(1, {message(1), message(2), message(3)}, devices_of({"json mqtt#a/a"}));
  bus.acknowledge();
  devices.acknowledge_only(2);
  timers.run_posted();
  EXPECT_EQ(data.take(), texts{});
  devices.acknowledge_only(1);
  timers.run_posted();
  EXPECT_EQ(data.take(), texts{"published den 1 2"});
}

TEST_F(room_publisher_test, what_others_wrote_meanwhile_is_published_before_the_room_is_released) {
  publishing_turn more;
  more.ours = true;
  more.fence = 1;
  more.pending = {message(2)};
  data.answers.push_back(more);
  take(1, {message(1)});
  acknowledge();
  EXPECT_EQ(bus.take(), (texts{"room den 1", "room den 2"}));
  EXPECT_EQ(publisher.held(), 1U);
  EXPECT_EQ(publisher.last_given(den), 2U);
  acknowledge();
  EXPECT_EQ(data.take(), (texts{"published den 1 1", "published den 1 2"}));
  EXPECT_EQ(publisher.held(), 0U);
}

TEST_F(room_publisher_test, what_is_known_already_is_not_published_again) {
  take(1, {message(1)});
  take(1, {message(1), message(2)});
  EXPECT_EQ(bus.take(), (texts{"room den 1", "room den 2"}));
}

TEST_F(room_publisher_test, a_removal_that_the_broker_never_takes_does_not_hold_up_the_room) {
  room_entry removal = message(1);
  removal.kind = room_entry_kind::list_edited;
  removal.list = "blacklist";
  removed_member out;
  out.user = user_name("eve");
  removal.removed = {out};
  take(1, {removal, message(2)});
  int told = 0;
  for (int i = 0; i < 100 && publisher.held() > 0; ++i) {
    const texts sent = bus.take();
    const bool tells = std::find(sent.begin(), sent.end(), "all removed 1") != sent.end();
    told += tells ? 1 : 0;
    tells ? bus.refuse() : bus.acknowledge();
    timers.advance(std::chrono::milliseconds(300));
  }
  EXPECT_EQ(publisher.held(), 0U);
  EXPECT_EQ(told, 20);
  EXPECT_EQ(data.take(), texts{"published den 1 2"});
}

TEST_F(room_publisher_test, sends_again_from_the_first_that_failed_when_the_broker_is_back) {
  take(1, {message(1), message(2), message(3)});
  EXPECT_EQ(bus.take().size(), 3U);
  bus.up = false;
  bus.refuse();
  timers.advance(std::chrono::seconds(2));
  EXPECT_EQ(bus.take(), texts{});
  EXPECT_EQ(data.take(), texts{});
  bus.up = true;
  publisher.retry_all();
  EXPECT_EQ(bus.take(), (texts{"room den 1", "room den 2", "room den 3"}));
  acknowledge();
  EXPECT_EQ(data.take(), texts{"published den 1 3"});
}

TEST_F(room_publisher_test, asks_again_when_the_store_is_away) {
  take(1, {message(1)});
  data.away = true;
  acknowledge();
  EXPECT_EQ(data.take(), texts{"published den 1 1"});
  EXPECT_EQ(publisher.held(), 1U);
  data.away = false;
  timers.advance(std::chrono::seconds(1));
  EXPECT_EQ(data.take(), texts{"published den 1 1"});
  EXPECT_EQ(publisher.held(), 0U);
}

TEST_F(room_publisher_test, gives_up_a_room_that_somebody_else_has_taken_over) {
  take(1, {message(1)});
  publishing_turn theirs;
  theirs.fence = 2;
  publisher.take(den, theirs, {});
  EXPECT_EQ(publisher.held(), 0U);
  acknowledge();
  EXPECT_EQ(data.take(), texts{});
  take(3, {message(2)});
  EXPECT_EQ(publisher.last_given(den), 2U);
  take(2, {message(9)});
  EXPECT_EQ(publisher.last_given(den), 2U) << "an old answer";
}

TEST_F(room_publisher_test, who_joins_gets_what_comes_after_it_and_who_left_nothing_more) {
  // the audience is as after all of these
  take(1,
       {message(1), member(2, room_entry_kind::joined, "mqtt#b/b"), message(3),
        member(4, room_entry_kind::left, "mqtt#a/a"), message(5)},
       devices_of({"json mqtt#b/b", "json mqtt#c/c"}));
  EXPECT_EQ(devices.take(),
            (texts{"den roomMessage 1 to json mqtt#c/c", "den roomMessage 3 to json mqtt#c/c json mqtt#b/b",
                   "den roomMessage 5 to json mqtt#c/c json mqtt#b/b"}));
}

TEST_F(room_publisher_test, a_join_that_was_published_before_is_not_taken_back) {
  take(1, {member(1, room_entry_kind::joined, "mqtt#b/b")}, devices_of({"json mqtt#b/b"}));
  take(1, {member(1, room_entry_kind::joined, "mqtt#b/b"), message(2)}, devices_of({"json mqtt#b/b"}, "v2"));
  EXPECT_EQ(devices.take(), texts{"den roomMessage 2 to json mqtt#b/b"});
}

TEST_F(room_publisher_test, who_is_put_out_gets_nothing_that_comes_after) {
  room_entry edit = message(2);
  edit.kind = room_entry_kind::list_edited;
  edit.removed = {{user_name("bob"), {connection_id("mqtt#b/b"), connection_id("web1")}}};
  edit.switches.userlist_updates = true;
  take(1, {message(1), edit, message(3)}, devices_of({"json mqtt#a/a", "json mqtt#b/b"}));
  EXPECT_EQ(devices.take(), (texts{"den roomMessage 1 to json mqtt#a/a json mqtt#b/b", "den out mqtt#b/b web1",
                                   "den roomUserLeft to json mqtt#a/a", "den roomMessage 3 to json mqtt#a/a"}));
  EXPECT_EQ(bus.take(), (texts{"room den 1", "room den 2", "all removed 2", "room den 3"}));
}

TEST_F(room_publisher_test, no_more_is_under_way_than_the_link_takes) {
  std::vector<std::string> inboxes;
  for (int i = 0; i < 1000; ++i)
    inboxes.push_back("json mqtt#u/" + std::to_string(i));
  std::vector<room_entry> entries;
  for (std::uint64_t sequence = 1; sequence <= 10; ++sequence)
    entries.push_back(message(sequence));
  publishing_turn still_ours;
  still_ours.ours = true;
  still_ours.fence = 1;
  data.answers = {still_ours, still_ours};
  take(1, entries, devices_of(inboxes));
  EXPECT_EQ(bus.take(), (texts{"room den 1", "room den 2", "room den 3", "room den 4"}));
  acknowledge();
  EXPECT_EQ(bus.take(), (texts{"room den 5", "room den 6", "room den 7", "room den 8"}));
  acknowledge();
  EXPECT_EQ(bus.take(), (texts{"room den 9", "room den 10"}));
  acknowledge();
  EXPECT_EQ(data.take().back(), "published den 1 10");
  EXPECT_EQ(publisher.held(), 0U);
}

TEST_F(room_publisher_test, shared_topics_are_published_to_as_long_as_somebody_may_read_them) {
  room_entry coming = member(1, room_entry_kind::joined, "mqtt#b/b");
  coming.reads = "shared cbor";
  take(1, {coming, message(2)});
  EXPECT_EQ(devices.take(), texts{"den roomMessage 2 to shared cbor"});
}

}  // namespace
}  // namespace roombus::test
