// The parts around a running instance: log lines, ready file, moving link, health check.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bridge/server/config.hpp"
#include "bridge/server/healthcheck.hpp"
#include "bridge/server/moving_link.hpp"
#include "bridge/server/ready_file.hpp"
#include "bridge/server/stream_log.hpp"
#include "schemas/codec/json.hpp"
#include "tests/support/fake_link.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::server {
namespace {

std::string logged(log_format format, std::string_view text) {
  std::ostringstream out;
  stream_log log(out, format, roombus::log_level::info);
  log.write(roombus::log_level::debug, "hidden", "below the least level");
  log.write(roombus::log_level::warning, "odd_topic", text);
  return out.str();
}

TEST(stream_log, text_is_one_line_whatever_a_client_is_called) {
  const std::string line = logged(log_format::text, "user a\nb\x1b[31m");
  EXPECT_EQ(line.substr(10, 1), "T");
  EXPECT_EQ(line.substr(24), " warning odd_topic user a\\x0ab\\x1b[31m\n");
}

TEST(stream_log, json_is_one_object_a_line) {
  const std::string line = logged(log_format::json, "user \"a\"\n");
  EXPECT_EQ(line.back(), '\n');
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const auto read = json::read(line.substr(0, line.size() - 1), codec_limits{});
  ASSERT_TRUE(read);
  EXPECT_EQ(*read->if_map()->find("text"), value("user \"a\"\n"));
  EXPECT_EQ(*read->if_map()->find("level"), value("warning"));
  EXPECT_TRUE(json::read(logged(log_format::json, "\xff").substr(0, 1000), codec_limits{}).has_value());
}

TEST(ready_file, is_one_line_and_replaces_an_old_one) {
  const auto path = std::filesystem::temp_directory_path() / ("roombus-ready-" + std::to_string(getpid()));
  std::ofstream(path) << "old";
  ready_info info;
  info.http = "127.0.0.1:8000";
  info.admin = "127.0.0.1:8001";
  info.instance = "i";
  ASSERT_EQ(write_ready_file(path, info), "");
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  const auto read = json::read(line, codec_limits{});
  ASSERT_TRUE(read);
  EXPECT_EQ(*read->if_map()->find("http"), value("127.0.0.1:8000"));
  EXPECT_TRUE(read->if_map()->find("mqtt")->is_null());
  EXPECT_EQ(*read->if_map()->find("pid"), value(std::int64_t{getpid()}));
  EXPECT_FALSE(std::getline(in, line));
  std::filesystem::remove(path);
}

TEST(ready_file, says_why_it_cannot_be_written) {
  EXPECT_NE(write_ready_file("/nonexistent/dir/ready", ready_info{}).find("/nonexistent/dir/ready"), std::string::npos);
}

TEST(healthcheck, tells_who_does_not_answer) {
  std::ostringstream err;
  EXPECT_EQ(healthcheck(endpoint{"127.0.0.1", 1}, "/healthz", err), 1);
  EXPECT_NE(err.str().find("127.0.0.1:1"), std::string::npos);
}

class moving_link_test : public ::testing::Test {
 protected:
  void start() {
    mqtt::link_handlers handlers;
    handlers.on_up = [this] { events += "up "; };
    handlers.on_down = [this](std::string_view) { events += "down "; };
    handlers.on_message = [this](const mqtt::received_message& m) { events += m.topic + ' '; };
    mqtt::subscription everything;
    everything.filter = "#";
    link.start({everything}, std::move(handlers));
  }

  test::fake_link* move() {
    auto next = std::make_unique<test::fake_link>();
    auto* raw = next.get();
    link.move_to(std::move(next));
    return raw;
  }

  test::fake_scheduler loop;
  moving_link link{loop};
  std::string events;
};

TEST_F(moving_link_test, carries_subscriptions_and_handlers_to_the_next_broker) {
  link.on_up([this] { events += "told "; });
  start();
  move()->go_up();
  test::fake_link* second = move();
  second->go_up();
  mqtt::received_message message;
  message.topic = "t";
  EXPECT_TRUE(second->deliver(message));
  EXPECT_EQ(events, "told up down told up t ");
}

TEST_F(moving_link_test, carries_subscriptions_made_meanwhile_to_the_next_broker) {
  std::string answers;
  const auto wanted = [](const char* filter) {
    mqtt::subscription s;
    s.filter = filter;
    return s;
  };
  link.subscribe(wanted("before"), [&](bool ok) { answers += ok ? "before+ " : "before- "; });
  link.subscribe(wanted("given/up"), [&](bool ok) { answers += ok ? "given up+ " : "given up- "; });
  start();
  link.unsubscribe("given/up");
  loop.run_posted();
  EXPECT_EQ(answers, "given up- ");
  move()->go_up();
  EXPECT_EQ(answers, "given up- before+ ");
  link.subscribe(wanted("while/up"), [&](bool ok) { answers += ok ? "up+ " : "up- "; });
  test::fake_link* second = move();
  link.subscribe(wanted("between"), [&](bool ok) { answers += ok ? "between+" : "between-"; });
  link.unsubscribe("before");
  second->go_up();
  EXPECT_EQ(answers, "given up- before+ up+ between+");
  std::string filters;
  for (const mqtt::subscription& s : second->kept())
    filters += s.filter + ' ';
  EXPECT_EQ(filters, "while/up between ");
}

TEST_F(moving_link_test, taps_hear_first_and_keep_their_own_messages) {
  link_tap tap;
  tap.on_up = [this] { events += "tap-up "; };
  tap.on_down = [this](std::string_view) { events += "tap-down "; };
  tap.take = [](mqtt::received_message& m) { return m.topic == "mine"; };
  link.add_tap(std::move(tap));
  start();
  test::fake_link* broker = move();
  broker->go_up();
  for (const char* topic : {"mine", "other"}) {
    mqtt::received_message message;
    message.topic = topic;
    EXPECT_TRUE(broker->deliver(message));
  }
  broker->go_down();
  EXPECT_EQ(events, "tap-up up other tap-down down ");
}

TEST_F(moving_link_test, without_a_broker_what_is_published_is_dropped_later) {
  start();
  std::string outcome;
  link.publish(mqtt::outgoing_message(),
               [&](mqtt::publish_outcome o) { outcome = o == mqtt::publish_outcome::dropped ? "dropped" : "other"; });
  EXPECT_EQ(outcome, "");
  loop.run_posted();
  EXPECT_EQ(outcome, "dropped");
  EXPECT_FALSE(link.is_up());
}

}  // namespace
}  // namespace roombus::server
