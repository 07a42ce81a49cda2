#pragma once

// A bridge over the real service and the memory store, with a broker in memory. Devices are written "alice/sub1".

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "adapters/memory/memory_store.hpp"
#include "bridge/mqtt/bridge.hpp"
#include "core/service.hpp"
#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"
#include "tests/support/fake_link.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/meddling_store.hpp"

namespace roombus::mqtt {

using namespace std::chrono_literals;

class bridge_fixture : public ::testing::Test {
 protected:
  explicit bridge_fixture(bridge_options options = mosquitto(), chat_limits limits = {})
      : chat(everything(), limits, "instance", service::environment{*data, time, random, timers, log, metrics}),
        devices(
            std::make_unique<bridge>(std::move(options), bridge::environment{chat, link, timers, time, log, metrics})) {
    devices->start();
    link.go_up();
    room_settings settings = chat.default_room_settings();
    settings.enable_userlist_updates = true;
    auto added = chat.add_room(room_name("kitchen"), std::move(settings));
    EXPECT_TRUE(added.take().has_value());
  }

  static bridge_options mosquitto() {
    bridge_options options;
    options.profile = broker_profile::mosquitto;
    return options;
  }

  static chat_options everything() {
    chat_options options;
    options.enable_direct_messages = true;
    options.enable_rooms_management = true;
    return options;
  }

  static received_message message(const std::string& device, const std::string& rest, std::string payload) {
    received_message m;
    m.topic = "roombus/u/" + device + "/" + rest;
    m.payload = std::move(payload);
    m.level = qos::at_least_once;
    return m;
  }

  void status(const std::string& device, const std::string& payload, bool retained = false) {
    received_message m = message(device, "status", payload);
    m.retained = retained;
    ASSERT_TRUE(link.deliver(std::move(m)));
  }

  /// Calls as a 3.1.1 device does, with id 1, and answers the reply's payload.
  std::string call(const std::string& device, const std::string& command, const std::string& payload) {
    link.published.clear();
    EXPECT_TRUE(link.deliver(message(device, "call/" + command + "/1", payload)));
    return payload_on("roombus/u/" + device + "/reply/1");
  }

  void join(const std::string& device, const std::string& room = "kitchen") {
    const std::string answer = call(device, "roomJoin", "[\"" + room + "\"]");
    ASSERT_TRUE(answer.starts_with("{\"result\":")) << answer;
    link.published.clear();
  }

  /// The one payload published to `topic`; "" for none.
  std::string payload_on(const std::string& topic) {
    std::string found;
    for (const outgoing_message& m : link.published) {
      if (m.topic != topic) continue;
      EXPECT_EQ(found, "") << "twice on " << topic;
      found = *m.payload;
    }
    return found;
  }

  /// Topics published to since the last call, in order, without the prefix.
  std::vector<std::string> topics() {
    std::vector<std::string> out;
    for (const outgoing_message& m : link.take())
      out.push_back(m.topic.substr(std::string("roombus/").size()));
    return out;
  }

  /// Value of a metric, "name" or "name{label}".
  long metric(const std::string& name) const {
    const std::string text = "\n" + metrics.render();
    const std::size_t at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stol(text.substr(at + name.size() + 2));
  }
  long ignored_because(const std::string& reason) const {
    return metric("roombus_mqtt_ignored_total{reason=\"" + reason + "\"}");
  }

  test::fake_clock time;
  test::fake_scheduler timers{time};
  test::fake_random random;
  test::recording_log log;
  metrics_registry metrics;
  std::unique_ptr<store> real = make_memory_store(time);
  std::unique_ptr<test::meddling_store> data = std::make_unique<test::meddling_store>(*real);
  service chat;
  test::fake_link link;
  std::unique_ptr<bridge> devices;
};

}  // namespace roombus::mqtt
