#include "tests/bridge/mqtt/bridge_fixture.hpp"

namespace roombus::mqtt {
namespace {

using strings = std::vector<std::string>;
class bridge_presence : public bridge_fixture {};

TEST_F(bridge_presence, birth_connects_and_a_will_leaves_the_rooms_after_the_grace) {
  status("sensor/c1", "online");
  EXPECT_EQ(topics(), strings{"u/sensor/c1/event/loginConfirmed"});
  join("sensor/c1");
  join("alice/c1");
  status("sensor/c1", "offline");
  timers.advance(1999ms);
  EXPECT_EQ(topics(), strings{});
  timers.advance(1ms);
  EXPECT_EQ(payload_on("roombus/u/alice/c1/room/kitchen/roomUserLeft"), R"({"room":"kitchen","user":"sensor"})");
  EXPECT_EQ(topics(), strings{"u/alice/c1/room/kitchen/roomUserLeft"});
  EXPECT_EQ(devices->device_count(), 1u);
  EXPECT_EQ(chat.connection_count(), 1u);
}

TEST_F(bridge_presence, a_takeover_changes_nothing) {
  status("sensor/c1", "online");
  join("sensor/c1");
  status("sensor/c1", "offline");
  status("sensor/c1", "online");
  timers.advance(10min);
  EXPECT_EQ(topics(), strings{});
  EXPECT_EQ(chat.connection_count(), 1u);
}

TEST_F(bridge_presence, a_device_without_birth_ends_when_idle) {
  join("alice/c1");
  timers.advance(100s);
  call("alice/c1", "listOwnSockets", "");
  timers.advance(119999ms);
  EXPECT_EQ(chat.connection_count(), 1u);
  timers.advance(1ms);
  EXPECT_EQ(chat.connection_count(), 0u);
  EXPECT_EQ(devices->device_count(), 0u);
  EXPECT_EQ(timers.pending(), 0u);
}

TEST_F(bridge_presence, after_its_end_a_request_is_a_new_life) {
  join("alice/c1");
  timers.advance(120s);
  EXPECT_EQ(call("alice/c1", "roomLeave", R"(["kitchen"])"), R"({"result":0})");
  EXPECT_EQ(payload_on("roombus/u/alice/c1/event/loginConfirmed"), R"({"user":"alice","data":{"id":"mqtt#alice/c1"}})");
}

TEST_F(bridge_presence, lost_link_keeps_connections_until_they_had_time_to_show_themselves) {
  status("alice/c1", "online");
  status("bob/c1", "online");
  link.go_down();
  timers.advance(1h);
  EXPECT_EQ(chat.connection_count(), 2u);
  link.go_up();
  status("alice/c1", "online", true);
  status("bob/c1", "online", true);
  timers.advance(30s);
  status("alice/c1", "online");
  timers.advance(29999ms);
  EXPECT_EQ(chat.connection_count(), 2u);
  timers.advance(1ms);
  EXPECT_EQ(chat.connection_count(), 1u);
  timers.advance(1h);
  EXPECT_EQ(chat.connection_count(), 1u);
}

class bridge_presence_with_forgetful_broker : public bridge_fixture {
 protected:
  static bridge_options forgetful() {
    bridge_options options = mosquitto();
    options.births_are_fresh = true;
    return options;
  }
  bridge_presence_with_forgetful_broker() : bridge_fixture(forgetful()) {}
};

TEST_F(bridge_presence_with_forgetful_broker, a_kept_birth_counts) {
  status("alice/c1", "online");
  status("bob/c1", "online");
  link.go_down();
  status("bob/c1", "online", true);  // a broker session brings it before the link is up
  link.go_up();
  status("alice/c1", "online", true);
  status("carol/c1", "online", true);
  timers.advance(1h);
  EXPECT_EQ(chat.connection_count(), 3u);
}

TEST_F(bridge_presence, closed_by_the_service) {
  status("alice/c1", "online");
  chat.call_api("disconnectUserSockets", value(value_list{value("alice")})).detach();
  EXPECT_EQ(chat.connection_count(), 1u) << "the end is reported after the call";
  timers.run_posted();
  EXPECT_EQ(chat.connection_count(), 0u);
  EXPECT_EQ(devices->device_count(), 0u);
  EXPECT_TRUE(call("alice/c1", "listOwnSockets", "").starts_with(R"({"result":)")) << "a request begins a new life";
}

TEST_F(bridge_presence, nobody_comes_in_while_the_service_closes) {
  auto closing = chat.close();
  link.take();
  EXPECT_TRUE(call("alice/c1", "listOwnSockets", "").starts_with(R"({"error":{"code":"unavailable")"));
  EXPECT_TRUE(payload_on("roombus/u/alice/c1/event/loginRejected").starts_with(R"({"error":{"code":"unavailable")"));
  EXPECT_EQ(devices->device_count(), 0u);
}

TEST_F(bridge_presence, stop_ends_all_connections_and_then_the_link) {
  status("alice/c1", "online");
  join("bob/c1");
  bool stopped = false;
  devices->stop(5s, [&] { stopped = true; });
  EXPECT_TRUE(stopped);
  EXPECT_EQ(link.stop_limit, 5s);
  EXPECT_EQ(chat.connection_count(), 0u);
  EXPECT_EQ(devices->device_count(), 0u);
}

TEST_F(bridge_presence, while_it_stops_nothing_is_taken) {
  devices->stop(5s, [] {});
  link.deliver(message("alice/c1", "call/listOwnSockets/1", ""));
  EXPECT_EQ(topics(), strings{});
  EXPECT_EQ(ignored_because("stopping"), 1);
}

TEST_F(bridge_presence, sinks_and_gauges_outlive_the_bridge) {
  join("alice/c1");
  EXPECT_EQ(metric("roombus_mqtt_connections"), 1);
  devices.reset();
  EXPECT_EQ(timers.pending(), 0u);
  EXPECT_EQ(metric("roombus_mqtt_connections"), 0);
  auto closing = chat.close();
  timers.run_posted();
  EXPECT_EQ(topics(), strings{});
  timers.advance(15s);
  EXPECT_TRUE(closing.done());
}

TEST_F(bridge_presence, what_the_broker_does_not_take_is_counted) {
  join("alice/c1");
  link.answer = publish_outcome::dropped;
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/roomMessage/1", R"(["kitchen",{"a":1}])")));
  EXPECT_EQ(metric("roombus_mqtt_events_dropped_total"), 1);
  EXPECT_EQ(metric("roombus_mqtt_replies_dropped_total"), 1);
  const auto warnings = std::count_if(log.lines.begin(), log.lines.end(),
                                      [](const std::string& line) { return line.starts_with("mqtt_dropped"); });
  EXPECT_EQ(warnings, 1) << "one line for many";
}

}  // namespace
}  // namespace roombus::mqtt
