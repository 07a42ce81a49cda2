// A room's events on their way to devices, over a link whose answers a test gives.

#include "bridge/cluster/room_output.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "schemas/codec/cbor.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/live_loop.hpp"

namespace roombus::mqtt {
namespace {

using strings = std::vector<std::string>;

/// Keeps what is published until a test says how it ended.
class held_link final : public mqtt_link {
 public:
  void start(std::vector<subscription>, link_handlers) override {}
  void publish(outgoing_message message, std::function<void(publish_outcome)> done) override {
    published.push_back(std::move(message));
    open.push_back(std::move(done));
  }
  void fence(std::function<void()> passed) override { passed(); }
  void subscribe(subscription, std::function<void(bool)>) override {}
  void unsubscribe(const std::string&) override {}
  [[nodiscard]] bool is_up() const override { return up; }
  [[nodiscard]] std::size_t in_flight() const override { return open.size(); }
  [[nodiscard]] bool is_busy() const override { return busy; }
  void stop(std::chrono::milliseconds, std::function<void()>) override {}

  void end(publish_outcome outcome = publish_outcome::done) {
    const auto done = std::move(open.front());
    open.pop_front();
    done(outcome);
  }
  void end_all(publish_outcome outcome = publish_outcome::done) {
    while (!open.empty())
      end(outcome);
  }
  [[nodiscard]] strings topics() {
    strings out;
    for (const outgoing_message& m : published)
      out.push_back(m.topic);
    published.clear();
    return out;
  }

  std::vector<outgoing_message> published;
  std::deque<std::function<void(publish_outcome)>> open;
  bool up = true;
  bool busy = false;
};

class output_test : public ::testing::Test {
 protected:
  explicit output_test(room_output_options o = options())
      : output(std::move(o), room_output::environment{link, timers, log, metrics}) {
    output.on_shut_out(
        [this](const room_name& room, const std::vector<connection_id>& ids, const log_position& removal) {
          for (const connection_id& id : ids)
            shut_out.push_back(room.str() + " " + id.str() + " at " + std::to_string(removal.sequence) + " after " +
                               std::to_string(link.published.size()));
        });
  }

  static room_output_options options() {
    room_output_options o;
    o.prefix = "p";
    o.window = 3;
    o.window_bytes = 1000;
    o.max_topic = 100;
    o.max_waiting = 20;
    return o;
  }

  static shared_event message(const std::string& room, const std::string& text) {
    value_map m{{"textMessage", value(text)}};
    value_list args{value(room), value(std::move(m))};
    return std::make_shared<const event>(notification::room_message, std::move(args));
  }
  static room_audience inboxes(strings names) {
    static int version = 0;
    room_audience out;
    out.version = std::to_string(++version);
    out.inboxes = std::move(names);
    return out;
  }

  void publish(const std::string& room, const std::string& text, const room_audience& audience) {
    output.publish(room_name(room), message(room, text), audience,
                   [this, text](bool sent) { ended.push_back(text + (sent ? "+" : "-")); });
  }
  [[nodiscard]] bool counted(const std::string& line) const {
    return metrics.render().find(line + "\n") != std::string::npos;
  }

  held_link link;
  test::fake_scheduler timers;
  test::log_collector log;
  metrics_registry metrics;
  strings ended;
  strings shut_out;
  room_output output;
};

TEST_F(output_test, one_publish_per_inbox_and_per_shared_encoding) {
  room_audience to = inboxes({"json mqtt#ann/a", "cbor mqtt#bob/b"});
  to.shared_json = true;
  publish("my den", "hi", to);
  EXPECT_EQ(link.published[0].topic, "p/r/my%20den/json/roomMessage");
  EXPECT_EQ(*link.published[0].payload, R"({"textMessage":"hi"})");
  EXPECT_EQ(link.published[0].level, qos::at_least_once);
  EXPECT_EQ(link.published[0].content_type, "application/json");
  EXPECT_EQ(link.published[1].topic, "p/u/ann/a/room/my%20den/roomMessage");
  EXPECT_EQ(link.published[1].payload, link.published[0].payload) << "encoded once";
  EXPECT_EQ(link.published[2].topic, "p/u/bob/b/room/my%20den/roomMessage");
  EXPECT_EQ(link.published[2].content_type, "application/cbor");
  EXPECT_EQ(link.published.size(), 3U);
  link.end();
  link.end();
  EXPECT_TRUE(ended.empty());
  link.end();
  EXPECT_EQ(ended, strings{"hi+"});
  EXPECT_TRUE(counted("roombus_room_published_total 3"));
}

TEST_F(output_test, both_shared_encodings) {
  room_audience to;
  to.shared_json = true;
  to.shared_cbor = true;
  publish("den", "hi", to);
  EXPECT_EQ(link.topics(), (strings{"p/r/den/json/roomMessage", "p/r/den/cbor/roomMessage"}));
}

TEST_F(output_test, nobody_there_is_done_later) {
  publish("den", "hi", room_audience());
  EXPECT_TRUE(ended.empty()) << "not from within the call";
  timers.run_posted();
  EXPECT_EQ(ended, strings{"hi+"});
}

TEST_F(output_test, keeps_order_and_hands_over_a_bounded_number) {
  publish("den", "1", inboxes({"json mqtt#u/a", "json mqtt#u/b"}));
  publish("hall", "2", inboxes({"json mqtt#u/a", "json mqtt#u/b"}));
  publish("den", "3", inboxes({"json mqtt#u/a"}));
  strings sent;
  while (!link.open.empty()) {
    EXPECT_LE(link.open.size(), 3U);
    for (const outgoing_message& m : std::exchange(link.published, {}))
      sent.push_back(m.topic.substr(4, 3) + " " + *m.payload);
    link.end();
  }
  EXPECT_EQ(sent, (strings{"u/a {\"textMessage\":\"1\"}", "u/b {\"textMessage\":\"1\"}", "u/a {\"textMessage\":\"2\"}",
                           "u/b {\"textMessage\":\"2\"}", "u/a {\"textMessage\":\"3\"}"}));
  EXPECT_EQ(ended, (strings{"1+", "2+", "3+"}));
}

TEST_F(output_test, large_messages_go_one_by_one) {
  publish("den", std::string(1500, 'x'), inboxes({"json mqtt#u/a", "json mqtt#u/b"}));
  EXPECT_EQ(link.open.size(), 1U);
  link.end();
  EXPECT_EQ(link.open.size(), 1U);
  link.end();
  EXPECT_EQ(ended.size(), 1U);
}

TEST_F(output_test, waits_while_the_link_is_busy_with_others) {
  link.busy = true;
  publish("den", "1", inboxes({"json mqtt#u/a"}));
  timers.advance(std::chrono::seconds(1));
  EXPECT_TRUE(link.open.empty());
  link.busy = false;
  timers.advance(std::chrono::milliseconds(5));
  EXPECT_EQ(link.open.size(), 1U);
  link.end();
  EXPECT_EQ(ended, strings{"1+"});
  EXPECT_EQ(timers.pending(), 0U);
}

TEST_F(output_test, a_refusal_is_done_and_counted) {
  publish("den", "1", inboxes({"json mqtt#u/a", "json mqtt#u/b"}));
  link.end(publish_outcome::refused);
  link.end();
  EXPECT_EQ(ended, strings{"1+"});
  EXPECT_TRUE(counted("roombus_room_undeliverable_total 1"));
  EXPECT_NE(log.text().find("room_undeliverable"), std::string::npos);
}

TEST_F(output_test, what_has_no_address_is_done_and_counted) {
  publish("den", "1", inboxes({"json mqtt#u", "xml mqtt#u/a", "json sock1", ""}));
  const std::string long_room(90, 'r');
  publish(long_room, "2", inboxes({"json mqtt#u/a"}));
  EXPECT_TRUE(link.open.empty());
  timers.run_posted();
  EXPECT_EQ(ended, (strings{"1+", "2+"}));
  EXPECT_TRUE(counted("roombus_room_undeliverable_total 5"));
}

TEST_F(output_test, a_loss_fails_the_call_and_those_behind_it_for_the_room) {
  publish("den", "1", inboxes({"json mqtt#u/a", "json mqtt#u/b", "json mqtt#u/c", "json mqtt#u/d"}));
  publish("den", "2", inboxes({"json mqtt#u/a"}));
  publish("hall", "3", inboxes({"json mqtt#u/a"}));
  EXPECT_EQ(link.topics().size(), 3U);
  link.end(publish_outcome::dropped);
  EXPECT_EQ(link.topics(), strings{"p/u/u/a/room/hall/roomMessage"}) << "the rest of the room is not published";
  link.end_all();
  timers.run_posted();
  EXPECT_EQ(ended, (strings{"1-", "3+", "2-"}));
  publish("den", "again", inboxes({"json mqtt#u/a"}));
  link.end_all();
  EXPECT_EQ(ended.back(), "again+");
}

TEST_F(output_test, a_lost_link_fails_everything) {
  publish("den", "1", inboxes({"json mqtt#u/a", "json mqtt#u/b", "json mqtt#u/c", "json mqtt#u/d"}));
  publish("hall", "2", inboxes({"json mqtt#u/a"}));
  link.published.clear();
  link.up = false;
  link.end_all(publish_outcome::dropped);
  EXPECT_TRUE(link.published.empty());
  publish("hall", "3", inboxes({"json mqtt#u/a"}));
  EXPECT_TRUE(link.published.empty());
  timers.run_posted();
  EXPECT_EQ(ended, (strings{"1-", "2-", "3-"}));
}

TEST_F(output_test, calls_that_wait_are_bounded) {
  for (int i = 0; i < 30; ++i)
    publish("den", std::to_string(i), inboxes({"json mqtt#u/a"}));
  timers.run_posted();
  EXPECT_EQ(ended.size(), 7U) << "3 are with the link, 20 wait";
  EXPECT_EQ(ended.front(), "23-");
  link.end_all();
  EXPECT_EQ(ended.size(), 30U);
}

TEST_F(output_test, a_shut_out_keeps_its_place) {
  output.shut_out(room_name("den"), {connection_id("mqtt#u/z")}, {"e", 1});
  EXPECT_EQ(shut_out, strings{"den mqtt#u/z at 1 after 0"}) << "at once, when nothing waits";
  publish("den", "1", inboxes({"json mqtt#u/a", "json mqtt#u/b", "json mqtt#u/c", "json mqtt#u/d"}));
  output.shut_out(room_name("den"), {connection_id("mqtt#u/d"), connection_id("sock")}, {"e", 3});
  publish("den", "2", inboxes({"json mqtt#u/a"}));
  EXPECT_EQ(shut_out.size(), 1U);
  link.end_all();
  EXPECT_EQ(shut_out[1], "den mqtt#u/d at 3 after 4");
  EXPECT_EQ(shut_out[2], "den sock at 3 after 4");
  EXPECT_EQ(link.published.size(), 5U);
}

TEST_F(output_test, an_audience_that_changed_under_the_same_version_counts) {
  room_audience to = inboxes({"json mqtt#u/a"});
  publish("den", "1", to);
  to.inboxes = {"json mqtt#u/a", "json mqtt#u/b"};  // who publishes has sent that b joined
  publish("den", "2", to);
  to.inboxes = {"json mqtt#u/b"};
  publish("den", "3", to);
  link.end_all();
  EXPECT_EQ(link.topics(), (strings{"p/u/u/a/room/den/roomMessage", "p/u/u/a/room/den/roomMessage",
                                    "p/u/u/b/room/den/roomMessage", "p/u/u/b/room/den/roomMessage"}));
}

}  // namespace
}  // namespace roombus::mqtt
