// Bus and room output of two instances over a real Mosquitto, with the plugin where it can be loaded.

#include <gtest/gtest.h>

#include <csignal>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "adapters/mosquitto/mosquitto_process.hpp"
#include "bridge/cluster/mqtt_bus.hpp"
#include "bridge/cluster/room_output.hpp"
#include "bridge/paho/paho_link.hpp"
#include "tests/support/live_loop.hpp"

namespace roombus::mqtt {
namespace {

using namespace std::chrono_literals;
using strings = std::vector<std::string>;

/// One instance's end: a link of its own, and the bus on it.
struct member {
  member(const paho_options& options, const std::string& name, event_loop& loop, random_source& random, log_sink& log)
      : link(make_paho_link(options, loop, random, log, metrics)),
        bus(mqtt_bus_options(), mqtt_cluster_bus::environment{*link, loop, log, metrics}) {
    cluster_bus_handlers handlers;
    handlers.on_up = [this] { ++ups; };
    handlers.on_down = [this] { ++downs; };
    handlers.on_message = [this](const value_map& m) { heard.push_back(*m.find("t")->if_text()); };
    bus.open(name, std::move(handlers));
    link_handlers raw;
    raw.on_up = [this] { bus.link_up(); };
    raw.on_down = [this](std::string_view) { bus.link_down(); };
    raw.on_message = [this](received_message m) {
      if (!bus.take(m)) others.push_back(m.topic + " " + m.payload);
    };
    link->start({}, std::move(raw));
  }

  metrics_registry metrics;
  std::unique_ptr<mqtt_link> link;
  mqtt_cluster_bus bus;
  int ups = 0;
  int downs = 0;
  strings heard;
  strings others;
};

class BusOnMosquitto : public ::testing::TestWithParam<protocol_version> {
 protected:
  BusOnMosquitto() {
    mosquitto::process_options o;
    o.device_port = 0;
    o.dev = true;
#ifdef ROOMBUS_PLUGIN  // not with a sanitizer
    o.plugin = ROOMBUS_PLUGIN;
#endif
    broker = std::make_unique<mosquitto::mosquitto_process>(o, live.loop, random, log, metrics);
    mosquitto::process_handlers h;
    h.on_ready = [this](const mosquitto::broker_address& a) {
      address = a;
      ++ready;
    };
    broker->start(std::move(h));
    EXPECT_TRUE(live.run_until([this] { return ready > 0; }));
    one = join("one~1");
    two = join("two~1");
    EXPECT_TRUE(live.run_until([this] { return one->bus.is_up() && two->bus.is_up(); }));
  }
  ~BusOnMosquitto() override {
    if (HasFailure()) std::cerr << log.text();
  }

  std::unique_ptr<member> join(const std::string& name) {
    paho_options options;
    options.uri = address.bridge_uri;
    options.username = address.username;
    options.password = address.password;
    options.client_id = "bridge-" + name;
    options.version = GetParam();
    return std::make_unique<member>(options, name, live.loop, random, log);
  }

  static value_map body(const std::string& text) {
    return value_map{{"t", value(text)}};
  }
  static shared_event message(const std::string& room, const std::string& text) {
    value_map m{{"textMessage", value(text)}};
    value_list args{value(room), value(std::move(m))};
    return std::make_shared<const event>(notification::room_message, std::move(args));
  }

  test::live_loop live;
  system_random random;
  test::log_collector log;
  metrics_registry metrics;
  std::unique_ptr<mosquitto::mosquitto_process> broker;
  mosquitto::broker_address address;
  int ready = 0;
  std::unique_ptr<member> one;
  std::unique_ptr<member> two;
};

TEST_P(BusOnMosquitto, all_get_what_is_sent_to_all_in_order_the_sender_too) {
  constexpr int total = 2000;
  int sent = 0;
  for (int i = 0; i < total; ++i)
    one->bus.send_all(body(std::to_string(i)), [&](bool ok) { sent += ok ? 1 : 0; });
  ASSERT_TRUE(
      live.run_until([&] { return sent == total && one->heard.size() == total && two->heard.size() == total; }));
  for (std::size_t i = 0; i < total; ++i) {
    ASSERT_EQ(one->heard[i], std::to_string(i));
    ASSERT_EQ(two->heard[i], std::to_string(i));
  }
}

TEST_P(BusOnMosquitto, one_is_reached_by_its_name) {
  one->bus.send_to("two~1", body("for two"), nullptr);
  one->bus.send_to("one~1", body("for me"), nullptr);
  ASSERT_TRUE(live.run_until([&] { return one->heard.size() == 1 && two->heard.size() == 1; }));
  EXPECT_EQ(one->heard[0], "for me");
  EXPECT_EQ(two->heard[0], "for two");
  two->bus.rename("two~2");
  EXPECT_FALSE(two->bus.is_up());
  ASSERT_TRUE(live.run_until([&] { return two->bus.is_up(); }));
  EXPECT_EQ(two->ups, 2);
  one->bus.send_to("two~1", body("to the old name"), nullptr);
  one->bus.send_to("two~2", body("to the new name"), nullptr);
  ASSERT_TRUE(live.run_until([&] { return two->heard.size() == 2; }));
  EXPECT_EQ(two->heard[1], "to the new name");
}

TEST_P(BusOnMosquitto, rooms_are_heard_by_those_who_listen) {
  const room_name room("die Küche");
  std::optional<bool> listening;
  two->bus.listen(room, [&](bool ok) { listening = ok; });
  ASSERT_TRUE(live.run_until([&] { return listening.has_value(); }));
  EXPECT_TRUE(*listening);
  one->bus.send_room(room, body("1"), nullptr);
  ASSERT_TRUE(live.run_until([&] { return two->heard.size() == 1; }));
  two->bus.stop_listening(room);
  one->bus.send_room(room, body("2"), nullptr);
  one->bus.send_all(body("end"), nullptr);
  ASSERT_TRUE(live.run_until([&] { return two->heard.size() == 2 && one->heard.size() == 1; }));
  EXPECT_EQ(two->heard[1], "end");
}

TEST_P(BusOnMosquitto, comes_back_after_the_brokers_restart_with_its_rooms) {
  const room_name room("den");
  bool listening = false;
  two->bus.listen(room, [&](bool ok) { listening = ok; });
  ASSERT_TRUE(live.run_until([&] { return listening; }));
  kill(broker->pid(), SIGKILL);
  ASSERT_TRUE(live.run_until([&] { return one->downs == 1 && two->downs == 1; }));
  EXPECT_FALSE(one->bus.is_up());
  std::optional<bool> lost;
  one->bus.send_to("two~1", body("lost"), [&](bool ok) { lost = ok; });
  ASSERT_TRUE(live.run_until([&] { return lost.has_value(); }));
  EXPECT_FALSE(*lost);
  ASSERT_TRUE(live.run_until([&] { return one->ups == 2 && two->ups == 2; }));
  one->bus.send_room(room, body("again"), nullptr);
  ASSERT_TRUE(live.run_until([&] { return two->heard.size() == 1; }));
  EXPECT_EQ(two->heard[0], "again");
}

TEST_P(BusOnMosquitto, devices_of_any_instance_get_a_rooms_events) {
  // the second link stands in for a device's: as a bridge it may read everything
  int ready_to_read = 0;
  for (const char* filter : {"roombus/u/+/+/room/#", "roombus/r/#"}) {
    subscription s;
    s.filter = filter;
    two->link->subscribe(s, [&](bool ok) { ready_to_read += ok ? 1 : 0; });
  }
  ASSERT_TRUE(live.run_until([&] { return ready_to_read == 2; }));
  room_output output(room_output_options(), room_output::environment{*one->link, live.loop, log, metrics});
  room_audience to;
  to.version = "1";
  to.shared_json = true;
  constexpr std::size_t devices = 30'000;
  for (std::size_t i = 0; i < devices; ++i)
    to.inboxes.push_back("json mqtt#u/" + std::to_string(i));
  strings ended;
  for (const char* text : {"1", "2"}) {
    output.publish(room_name("den"), message("den", text), to,
                   [&ended, text](bool ok) { ended.push_back(text + std::string(ok ? "+" : "-")); });
  }
  ASSERT_TRUE(live.run_until([&] { return ended.size() == 2; }, 60s)) << "more than the link's queue holds";
  EXPECT_EQ(ended, (strings{"1+", "2+"}));
  ASSERT_TRUE(live.run_until([&] { return two->others.size() >= 2 * (devices + 1); }, 60s));
  EXPECT_EQ(two->others.size(), 2 * (devices + 1)) << "nothing was sent twice";
  EXPECT_EQ(two->others.front(), R"(roombus/r/den/json/roomMessage {"textMessage":"1"})");
  EXPECT_EQ(two->others.back(), R"(roombus/u/u/29999/room/den/roomMessage {"textMessage":"2"})");
}

INSTANTIATE_TEST_SUITE_P(, BusOnMosquitto, ::testing::Values(protocol_version::v5, protocol_version::v3_1_1),
                         [](const auto& of) { return of.param == protocol_version::v5 ? "mqtt5" : "mqtt311"; });

}  // namespace
}  // namespace roombus::mqtt
