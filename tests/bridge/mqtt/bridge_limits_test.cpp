#include <deque>

#include "tests/bridge/mqtt/bridge_fixture.hpp"
#include "tests/support/meddling_store.hpp"

namespace roombus::mqtt {
namespace {

using strings = std::vector<std::string>;

bridge_options tight() {
  bridge_options options;
  options.profile = broker_profile::mosquitto;
  options.max_connections = 2;
  options.max_topic = 200;
  options.payload.max_bytes = 100;
  return options;
}

class bridge_limits : public bridge_fixture {
 protected:
  bridge_limits() : bridge_fixture(tight()) {}

  /// Puts a device out of its room, while the broker takes nothing.
  task<reply> begin_shutting_out() {
    join("a/1");
    link.holds_fences = true;
    class call shut_out;
    shut_out.bypass_permissions = true;
    shut_out.command = "roomAddToList";
    shut_out.args = {value("kitchen"), value("blacklist"), value(value_list{value("a")})};
    return chat.execute(std::move(shut_out));
  }
};

constexpr std::string_view rate_limited = R"({"error":{"code":"rateLimited")";

TEST_F(bridge_limits, devices) {
  status("a/1", "online");
  status("b/1", "online");
  status("c/1", "online");
  EXPECT_EQ(ignored_because("connections"), 1);
  EXPECT_TRUE(call("c/1", "listOwnSockets", "").starts_with(rate_limited));
  EXPECT_EQ(devices->device_count(), 2u);
  status("a/1", "offline");
  timers.advance(2s);
  EXPECT_FALSE(call("c/1", "listOwnSockets", "").starts_with(rate_limited));
}

TEST_F(bridge_limits, topics_and_payloads) {
  EXPECT_TRUE(
      call("a/1", "roomJoin", "[\"" + std::string(90, 'r') + "\"]").starts_with(R"({"error":{"code":"noRoom")"));
  // the same number of letters takes three times the place in a topic
  EXPECT_TRUE(
      call("a/1", "roomJoin", "[\"" + std::string(90, '.') + "\"]").starts_with(R"({"error":{"code":"invalidName")"));
  EXPECT_TRUE(call("a/1", "roomJoin", "[\"" + std::string(100, 'r') + "\"]")
                  .starts_with(R"({"error":{"code":"payloadTooLarge")"));
  link.deliver(message("a/1", "send/" + std::string(200, 'r'), "x"));
  EXPECT_EQ(ignored_because("topic_too_long"), 1);
}

TEST_F(bridge_limits, a_removal_is_over_when_the_broker_has_what_came_before_it) {
  auto removing = begin_shutting_out();
  EXPECT_FALSE(removing.done());
  ASSERT_EQ(link.fences.size(), 1U);
  link.fences[0]();
  ASSERT_TRUE(removing.done());
  EXPECT_TRUE(removing.take().has_value());
}

TEST_F(bridge_limits, a_broker_that_takes_nothing_does_not_hold_a_removal_up_for_ever) {
  auto removing = begin_shutting_out();
  timers.advance(plugin_options().confirm);
  ASSERT_TRUE(removing.done());
  const reply answer = removing.take();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code(), errc::timeout) << "it may still come";
}

/// Makes a store's connections when the test says so.
class slow_connects {
 public:
  explicit slow_connects(test::meddling_store& of) {
    of.before = [this](std::string operation) { return wait(std::move(operation)); };
  }
  std::deque<completion<bool>> waiting;

  void go_on(bool works) {
    completion<bool> turn = waiting.front();
    waiting.pop_front();
    turn.complete(works);
  }

 private:
  task<result<void>> wait(std::string operation) {
    if (operation != "connect") co_return result<void>();
    completion<bool> turn;
    waiting.push_back(turn);
    const bool works = co_await turn;
    if (!works) co_return chat_error(errc::unavailable);
    co_return result<void>();
  }
};

/// The fixture's service is not used here: its connections would not wait.
class bridge_waiting : public ::testing::Test {
 protected:
  bridge_waiting() {
    bridge_options options;
    options.max_pending = 3;
    options.max_pending_bytes = 10'000;
    devices = std::make_unique<bridge>(options, bridge::environment{chat, link, timers, time, log, metrics});
    devices->start();
    link.go_up();
  }

  void ask(const std::string& device, int id, std::string payload = "") {
    received_message m;
    m.topic = "roombus/u/" + device + "/call/listOwnSockets/" + std::to_string(id);
    m.payload = std::move(payload);
    ASSERT_TRUE(link.deliver(std::move(m)));
  }
  strings replies() {
    strings out;
    for (const outgoing_message& m : link.take()) {
      if (m.topic.find("/reply/") == std::string::npos) continue;
      out.push_back(m.topic.substr(m.topic.rfind('/') + 1) + *m.payload);
    }
    return out;
  }

  test::fake_clock time;
  test::fake_scheduler timers{time};
  test::fake_random random;
  test::recording_log log;
  metrics_registry metrics;
  std::unique_ptr<store> memory = make_memory_store(time);
  test::meddling_store meddled{*memory};
  slow_connects slow{meddled};
  service chat{chat_options{}, chat_limits{}, "instance", {meddled, time, random, timers, log, metrics}};
  test::fake_link link;
  std::unique_ptr<bridge> devices;
};

TEST_F(bridge_waiting, requests_wait_for_the_connection_and_keep_their_order) {
  ask("a/1", 1);
  ask("a/1", 2);
  EXPECT_EQ(replies(), strings{});
  slow.go_on(true);
  EXPECT_EQ(replies(), (strings{R"(1{"result":{"mqtt#a/1":[]}})", R"(2{"result":{"mqtt#a/1":[]}})"}));
}

TEST_F(bridge_waiting, too_many_pending_requests_are_refused_at_once) {
  for (int i = 1; i <= 4; ++i)
    ask("a/1", i);
  const strings refused = replies();
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_TRUE(refused[0].starts_with("4" + std::string(rate_limited)));
  ask("b/1", 5, std::string(9000, ' '));
  EXPECT_EQ(replies().size(), 1u) << "too many bytes in all";
  EXPECT_EQ(devices->device_count(), 1u) << "a refused device leaves nothing behind";
  slow.go_on(true);
  EXPECT_EQ(replies().size(), 3u);
  ask("a/1", 6);
  EXPECT_EQ(replies().size(), 1u);
}

TEST_F(bridge_waiting, all_that_a_request_brings_counts) {
  received_message m;
  m.topic = "roombus/u/a/1/call/listOwnSockets";
  m.response_topic = "roombus/u/a/1/reply/" + std::string(100, 'r');
  m.correlation_data = std::string(1000, 'c');
  m.content_type = std::string(60'000, 't');
  for (int i = 0; i < 3; ++i)
    ASSERT_TRUE(link.deliver(m));
  EXPECT_EQ(replies(), strings{}) << "of a content type no more is kept than is needed to refuse it";
  m.topic = "roombus/u/b/1/call/listOwnSockets";
  m.response_topic = "roombus/u/b/1/reply/" + std::string(100, 'r');
  m.payload = std::string(3000, ' ');
  ASSERT_TRUE(link.deliver(m));
  EXPECT_EQ(replies().size(), 1U) << "3 times 1.9 kB, and 4.9 kB";
}

TEST_F(bridge_waiting, a_refused_connection_answers_what_waited_and_the_next_request_tries_again) {
  ask("a/1", 1);
  ask("a/1", 2);
  slow.go_on(false);
  const strings refused = replies();
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_TRUE(refused[0].starts_with(R"(1{"error":{"code":"unavailable")"));
  EXPECT_TRUE(refused[1].starts_with(R"(2{"error":{"code":"unavailable")"));
  EXPECT_EQ(devices->device_count(), 0u);
  ask("a/1", 3);
  slow.go_on(true);
  EXPECT_EQ(replies(), strings{R"(3{"result":{"mqtt#a/1":[]}})"});
}

TEST_F(bridge_waiting, stop_waits_no_longer_than_its_limit) {
  ask("a/1", 1);
  bool stopped = false;
  devices->stop(1s, [&] { stopped = true; });
  EXPECT_FALSE(stopped);
  timers.advance(999ms);
  EXPECT_FALSE(stopped);
  timers.advance(1ms);
  EXPECT_TRUE(stopped);
  slow.go_on(true);
  EXPECT_EQ(chat.connection_count(), 0u) << "what came late ends at once";
}

TEST_F(bridge_waiting, stop_waits_for_what_is_pending) {
  ask("a/1", 1);
  bool stopped = false;
  devices->stop(1s, [&] { stopped = true; });
  slow.go_on(true);
  EXPECT_TRUE(stopped);
  EXPECT_EQ(replies().size(), 1u);
  EXPECT_EQ(chat.connection_count(), 0u);
  EXPECT_EQ(timers.pending(), 0u);
}

}  // namespace
}  // namespace roombus::mqtt
