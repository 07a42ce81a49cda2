#include "bridge/hooks/mqtt_hook_caller.hpp"

#include <gtest/gtest.h>

#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"
#include "tests/support/fake_link.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/proves.hpp"

namespace roombus::test {
namespace {

using mqtt::received_message;

class mqtt_hook_caller_test : public ::testing::Test {
 protected:
  mqtt_hook_caller_test() {
    mqtt::mqtt_hook_options options;
    options.prefix = "P";
    options.instance = "i1";
    options.max_pending = 3;
    options.answer.max_bytes = 1000;
    use(options);
  }

  void use(const mqtt::mqtt_hook_options& options) {
    caller = std::make_unique<mqtt::mqtt_hook_caller>(
        options, mqtt::mqtt_hook_caller::environment{link, timers, random, metrics});
    mqtt::link_handlers handlers;
    handlers.on_up = [] {};
    handlers.on_down = [](std::string_view) {};
    handlers.on_message = [this](received_message m) { taken = caller->take(m); };
    link.start(caller->subscriptions(), std::move(handlers));
    link.go_up();
  }

  task<hook_outcome> begin(const std::string& hook = "onJoin") {
    value_map body{{"n", value(1)}};
    return caller->call(hook, std::move(body));
  }

  /// An answer to the message that was published last.
  received_message answer_to_last(const std::string& payload) {
    received_message m;
    m.topic = *link.published.back().response_topic;
    m.correlation_data = link.published.back().correlation_data;
    m.payload = payload;
    return m;
  }

  static std::string shown(task<hook_outcome>& asked) {
    if (!asked.done()) return "waits";
    hook_outcome outcome = asked.take();
    if (outcome.answer) return json::write(value(std::move(*outcome.answer)));
    return std::string(to_text(outcome.failure));
  }

  [[nodiscard]] bool metrics_have(const std::string& line) const {
    return metrics.render().find(line + "\n") != std::string::npos;
  }

  fake_link link;
  fake_scheduler timers;
  fake_random random;
  metrics_registry metrics;
  std::unique_ptr<mqtt::mqtt_hook_caller> caller;
  bool taken = false;
};

TEST_F(mqtt_hook_caller_test, publishes_the_body_with_an_address_for_the_answer) {
  proves("7.37");
  auto asked = begin();
  ASSERT_EQ(link.published.size(), 1U);
  const mqtt::outgoing_message& m = link.published.front();
  EXPECT_EQ(m.topic, "P/hook/call/onJoin");
  EXPECT_EQ(m.level, mqtt::qos::at_least_once);
  EXPECT_EQ(m.keep, mqtt::retain::no);
  ASSERT_TRUE(m.response_topic && m.correlation_data);
  EXPECT_EQ(m.response_topic->substr(0, 16), "P/hook/reply/i1/");
  EXPECT_EQ(m.response_topic->size(), 16U + 22U) << "128 bits of nonce";
  EXPECT_EQ(m.content_type, "application/json");
  EXPECT_EQ(*m.payload, R"({"n":1,"replyTo":")" + *m.response_topic + R"("})");
  EXPECT_TRUE(link.deliver(answer_to_last(R"({"x":1})"))) << "is subscribed";
  EXPECT_TRUE(taken);
  EXPECT_EQ(shown(asked), R"({"x":1})");
}

TEST_F(mqtt_hook_caller_test, two_calls_never_share_an_address) {
  proves("7.38");
  auto first = begin();
  auto second = begin();
  ASSERT_NE(*link.published[0].response_topic, *link.published[1].response_topic);
  link.deliver(answer_to_last(R"({"for":2})"));
  EXPECT_EQ(shown(second), R"({"for":2})");
  EXPECT_EQ(shown(first), "waits");
  timers.advance(std::chrono::milliseconds(2000));
  EXPECT_EQ(shown(first), "timeout");
}

TEST_F(mqtt_hook_caller_test, workers_of_mqtt_3_answer_without_correlation_data) {
  auto asked = begin();
  received_message m = answer_to_last("{}");
  m.correlation_data.reset();
  link.deliver(std::move(m));
  EXPECT_EQ(shown(asked), "{}");
}

TEST_F(mqtt_hook_caller_test, speaks_cbor_when_told) {
  mqtt::mqtt_hook_options options;
  options.encoding = payload::encoding::cbor;
  options.instance = "i1";
  use(options);
  auto asked = begin();
  EXPECT_EQ(link.published.back().content_type, "application/cbor");
  const auto body = cbor::read(*link.published.back().payload, codec_limits{});
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ(*body->if_map()->find("n"), value(1));
  link.deliver(answer_to_last(cbor::write(value_map{{"x", value(2)}})));
  EXPECT_EQ(shown(asked), R"({"x":2})");
}

TEST_F(mqtt_hook_caller_test, late_repeated_and_forged_answers_are_ignored_and_counted) {
  proves("7.17", "7.38");
  auto asked = begin();
  received_message forged = answer_to_last(R"({"args":["evil"]})");
  forged.topic = "P/hook/reply/i1/AAAAAAAAAAAAAAAAAAAAAA";
  link.deliver(forged);
  EXPECT_TRUE(taken);
  forged = answer_to_last(R"({"args":["evil"]})");
  forged.correlation_data = "other";
  link.deliver(forged);
  forged = answer_to_last(R"({"args":["evil"]})");
  forged.retained = true;
  link.deliver(forged);
  EXPECT_EQ(shown(asked), "waits");
  EXPECT_TRUE(metrics_have("roombus_mqtt_hook_replies_ignored_total 3"));
  link.deliver(answer_to_last("{}"));
  link.deliver(answer_to_last(R"({"args":["evil"]})"));
  EXPECT_EQ(shown(asked), "{}");
  EXPECT_TRUE(metrics_have("roombus_mqtt_hook_replies_ignored_total 4"));

  auto slow = begin();
  timers.advance(std::chrono::milliseconds(2000));
  EXPECT_EQ(shown(slow), "timeout");
  link.deliver(answer_to_last("{}"));
  EXPECT_TRUE(metrics_have("roombus_mqtt_hook_replies_ignored_total 5"));
}

TEST_F(mqtt_hook_caller_test, topics_of_others_are_left_to_them) {
  received_message m;
  for (const char* topic : {"P/hook/reply/i2/x", "P/hook/call/onJoin", "P/u/a/b/status", "P/hook/reply"}) {
    m.topic = topic;
    EXPECT_FALSE(caller->take(m)) << topic;
  }
}

TEST_F(mqtt_hook_caller_test, answers_that_are_no_objects) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"", "malformed"},
                                                                  {"hello", "malformed"},
                                                                  {"[]", "malformed"},
                                                                  {"{", "malformed"},
                                                                  {"{" + std::string(2000, ' ') + "}", "too_large"}};
  for (const auto& [payload, outcome] : cases) {
    auto asked = begin();
    link.deliver(answer_to_last(payload));
    EXPECT_EQ(shown(asked), outcome) << payload.substr(0, 20);
  }
}

TEST_F(mqtt_hook_caller_test, without_a_broker_it_fails_at_once) {
  link.go_down();
  auto asked = begin();
  EXPECT_EQ(shown(asked), "unreachable");
  link.go_up();
  link.answer = mqtt::publish_outcome::refused;
  auto refused = begin();
  EXPECT_EQ(shown(refused), "unreachable");
  EXPECT_EQ(timers.pending(), 0U) << "no timer is left behind";
}

TEST_F(mqtt_hook_caller_test, waiting_calls_are_bounded) {
  auto one = begin();
  auto two = begin();
  auto three = begin();
  auto four = begin();
  EXPECT_EQ(shown(four), "overload");
  EXPECT_TRUE(metrics_have("roombus_hook_mqtt_waiting 3"));
  timers.advance(std::chrono::milliseconds(1999));
  EXPECT_EQ(shown(one), "waits");
  timers.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(shown(one), "timeout");
  EXPECT_EQ(shown(two), "timeout");
  EXPECT_EQ(shown(three), "timeout");
  auto again = begin();
  EXPECT_EQ(shown(again), "waits");
  timers.advance(std::chrono::milliseconds(2000));
  EXPECT_EQ(shown(again), "timeout");
}

TEST_F(mqtt_hook_caller_test, strangers_take_at_most_half_of_the_places) {
  mqtt::mqtt_hook_options options;
  options.prefix = "P";
  options.instance = "i1";
  options.max_pending = 4;
  use(options);
  auto one = begin("onConnect");
  auto two = begin("onConnect");
  auto three = begin("onConnect");
  EXPECT_EQ(shown(three), "overload");
  auto message = begin("roomMessageBefore");
  EXPECT_EQ(shown(message), "waits") << "others are asked all the same";
  received_message answer = answer_to_last("{}");
  EXPECT_TRUE(caller->take(answer));
  EXPECT_EQ(shown(message), "{}");
  timers.advance(std::chrono::milliseconds(2000));
  EXPECT_EQ(shown(one), "timeout");
  EXPECT_EQ(shown(two), "timeout");
  auto again = begin("onConnect");
  EXPECT_EQ(shown(again), "waits") << "places come back";
  timers.advance(std::chrono::milliseconds(2000));
  EXPECT_EQ(shown(again), "timeout");
}

}  // namespace
}  // namespace roombus::test
