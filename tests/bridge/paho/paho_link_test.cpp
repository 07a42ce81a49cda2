// What a link delivers, and what it refuses.

#include <algorithm>
#include <csignal>

#include "tests/bridge/paho/paho_fixture.hpp"

namespace roombus::mqtt {

TEST_F(PahoLink, delivers_what_it_publishes_with_properties) {
  start_broker();
  probe p;
  bring_up(p, {filter("t/#")});
  outgoing_message m = text("t/1", std::string("a\0b", 3));
  m.content_type = "application/cbor";
  m.correlation_data = std::string("\0\xff", 2);
  EXPECT_EQ(publish(p, m), publish_outcome::done);
  EXPECT_EQ(publish(p, text("t/2", "zero", qos::at_most_once)), publish_outcome::done);
  EXPECT_EQ(publish(p, text("t/3", "two", qos::exactly_once)), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return p.messages.size() == 3; }));
  EXPECT_EQ(p.messages[0].topic, "t/1");
  EXPECT_EQ(p.messages[0].payload, std::string("a\0b", 3));
  EXPECT_EQ(p.messages[0].level, qos::at_least_once);
  EXPECT_EQ(p.messages[0].content_type, "application/cbor");
  EXPECT_EQ(p.messages[0].correlation_data, std::string("\0\xff", 2));
  EXPECT_EQ(p.messages[0].response_topic, std::nullopt);
  EXPECT_EQ(p.messages[1].level, qos::at_most_once);
  stop(p, no_limit);
}

TEST_F(PahoLink, gets_the_response_topic_of_a_request) {
  start_broker();
  probe p;
  bring_up(p, {filter("roombus/u/+/+/call/#")});
  const std::string command = "mosquitto_pub -V 5 -q 1 -u bob -m '[]' -t roombus/u/bob/b/call/x -p " +
                              std::to_string(address.device_port) +
                              " -D publish response-topic roombus/u/bob/b/reply/1 -D publish correlation-data 17";
  ASSERT_EQ(test::run_program(live, command).status, 0);
  ASSERT_TRUE(live.run_until([&] { return !p.messages.empty(); }));
  EXPECT_EQ(p.messages[0].response_topic, "roombus/u/bob/b/reply/1");
  EXPECT_EQ(p.messages[0].correlation_data, "17");
}

TEST_F(PahoLink, speaks_mqtt_3_1_1) {
  start_broker();
  options.version = protocol_version::v3_1_1;
  probe p;
  bring_up(p, {filter("t/#"), filter("s", false)});
  outgoing_message m = text("t/1", "x");
  m.content_type = "application/json";
  EXPECT_EQ(publish(p, m), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return p.messages.size() == 1; }));
  EXPECT_EQ(p.messages[0].content_type, std::nullopt);
}

TEST_F(PahoLink, retained_messages_come_where_asked_for) {
  start_broker();
  probe first;
  bring_up(first, {});
  for (const char* topic : {"old/a", "new/a"}) {
    outgoing_message m = text(topic, "kept");
    m.keep = retain::yes;
    EXPECT_EQ(publish(first, m), publish_outcome::done);
  }
  options.client_id = "second";
  probe second;
  bring_up(second, {filter("old/#", false), filter("new/#", true)});
  EXPECT_EQ(publish(second, text("old/mark", "x")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] {
    return std::any_of(second.messages.begin(), second.messages.end(),
                       [](const auto& m) { return m.topic == "old/mark"; });
  }));
  ASSERT_TRUE(live.run_until([&] { return second.messages.size() >= 2; }));
  for (const received_message& m : second.messages)
    EXPECT_NE(m.topic, "old/a");
  EXPECT_EQ(second.messages.size(), 2U);
}

TEST_F(PahoLink, keeps_order_and_completes_everything_under_load) {
  start_broker();
  probe p;
  bring_up(p, {filter("t")});
  constexpr int total = 20000;
  int done = 0;
  for (int i = 0; i < total; ++i) {
    p.link->publish(text("t", std::to_string(i)),
                    [&](publish_outcome o) { done += o == publish_outcome::done ? 1 : 0; });
  }
  EXPECT_EQ(p.link->in_flight(), static_cast<std::size_t>(total));
  ASSERT_TRUE(live.run_until([&] { return done == total && p.messages.size() == total; }, 15s));
  for (int i = 0; i < total; ++i)
    ASSERT_EQ(p.messages[static_cast<std::size_t>(i)].payload, std::to_string(i));
  EXPECT_EQ(p.link->in_flight(), 0U);
}

TEST_F(PahoLink, publishes_without_subscriber) {
  start_broker();
  probe p;
  bring_up(p, {});
  for (const qos level : {qos::at_most_once, qos::at_least_once}) {
    constexpr int total = 20000;
    int done = 0;
    for (int i = 0; i < total; ++i) {
      p.link->publish(text("t", "0123456789012345678901234567890123456789012345678901234567890123", level),
                      [&](publish_outcome o) { done += o == publish_outcome::done ? 1 : 0; });
    }
    ASSERT_TRUE(live.run_until([&] { return done == total; }, 15s));
  }
}

TEST_F(PahoLink, large_messages_all_arrive) {
  start_broker();
  probe p;
  bring_up(p, {filter("t")});
  int done = 0;
  for (int i = 0; i < 40; ++i) {
    p.link->publish(text("t", std::string(1U << 20U, static_cast<char>('a' + i % 26))),
                    [&](publish_outcome o) { done += o == publish_outcome::done ? 1 : 0; });
  }
  ASSERT_TRUE(live.run_until([&] { return done == 40 && p.messages.size() == 40; }, 30s));
  for (std::size_t i = 0; i < 40; ++i)
    EXPECT_EQ(p.messages[i].payload[9], static_cast<char>('a' + i % 26));
}

TEST_F(PahoLink, the_queue_is_bounded_in_messages_and_bytes) {
  start_broker();
  options.max_queue_messages = 10;
  options.max_queue_bytes = 100000;
  probe p;
  bring_up(p, {});
  int done = 0;
  int dropped = 0;
  const auto count = [&](publish_outcome o) { ++(o == publish_outcome::done ? done : dropped); };
  for (int i = 0; i < 15; ++i)
    p.link->publish(text("t", "x"), count);
  ASSERT_TRUE(live.run_until([&] { return done + dropped == 15; }));
  EXPECT_EQ(done, 10);
  EXPECT_EQ(dropped, 5);
  for (int i = 0; i < 5; ++i)
    p.link->publish(text("t", std::string(30000, 'x')), count);
  ASSERT_TRUE(live.run_until([&] { return done + dropped == 20; }));
  EXPECT_EQ(done, 13);
  EXPECT_NE(metrics.render().find("roombus_mqtt_publish_dropped_total 7"), std::string::npos);
}

TEST_F(PahoLink, a_fence_is_passed_when_all_before_it_is_done) {
  start_broker();
  options.max_inflight = 10;
  probe p;
  bring_up(p, {});
  bool passed = false;
  p.link->fence([&] { passed = true; });
  EXPECT_TRUE(passed) << "nothing is on its way";
  kill(broker->pid(), SIGSTOP);
  int done = 0;
  for (int i = 0; i < 100; ++i)
    p.link->publish(text("t", "x"), [&](publish_outcome) { ++done; });
  int done_then = -1;
  p.link->fence([&] { done_then = done; });
  p.link->publish(text("t", "after"), [&](publish_outcome) { ++done; });
  bool turned = false;
  const timer_handle timer = live.loop.after(200ms, [&] { turned = true; });
  ASSERT_TRUE(live.run_until([&] { return turned; }));
  EXPECT_EQ(done_then, -1);
  kill(broker->pid(), SIGCONT);
  ASSERT_TRUE(live.run_until([&] { return done == 101; }));
  EXPECT_GE(done_then, 100);
}

TEST_F(PahoLink, a_fence_is_passed_when_the_broker_is_gone) {
  start_broker();
  probe p;
  bring_up(p, {});
  kill(broker->pid(), SIGSTOP);
  int done = 0;
  for (int i = 0; i < 5000; ++i)
    p.link->publish(text("t", "x"), [&](publish_outcome) { ++done; });
  int done_then = -1;
  p.link->fence([&] { done_then = done; });
  kill(broker->pid(), SIGKILL);
  ASSERT_TRUE(live.run_until([&] { return done_then >= 0; }));
  EXPECT_EQ(done_then, 5000);
  ASSERT_TRUE(live.run_until([&] { return p.ups == 2; }));
  bool passed = false;
  p.link->publish(text("t", "x"), {});
  p.link->fence([&] { passed = true; });
  EXPECT_TRUE(live.run_until([&] { return passed; })) << "numbers go on";
}

TEST_F(PahoLink, bad_topics_and_large_payloads_are_refused_and_hurt_nobody) {
  start_broker();
  probe p;
  bring_up(p, {});
  const std::string bad[] = {"", "a/+", "#", std::string("a\0b", 3), "\xff", std::string(70000, 'x')};
  for (const std::string& topic : bad) {
    EXPECT_EQ(publish(p, text(topic, "x")), publish_outcome::refused) << topic.substr(0, 10);
  }
  EXPECT_EQ(publish(p, text("t", std::string(4U << 20U, 'x'))), publish_outcome::refused);
  EXPECT_EQ(publish(p, text("t", "x")), publish_outcome::done);
  EXPECT_EQ(p.downs, 0);
}

TEST_F(PahoLink, a_publish_that_the_broker_forbids_is_refused) {
  start_broker();
  options.uri = "tcp://127.0.0.1:" + std::to_string(address.device_port);
  options.username = "bob";
  probe p;
  bring_up(p, {});
  EXPECT_EQ(publish(p, text("roombus/u/bob/b/status", "online")), publish_outcome::done);
  EXPECT_EQ(publish(p, text("roombus/bus/all", "x")), publish_outcome::refused);
}

}  // namespace roombus::mqtt
