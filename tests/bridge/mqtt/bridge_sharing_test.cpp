// A bridge that shares the broker with the bridges of other instances: what is not owned, taken over, let go. The test
// plays the broker's plugin where there is one. With several instances together: tests/bridge/cluster.

#include <set>

#include "tests/bridge/mqtt/bridge_fixture.hpp"

namespace roombus::mqtt {
namespace {

using strings = std::vector<std::string>;

class sharing_fixture : public bridge_fixture {
 protected:
  explicit sharing_fixture(bridge_options options = mosquitto()) {
    devices.reset();  // or its end would take from the service what the next one has set
    devices =
        std::make_unique<bridge>(std::move(options), bridge::environment{chat, link, timers, time, log, more_metrics});
    device_sharing how;
    how.owns = [this](std::string_view device) { return owned.contains(std::string(device)); };
    how.nonce = "n1";
    devices->share_devices(std::move(how));
    devices->start();
    link.go_down();
    link.go_up();
  }

  /// As another instance's device that is in the store, and in the kitchen.
  void take_over(const std::string& device, bool sure = false) {
    const std::string user = device.substr(0, device.find('/'));
    connection_record record;
    record.user = user_name(user);
    record.id = connection_id("mqtt#" + device);
    record.instance = "instance";
    ASSERT_TRUE(data->connect(record, 10).take().has_value());
    join_request joining;
    joining.room = room_name("kitchen");
    joining.user = record.user;
    joining.id = record.id;
    ASSERT_TRUE(data->begin_join(joining).take().has_value());
    ASSERT_TRUE(data->confirm_join(joining, history_request()).take().has_value());
    adopted_device from;
    from.user = record.user;
    from.id = record.id;
    from.rooms = {room_name("kitchen")};
    from.sure = sure;
    std::vector<adopted_device> all;
    all.push_back(std::move(from));
    devices->take_over(std::move(all));
  }
  long not_owned() const {
    const std::string text = more_metrics.render();
    const std::string line = "roombus_mqtt_ignored_total{reason=\"not_owned\"} ";
    return std::stol(text.substr(text.find(line) + line.size()));
  }

  metrics_registry more_metrics;
  std::set<std::string> owned;
};

class bridge_sharing : public sharing_fixture {};

TEST_F(bridge_sharing, what_others_own_is_dropped) {
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/listOwnSockets/1", "")));
  ASSERT_TRUE(link.deliver(message("alice/c1", "send/kitchen", "{}")));
  ASSERT_TRUE(link.deliver(message("alice/c1", "status", "online")));
  EXPECT_EQ(topics(), strings{});
  EXPECT_EQ(not_owned(), 3);
  EXPECT_EQ(devices->device_count(), 0U);
  owned.insert("alice/c1");
  EXPECT_EQ(call("alice/c1", "listOwnSockets", ""), R"({"result":{"mqtt#alice/c1":[]}})");
}

TEST_F(bridge_sharing, a_device_that_is_taken_over_goes_on_without_a_word) {
  take_over("alice/c1");
  owned.insert("alice/c1");
  EXPECT_EQ(topics(), strings{});
  EXPECT_EQ(call("alice/c1", "listOwnSockets", ""), R"({"result":{"mqtt#alice/c1":["kitchen"]}})");
  EXPECT_EQ(topics(), strings{"u/alice/c1/reply/1"}) << "no login";
}

TEST_F(bridge_sharing, its_time_to_show_itself_runs_only_while_it_is_owned) {
  take_over("alice/c1");
  timers.advance(10min);
  EXPECT_EQ(chat.connection_count(), 1U);
  owned.insert("alice/c1");
  timers.advance(2s);
  EXPECT_EQ(chat.connection_count(), 0U);
}

TEST_F(bridge_sharing, letting_go_forgets_without_a_word) {
  owned = {"alice/c1", "bob/c1"};
  join("alice/c1");
  join("bob/c1");
  owned.erase("alice/c1");
  auto selected = [](std::string_view device) { return device == "alice/c1"; };
  auto going = devices->let_go(std::move(selected), 1s);
  EXPECT_TRUE(going.done());
  EXPECT_EQ(topics(), strings{});
  EXPECT_EQ(devices->device_count(), 1U);
  EXPECT_EQ(chat.connection_count(), 1U);
  EXPECT_FALSE(devices->serves(connection_id("mqtt#alice/c1")));
  const value kept = data->connections(user_name("alice")).take().value();
  EXPECT_NE(kept.if_map()->find("mqtt#alice/c1"), nullptr);
}

TEST_F(bridge_sharing, waits_for_what_was_sent_before_two_rounds_long) {
  auto caught_up = devices->catch_up();
  EXPECT_FALSE(caught_up.done());
  const auto echo = [this](const std::string& payload) {
    received_message m;
    m.topic = "roombus/bus/echo/n1";
    m.payload = payload;
    ASSERT_TRUE(link.deliver(std::move(m)));
  };
  EXPECT_EQ(payload_on("roombus/bus/echo/n1"), "1");
  link.take();
  timers.advance(1s);
  EXPECT_EQ(payload_on("roombus/bus/echo/n1"), "2") << "the first may be lost";
  echo("0");
  echo("nonsense");
  EXPECT_FALSE(caught_up.done());
  link.take();
  echo("1");
  EXPECT_FALSE(caught_up.done());
  EXPECT_EQ(payload_on("roombus/bus/echo/n1"), "3");
  echo("2");
  EXPECT_FALSE(caught_up.done());
  echo("3");
  EXPECT_TRUE(caught_up.done());
  link.take();
  timers.advance(5s);
  EXPECT_EQ(topics(), strings{});
  auto again = devices->catch_up();
  link.go_down();
  EXPECT_TRUE(again.done()) << "the next connection begins with nothing";
}

TEST_F(bridge_sharing, stopping_ends_what_is_owned_and_only_forgets_the_rest) {
  owned = {"alice/c1", "bob/c1"};
  join("alice/c1");
  join("bob/c1");
  owned = {"alice/c1"};
  bool stopped = false;
  devices->stop(5s, [&stopped] { stopped = true; });
  EXPECT_TRUE(stopped);
  EXPECT_EQ(devices->device_count(), 0U);
  EXPECT_EQ(data->connections(user_name("alice")).take()->if_map()->size(), 0U);
  EXPECT_EQ(data->connections(user_name("bob")).take()->if_map()->size(), 1U);
}

// ---- with the broker's plugin

class bridge_sharing_plugin : public sharing_fixture {
 protected:
  bridge_sharing_plugin() : sharing_fixture(with_plugin()) {}

  static bridge_options with_plugin() {
    bridge_options options = mosquitto();
    options.mode = delivery::automatic;
    options.plugin.use = plugin_use::require;
    options.plugin.instance = "i";
    options.plugin.life = "l";
    return options;
  }

  /// What went to the plugin since the last call, without the first lines.
  strings orders() {
    strings out;
    for (const outgoing_message& m : link.take()) {
      if (m.topic != "$CONTROL/roombus/v1") continue;
      const std::string& text = *m.payload;
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::size_t lease = text.rfind(' ', end - 1);
      const std::size_t sequence = text.rfind(' ', lease - 1);
      last_sequence = text.substr(sequence + 1, lease - sequence - 1);
      const std::size_t begin = std::string_view("roombus 1 i ").size();
      life = text.substr(begin, text.find(' ', begin) - begin);
      out.push_back(end == text.size() ? "" : text.substr(end + 1));
    }
    return out;
  }
  void say(const std::string& topic, const std::string& payload) {
    received_message m;
    m.topic = "roombus/bus/plugin/" + topic;
    m.payload = payload;
    ASSERT_TRUE(link.deliver(std::move(m))) << topic;
  }
  /// Answers the hello of before; what is said on that.
  strings answer_hello(const std::string& connected) {
    EXPECT_EQ(orders(), strings{"hello\namong"}) << "others are at work";
    say("answer/i", "state inc " + last_sequence + " 0 last" + connected);
    return orders();
  }
  std::string last_sequence;
  std::string life;  ///< in the last of them
};

// the list of grants that follows a hello must not take from them what the other one has not granted yet
TEST_F(bridge_sharing_plugin, what_a_device_that_goes_to_another_may_read_is_left_to_that_one) {
  owned = {"alice/c1"};
  answer_hello("\n2 alice c1");
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/roomJoin/1", "[\"kitchen\"]")));
  EXPECT_EQ(orders(), strings{"grant alice c1 2 - kitchen"});
  say("answer/i", "ack inc " + last_sequence + " ok");
  devices->presence_again();
  EXPECT_EQ(orders(), strings{"hello\namong"});
  EXPECT_EQ(life, "l");
  say("answer/i", "state inc " + last_sequence + " 0 last\n2 alice c1");
  orders();
  auto gone = devices->let_go([](std::string_view) { return true; }, std::chrono::milliseconds(0));
  EXPECT_TRUE(gone.done());
  devices->presence_again();
  EXPECT_EQ(orders(), strings{"hello\namong"});
  EXPECT_EQ(life, "l.1");
}

TEST_F(bridge_sharing_plugin, events_of_others_devices_are_ignored) {
  owned = {"alice/c1"};
  answer_hello("\n2 alice c1\n3 bob c1");
  EXPECT_EQ(chat.connection_count(), 1U);
  say("events", "connected inc 1 4 carol c1");
  say("events", "disconnected inc 2 3 bob c1 7");
  EXPECT_EQ(chat.connection_count(), 1U);
  owned.clear();  // for now: perhaps others took us for dead
  say("events", "disconnected inc 3 2 alice c1 7");
  EXPECT_EQ(chat.connection_count(), 1U);
}

TEST_F(bridge_sharing_plugin, what_was_held_is_dropped_when_the_device_has_gone_to_another_meanwhile) {
  owned = {"alice/c1"};
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/listOwnSockets/1", "")));
  ASSERT_TRUE(link.deliver(message("bob/c1", "call/listOwnSockets/1", "")));
  EXPECT_EQ(not_owned(), 1) << "what is not owned is not held";
  owned.clear();
  answer_hello("\n2 alice c1");
  EXPECT_EQ(not_owned(), 2);
  EXPECT_EQ(devices->device_count(), 0U);
}

TEST_F(bridge_sharing_plugin, the_plugin_says_who_of_those_taken_over_is_there) {
  answer_hello("");
  take_over("alice/c1");
  take_over("bob/c1");
  owned = {"alice/c1", "bob/c1", "new/c1"};
  EXPECT_EQ(chat.connection_count(), 2U);
  link.take();
  devices->presence_again();
  EXPECT_EQ(answer_hello("\n7 alice c1\n9 new c1"), (strings{"sync", "reset alice c1 7\ngrant alice c1 7 - kitchen"}));
  EXPECT_EQ(chat.connection_count(), 2U);
  EXPECT_EQ(data->connections(user_name("bob")).take()->if_map()->size(), 0U) << "went meanwhile";
  EXPECT_EQ(call("alice/c1", "listOwnSockets", ""), R"({"result":{"mqtt#alice/c1":["kitchen"]}})");
  timers.advance(10min);
  EXPECT_EQ(chat.connection_count(), 2U) << "no probation";
}

TEST_F(bridge_sharing_plugin, what_is_left_before_the_plugin_answers_is_not_granted_again) {
  answer_hello("");
  take_over("alice/c1");
  owned = {"alice/c1"};
  link.take();
  devices->presence_again();
  roombus::call leave;
  leave.user = user_name("alice");
  leave.id = connection_id("mqtt#alice/c1");
  leave.command = "roomLeave";
  leave.args = {value("kitchen")};
  leave.local = true;
  EXPECT_TRUE(chat.execute(std::move(leave)).take().has_value());
  EXPECT_EQ(answer_hello("\n7 alice c1"), (strings{"sync", "reset alice c1 7"}));
}

TEST_F(bridge_sharing_plugin, rooms_that_were_left_on_the_way_are_corrected) {
  answer_hello("");
  take_over("alice/c1");
  devices->correct_rooms(connection_id("mqtt#alice/c1"), {});
  owned = {"alice/c1"};
  link.take();
  devices->presence_again();
  EXPECT_EQ(answer_hello("\n7 alice c1"), (strings{"sync", "reset alice c1 7"}));
  EXPECT_EQ(chat.connection_count(), 1U);
}

TEST_F(bridge_sharing_plugin, a_device_has_the_rights_of_its_login_again) {
  answer_hello("");
  take_over("alice/c1");
  owned = {"alice/c1"};
  roombus::call before;
  before.user = user_name("alice");
  before.id = connection_id("mqtt#alice/c1");
  before.command = "roomHistoryInfo";
  before.args = {value("kitchen")};
  const auto early = chat.execute(before).take();
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code(), errc::not_allowed) << "nothing while they are not known";
  link.take();
  devices->presence_again();
  answer_hello("\n7 alice c1");
  EXPECT_TRUE(chat.execute(before).take().has_value());
}

// what one bridge granted and another takes away is put in the order of the room's log by the plugin, and by the bridge
TEST_F(bridge_sharing_plugin, a_removal_of_before_a_grant_does_not_end_it) {
  owned = {"alice/c1"};
  answer_hello("\n2 alice c1");
  data->amend_begun = [](begun_join& begun) { begun.at = {"e 1", 5}; };
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/roomJoin/1", R"(["kitchen"])")));
  EXPECT_EQ(orders(), strings{"grant alice c1 2 e%201.5 kitchen"});
  say("answer/i", "ack inc " + last_sequence + " ok");
  const connection_id alice("mqtt#alice/c1");
  devices->shut_out(room_name("kitchen"), {alice}, {"e 1", 3});
  EXPECT_EQ(orders(), strings{"revoke alice c1 0 e%201.3 kitchen"});
  devices->presence_again();
  const strings anew = answer_hello("\n2 alice c1");
  ASSERT_FALSE(anew.empty());
  EXPECT_EQ(anew.front(), "sync\ngrant alice c1 2 e%201.5 kitchen");
  devices->shut_out(room_name("kitchen"), {alice}, {"e 1", 7});
  EXPECT_EQ(orders(), strings{"revoke alice c1 0 e%201.7 kitchen"});
  devices->presence_again();
  EXPECT_EQ(answer_hello("\n2 alice c1").front(), "sync");
}

TEST_F(bridge_sharing_plugin, grants_outlive_the_bridge_that_lets_go_or_stops) {
  owned = {"alice/c1", "bob/c1"};
  answer_hello("\n2 alice c1\n3 bob c1");
  for (const char* who : {"alice/c1", "bob/c1"})
    ASSERT_TRUE(link.deliver(message(who, "call/roomJoin/1", R"(["kitchen"])")));
  EXPECT_EQ(orders(), (strings{"grant alice c1 2 - kitchen", "grant bob c1 3 - kitchen"}));
  say("answer/i", "ack inc " + last_sequence + " ok");
  owned.clear();
  auto everybody = [](std::string_view) { return true; };
  EXPECT_TRUE(devices->let_go(std::move(everybody), 1s).done());
  devices->stop(1s, [] {});
  EXPECT_EQ(orders(), strings{}) << "until the next one grants, or the lease is over";
}

}  // namespace
}  // namespace roombus::mqtt
