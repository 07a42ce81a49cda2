#include "bridge/cluster/device_partitions.hpp"

#include "tests/bridge/cluster/device_cluster.hpp"

namespace roombus::cluster {
namespace {

using strings = std::vector<std::string>;

class device_parts : public device_cluster {
 protected:
  /// A second instance that has got 7 of the 20 devices which the first one left behind when the store failed.
  member& add_half_way() {
    member& a = add("a~1");
    tell();
    join_all(many(20));
    member& b = add("b~1");
    a.parts.hand_over_all().detach();
    gone.insert("a~1");
    table.registered.erase("a~1");
    table.adoptions_fail_after = 7;
    tell();
    return b;
  }
};

TEST_F(device_parts, one_instance_serves_all) {
  birth("early/c1");
  member& a = add("a~1");
  timers.run_posted();
  EXPECT_EQ(call("alice/c1", "listOwnSockets", ""), strings{}) << "nobody has the device";
  EXPECT_EQ(a.not_owned(), 2);
  tell();
  EXPECT_EQ(a.parts.open_count(), partition_count);
  EXPECT_EQ(table.owners[7].incarnation, "a~1");
  EXPECT_EQ(rooms_of("early/c1"), "") << "connected: the birth that the broker kept was read again";
  EXPECT_EQ(call("alice/c1", "listOwnSockets", ""), strings{R"({"result":{"mqtt#alice/c1":[]}})"});
  const std::size_t looks = table.looks;
  timers.advance(4s);
  EXPECT_EQ(table.looks, looks) << "nothing to do, nothing asked";
}

TEST_F(device_parts, two_share_the_devices_and_each_request_is_run_once) {
  member& a = add("a~1");
  member& b = add("b~1");
  tell();
  live(5s);
  EXPECT_EQ(a.parts.open_count() + b.parts.open_count(), partition_count);
  EXPECT_GT(a.parts.open_count(), 90U);
  EXPECT_GT(b.parts.open_count(), 90U);
  for (const std::string& device : many(40))
    EXPECT_EQ(call(device, "roomJoin", R"(["kitchen"])"), strings{R"({"result":1})"}) << device;
  EXPECT_EQ(a.chat.connection_count() + b.chat.connection_count(), 40U);
  EXPECT_GT(a.chat.connection_count(), 8U);
  EXPECT_GT(b.chat.connection_count(), 8U);
  EXPECT_EQ(a.not_owned() + b.not_owned(), 40);
}

TEST_F(device_parts, a_new_instance_gets_its_share_and_nobody_notices) {
  member& a = add("a~1");
  tell();
  const strings devices = many(30);
  join_all(devices);
  for (const std::string& device : devices)
    birth(device);
  live(70s);
  broker.published.clear();
  member& b = add("b~1");
  live(10s);
  EXPECT_GT(b.parts.open_count(), 90U);
  EXPECT_GT(b.chat.connection_count(), 5U);
  EXPECT_EQ(a.chat.connection_count() + b.chat.connection_count(), 30U);
  EXPECT_EQ(stored("a~1") + stored("b~1"), 30U);
  EXPECT_EQ(stored("b~1"), b.chat.connection_count());
  EXPECT_EQ(notified("roomUserLeft"), 0U);
  EXPECT_EQ(notified("loginConfirmed"), 0U);
  live(5min);
  EXPECT_EQ(a.chat.connection_count() + b.chat.connection_count(), 30U) << "their births were kept by the broker";
  for (const std::string& device : devices)
    EXPECT_EQ(call(device, "roomMessage", R"(["kitchen",{"a":1}])").size(), 1U) << device;
  for (const partition_owner& owner : table.owners)
    EXPECT_EQ(owner.incarnation.find('<'), std::string::npos) << owner.incarnation;
}

TEST_F(device_parts, devices_of_a_dead_instance_go_on) {
  member& a = add("a~1");
  add("b~1");
  member& c = add("c~1");
  tell();
  live(5s);
  const strings devices = many(30);
  join_all(devices);
  const std::size_t of_a = a.chat.connection_count();
  ASSERT_GT(of_a, 3U);
  kill(a);
  broker.published.clear();
  EXPECT_EQ(recover(c, "a~1"), strings{});
  EXPECT_EQ(stored("a~1"), 0U);
  tell();
  for (const std::string& device : devices)
    EXPECT_EQ(call(device, "roomMessage", R"(["kitchen",{"a":1}])").size(), 1U) << device;
  live(10s);  // and what is not its share goes on to the other
  EXPECT_EQ(notified("roomUserLeft"), 0U);
  for (const std::string& device : devices) {
    EXPECT_EQ(call(device, "roomMessage", R"(["kitchen",{"a":1}])").size(), 1U) << device;
    EXPECT_EQ(rooms_of(device), "kitchen;") << device;
  }
}

TEST_F(device_parts, a_clean_stop_hands_all_over) {
  member& a = add("a~1");
  member& b = add("b~1");
  tell();
  live(5s);
  join_all(many(20));
  broker.published.clear();
  auto handing = a.parts.hand_over_all();
  EXPECT_TRUE(handing.done());
  EXPECT_EQ(a.chat.connection_count(), 0U);
  EXPECT_EQ(a.devices.device_count(), 0U);
  EXPECT_EQ(a.parts.open_count(), 0U);
  gone.insert("a~1");
  table.registered.erase("a~1");
  tell();
  EXPECT_EQ(b.parts.open_count(), partition_count) << "at once";
  EXPECT_EQ(b.chat.connection_count(), 20U);
  EXPECT_EQ(stored("a~1"), 0U);
  EXPECT_EQ(notified("roomUserLeft"), 0U);
  EXPECT_EQ(notified("socketDisconnectEcho"), 0U);
  for (const std::string& device : many(20))
    EXPECT_EQ(rooms_of(device), "kitchen;") << device;
  a.parts.members_changed({"a~1", "b~1"});
  timers.advance(10s);
  EXPECT_EQ(a.parts.open_count(), 0U) << "it takes nothing more";
}

TEST_F(device_parts, the_last_one_leaves_its_devices_to_whoever_comes) {
  member& a = add("a~1");
  tell();
  join_all(many(5));
  a.parts.hand_over_all().detach();
  gone.insert("a~1");
  table.registered.erase("a~1");
  EXPECT_EQ(table.owners[0].incarnation, "<a~1");
  member& next = add("a~2");
  tell();
  EXPECT_EQ(next.chat.connection_count(), 5U);
  EXPECT_EQ(rooms_of("user3/c3"), "kitchen;");
}

TEST_F(device_parts, one_that_has_stopped_gets_nothing_even_while_it_is_taken_for_living) {
  member& a = add("a~1");
  member& b = add("b~1");
  tell();
  live(5s);
  join_all(many(10));
  a.parts.hand_over_all().detach();
  b.parts.hand_over_all().detach();
  gone = {"a~1", "b~1"};
  member& c = add("c~1");
  for (int i = 0; i < 20; ++i) {
    timers.advance(1s);
    c.parts.members_changed({"a~1", "b~1", "c~1"});
    timers.run_posted();
  }
  EXPECT_EQ(c.parts.open_count(), partition_count);
  EXPECT_EQ(c.chat.connection_count(), 10U);
  c.parts.members_changed({"c~1"});
  member& d = add("d~1");
  live(20s);
  EXPECT_GT(d.parts.open_count(), 90U);
}

TEST_F(device_parts, a_request_of_before_is_not_run_again_by_the_next_owner) {
  member& a = add("a~1");
  tell();
  join_all({"alice/c1"});
  member& b = add("b~1");
  b.link.lags = true;  // what the broker sends to it is on its way for long
  broker.published.clear();
  publish("alice/c1", "call/roomMessage/7", R"(["kitchen",{"a":1}])");
  EXPECT_EQ(payloads_on("roombus/u/alice/c1/reply/7").size(), 1U);
  a.parts.hand_over_all().detach();
  gone.insert("a~1");
  tell();
  EXPECT_EQ(table.owners[0].incarnation, "b~1<a~1");
  EXPECT_EQ(b.parts.open_count(), 0U) << "taken, but not served before all that was sent has passed";
  EXPECT_EQ(b.chat.connection_count(), 1U);
  b.link.lags = false;
  broker.deliver_soon();
  timers.run_posted();
  EXPECT_EQ(b.parts.open_count(), partition_count);
  EXPECT_EQ(payloads_on("roombus/u/alice/c1/reply/7").size(), 1U);
  EXPECT_EQ(call("alice/c1", "roomMessage", R"(["kitchen",{"a":2}])"), strings{R"({"result":2})"});
}

TEST_F(device_parts, what_runs_is_finished_before_it_is_given_away) {
  member& a = add("a~1");
  tell();
  join_all({"alice/c1"});
  completion<bool> go_on;
  a.data.before = [go_on](std::string operation) -> task<result<void>> {
    if (operation == "append") co_await go_on;
    co_return result<void>();
  };
  broker.published.clear();
  publish("alice/c1", "call/roomMessage/1", R"(["kitchen",{"a":1}])");
  auto handing = a.parts.hand_over_all();
  EXPECT_FALSE(handing.done());
  EXPECT_EQ(table.owners[partition_of("alice/c1")].incarnation, "a~1");
  publish("alice/c1", "call/roomMessage/2", R"(["kitchen",{"a":2}])");
  go_on.complete(true);
  timers.run_posted();
  EXPECT_TRUE(handing.done());
  EXPECT_EQ(payloads_on("roombus/u/alice/c1/reply/1").size(), 1U);
  EXPECT_EQ(payloads_on("roombus/u/alice/c1/reply/2").size(), 0U) << "came too late";
  EXPECT_EQ(a.not_owned(), 1);
  EXPECT_EQ(table.owners[partition_of("alice/c1")].incarnation, "<a~1");
}

TEST_F(device_parts, what_runs_for_too_long_is_left_alone) {
  member& a = add("a~1");
  tell();
  join_all({"alice/c1"});
  completion<bool> go_on;
  a.data.before = [go_on](std::string operation) -> task<result<void>> {
    if (operation == "append") co_await go_on;
    co_return result<void>();
  };
  publish("alice/c1", "call/roomMessage/1", R"(["kitchen",{"a":1}])");
  publish("alice/c1", "call/roomMessage/2", R"(["kitchen",{"a":2}])");
  auto handing = a.parts.hand_over_all();
  timers.advance(9999ms);
  EXPECT_FALSE(handing.done());
  timers.advance(1ms);
  EXPECT_TRUE(handing.done());
  EXPECT_EQ(a.chat.connection_count(), 0U);
  EXPECT_EQ(a.not_owned(), 1) << "the one that waited";
  go_on.complete(true);
  timers.run_posted();
  EXPECT_EQ(a.devices.device_count(), 0U);
  EXPECT_EQ(rooms_of("alice/c1"), "kitchen;");
}

TEST_F(device_parts, under_another_name_all_is_forgotten_without_a_word) {
  member& a = add("a~1");
  tell();
  join_all(many(3));
  broker.published.clear();
  a.parts.start("a~2");
  timers.run_posted();
  EXPECT_EQ(a.chat.connection_count(), 0U);
  EXPECT_EQ(a.devices.device_count(), 0U);
  EXPECT_EQ(stored("a~1"), 3U);
  EXPECT_TRUE(broker.published.empty());
  EXPECT_EQ(call("user0/c0", "listOwnSockets", ""), strings{});
  table.registered = {"a~2"};
  a.parts.members_changed({"a~2"});
  timers.run_posted();
  EXPECT_EQ(a.chat.connection_count(), 3U) << "of the name that nobody goes by any more";
  EXPECT_EQ(call("user0/c0", "listOwnSockets", ""), strings{R"({"result":{"mqtt#user0/c0":["kitchen"]}})"});
}

TEST_F(device_parts, parts_of_one_who_is_still_to_be_recovered_are_left_alone) {
  member& a = add("a~1");
  tell();
  join_all(many(3));
  member& b = add("b~1");
  kill(a);
  live(30s);
  EXPECT_EQ(b.parts.open_count(), 0U);
  recover(b, "a~1");
  EXPECT_EQ(b.parts.open_count(), partition_count);
  EXPECT_EQ(b.chat.connection_count(), 3U);
}

TEST_F(device_parts, who_hears_nothing_for_long_serves_nobody_and_ends_nobody) {
  member& a = add("a~1");
  member& b = add("b~1");
  tell();
  live(5s);
  join_all(many(10));  // without births: they would idle out
  const std::size_t of_a = a.chat.connection_count();
  ASSERT_GT(of_a, 0U);
  // a stands still: neither heartbeats nor messages; the others go on without it
  gone.insert("a~1");
  a.link.lags = true;
  for (int i = 0; i < 40; ++i) {
    timers.advance(4s);
    b.parts.members_changed({"b~1"});
    timers.run_posted();
    if (i == 8) recover(b, "a~1");
    for (const std::string& device : i % 5 == 4 && i > 8 ? many(10) : strings())
      EXPECT_EQ(call(device, "listOwnSockets", "").size(), 1U) << device;
  }
  EXPECT_EQ(b.chat.connection_count(), 10U);
  for (const std::string& device : many(10))
    EXPECT_EQ(rooms_of(device), "kitchen;") << device << ": ended by one that does not serve it any more";
  broker.published.clear();
  a.link.lags = false;  // it wakes up with all that came meanwhile
  broker.deliver_soon();
  timers.run_posted();
  EXPECT_TRUE(broker.published.empty());
  a.parts.members_changed({"a~1", "b~1"});
  timers.run_posted();
  EXPECT_EQ(a.chat.connection_count(), 0U);
  EXPECT_EQ(stored("b~1"), 10U);
}

TEST_F(device_parts, a_store_that_fails_half_way_is_asked_again) {
  member& b = add_half_way();
  EXPECT_EQ(b.parts.open_count(), 0U);
  EXPECT_EQ(call("user0/c0", "listOwnSockets", ""), strings{}) << "it might have rooms that nobody knows here";
  table.adoptions_fail_after = -1;
  live(5s);
  EXPECT_EQ(b.parts.open_count(), partition_count);
  EXPECT_EQ(b.chat.connection_count(), 20U);
  for (const std::string& device : many(20))
    EXPECT_EQ(call(device, "roomMessage", R"(["kitchen",{"a":1}])").size(), 1U) << device;
}

TEST_F(device_parts, one_that_dies_while_it_takes_over_leaves_nobody_behind) {
  member& b = add_half_way();
  EXPECT_EQ(stored("b~1"), 7U);
  EXPECT_EQ(stored("a~1"), 13U);
  kill(b);
  table.adoptions_fail_after = -1;
  member& c = add("c~1");
  EXPECT_EQ(recover(c, "b~1"), strings{});
  tell();
  EXPECT_EQ(c.chat.connection_count(), 20U);
  EXPECT_EQ(stored("c~1"), 20U);
  EXPECT_EQ(c.parts.open_count(), partition_count);
}

TEST_F(device_parts, recovery_waits_for_another_who_is_taking_the_same_devices_over) {
  member& a = add("a~1");
  tell();
  join_all(many(10));
  a.parts.hand_over_all().detach();  // and dies before it could forget its name
  gone.insert("a~1");
  member& b = add("b~1");
  table.adoptions_fail_after = 3;
  tell();  // b has the parts, and some of the devices
  member& c = add("c~1");
  auto records = real->instance_connections("a~1").take();
  ASSERT_EQ(records->size(), 7U);
  auto taking = c.parts.take_devices_of("a~1", *records);
  timers.advance(1s);
  EXPECT_FALSE(taking.done());
  table.adoptions_fail_after = -1;
  live(5s);
  ASSERT_TRUE(taking.done());
  EXPECT_TRUE(taking.take()->empty());
  EXPECT_EQ(stored("a~1"), 0U);
  EXPECT_EQ(b.chat.connection_count() + c.chat.connection_count(), 10U);
}

TEST_F(device_parts, devices_that_nobody_will_take_over_are_told) {
  member& a = add("a~1");
  tell();
  connection_record lost;
  lost.user = user_name("ghost");
  lost.id = connection_id("mqtt#ghost/c1");
  lost.instance = "x~1";
  ASSERT_TRUE(real->connect(lost, 10).take().has_value());
  EXPECT_EQ(recover(a, "x~1"), strings{"mqtt#ghost/c1"});
}

TEST_F(device_parts, a_recovery_that_the_store_refuses_is_an_error) {
  member& a = add("a~1");
  tell();
  join_all(many(3));
  member& b = add("b~1");
  kill(a);
  auto records = real->instance_connections("a~1").take();
  table.fails = true;
  auto taking = b.parts.take_devices_of("a~1", *records);
  timers.advance(1s);
  ASSERT_TRUE(taking.done());
  EXPECT_FALSE(taking.take().has_value());
  table.fails = false;
  EXPECT_EQ(recover(b, "a~1"), strings{});
  EXPECT_EQ(b.chat.connection_count(), 3U);
}

TEST_F(device_parts, who_is_put_out_of_a_room_on_the_way_does_not_come_back_into_it) {
  member& a = add("a~1");
  tell();
  join_all({"alice/c1"});
  member& b = add("b~1");
  a.parts.hand_over_all().detach();
  gone.insert("a~1");
  table.after_adopt = [this] {
    // by another instance, whose word about it comes before the device is known at the new one
    auto edit =
        real->edit_list(room_name("kitchen"), actor(user_name(), true), "blacklist", true, {user_name("alice")}, 10);
    EXPECT_EQ(edit.take()->removed.size(), 1U);
  };
  tell();
  EXPECT_EQ(b.chat.connection_count(), 1U);
  roombus::call say;
  say.user = user_name("alice");
  say.id = connection_id("mqtt#alice/c1");
  say.command = "roomMessage";
  say.args = {value("kitchen"), value(value_map{{"a", value(1)}})};
  EXPECT_FALSE(b.chat.execute(std::move(say)).take().has_value());
  EXPECT_EQ(std::count(b.log.lines.begin(), b.log.lines.end(), "device_taken_over: mqtt#alice/c1"), 2)
      << "once with the room, once without";
}

// ---- who is still there after a takeover

TEST_F(device_parts, who_went_while_nobody_listened_is_ended_by_the_will_that_the_broker_kept) {
  member& a = add("a~1");
  tell();
  for (const char* device : {"alice/c1", "bob/c1", "carol/c1"}) {
    birth(device);
    join_all({device});
  }
  join_all({"silent/c1"});  // has no birth
  live(70s);
  call("silent/c1", "listOwnSockets", "");
  member& b = add("b~1");
  a.parts.hand_over_all().detach();
  gone.insert("a~1");
  table.registered.erase("a~1");
  will("bob/c1");
  live(1s);
  EXPECT_EQ(b.chat.connection_count(), 3U + 1U);
  broker.published.clear();
  timers.advance(3s);
  tell();
  EXPECT_EQ(rooms_of("bob/c1"), "none");
  live(110s);
  EXPECT_EQ(rooms_of("silent/c1"), "kitchen;");
  live(10s);
  EXPECT_EQ(rooms_of("silent/c1"), "none") << "without a birth it has to send something now and then";
  EXPECT_EQ(rooms_of("alice/c1"), "kitchen;") << "its birth is kept by the broker";
}

TEST_F(device_parts, births_kept_by_a_broker_that_has_just_come_do_not_count) {
  member& a = add("a~1");
  tell();
  birth("alice/c1");
  member& b = add("b~1");
  kill(a);
  recover(b, "a~1");  // nobody can say whether the broker was there all the time
  live(50s);
  EXPECT_EQ(rooms_of("alice/c1"), "");
  live(15s);
  EXPECT_EQ(rooms_of("alice/c1"), "none");
}

TEST_F(device_parts, births_kept_by_a_broker_that_was_there_all_the_time_count) {
  member& a = add("a~1");
  tell();
  birth("alice/c1");
  member& b = add("b~1");
  live(61s);
  kill(a);
  recover(b, "a~1");
  live(5min);
  EXPECT_EQ(rooms_of("alice/c1"), "");
}

TEST_F(device_parts, a_device_shows_itself_to_the_one_who_waits_for_it) {
  member& a = add("a~1");
  tell();
  for (const std::string& device : many(30))
    birth(device);
  a.link.go_down();
  a.link.go_up();  // now all have to show themselves
  member& b = add("b~1");
  live(10s);
  EXPECT_GT(b.parts.open_count(), 50U);
  EXPECT_EQ(b.chat.connection_count(), 0U) << "parts without devices are given away at once";
  for (const std::string& device : many(30))
    birth(device);
  live(10s);
  EXPECT_GT(b.parts.open_count(), 90U);
  EXPECT_GT(b.chat.connection_count(), 5U);
}

TEST_F(device_parts, statuses_read_again_end_nobody_who_is_there) {
  member& a = add("a~1");
  will("alice/c1");  // of an earlier life; now it only sends requests
  tell();
  join_all({"alice/c1"});
  member& b = add("b~1");
  live(10s);
  EXPECT_GT(b.parts.open_count(), 90U);
  EXPECT_EQ(rooms_of("alice/c1"), owner_of("alice/c1") == &a ? "kitchen;" : "none");
}

}  // namespace
}  // namespace roombus::cluster
