#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/mosquitto/mosquitto_process.hpp"
#include "bridge/paho/paho_link.hpp"
#include "tests/support/live_loop.hpp"

namespace roombus::mqtt {

using namespace std::chrono_literals;

/// Longer than any test waits: what must not wait for it, shows.
inline constexpr std::chrono::milliseconds no_limit = 1h;

/// A link with counters of what it reported.
struct probe {
  std::unique_ptr<mqtt_link> link;
  int ups = 0;
  int downs = 0;
  bool stopped = false;
  std::vector<received_message> messages;

  [[nodiscard]] link_handlers handlers() {
    link_handlers h;
    h.on_up = [this] { ++ups; };
    h.on_down = [this](std::string_view) { ++downs; };
    h.on_message = [this](received_message m) { messages.push_back(std::move(m)); };
    return h;
  }
};

inline outgoing_message text(const std::string& topic, const std::string& payload, qos level = qos::at_least_once) {
  outgoing_message m;
  m.topic = topic;
  m.payload = std::make_shared<const std::string>(payload);
  m.level = level;
  return m;
}

inline subscription filter(const std::string& f, bool retained = true) {
  subscription s;
  s.filter = f;
  s.retained = retained;
  return s;
}

/// A Mosquitto of its own and links to it.
class PahoLink : public ::testing::Test {
 protected:
  ~PahoLink() override {
    if (HasFailure()) std::cerr << log.text();
  }

  void start_broker() {
    mosquitto::process_options o;
    o.device_port = 0;
    o.dev = dev;
    o.plugin = plugin;
    broker = std::make_unique<mosquitto::mosquitto_process>(o, live.loop, random, log, metrics);
    mosquitto::process_handlers h;
    h.on_ready = [this](const mosquitto::broker_address& a) {
      address = a;
      ++broker_ready;
    };
    broker->start(std::move(h));
    ASSERT_TRUE(live.run_until([this] { return broker_ready > 0; }));
    options.uri = address.bridge_uri;
    options.username = address.username;
    options.password = address.password;
    options.client_id = "bridge";
  }

  void make(probe& p) { p.link = make_paho_link(options, live.loop, random, log, metrics); }

  void bring_up(probe& p, std::vector<subscription> subscriptions) {
    make(p);
    p.link->start(std::move(subscriptions), p.handlers());
    ASSERT_TRUE(live.run_until([&] { return p.ups > 0; }));
  }

  /// Stops the link, which must not take longer than a test waits.
  void stop(probe& p, std::chrono::milliseconds limit) {
    p.link->stop(limit, [&] { p.stopped = true; });
    EXPECT_TRUE(live.run_until([&] { return p.stopped; }));
  }

  bool subscribe(probe& p, const std::string& f) {
    std::optional<bool> outcome;
    p.link->subscribe(filter(f), [&](bool acknowledged) { outcome = acknowledged; });
    EXPECT_FALSE(outcome.has_value()) << "never called back from within subscribe";
    EXPECT_TRUE(live.run_until([&] { return outcome.has_value(); }));
    return outcome.value_or(false);
  }

  publish_outcome publish(probe& p, outgoing_message m) {
    std::optional<publish_outcome> outcome;
    p.link->publish(std::move(m), [&](publish_outcome o) { outcome = o; });
    EXPECT_FALSE(outcome.has_value()) << "never called back from within publish";
    EXPECT_TRUE(live.run_until([&] { return outcome.has_value(); }));
    return outcome.value_or(publish_outcome::dropped);
  }

  test::live_loop live;
  system_random random;
  test::log_collector log;
  metrics_registry metrics;
  std::unique_ptr<mosquitto::mosquitto_process> broker;
  mosquitto::broker_address address;
  int broker_ready = 0;
  bool dev = true;
  std::string plugin;  // none
  paho_options options;
};

}  // namespace roombus::mqtt
