// The bus over a link in memory.

#include "bridge/cluster/mqtt_bus.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "schemas/codec/cbor.hpp"
#include "tests/support/fake_link.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/live_loop.hpp"

namespace roombus::mqtt {
namespace {

using strings = std::vector<std::string>;

value_map body(const std::string& text) {
  return value_map{{"t", value(text)}};
}

class bus_test : public ::testing::Test {
 protected:
  bus_test() : bus(options(), mqtt_cluster_bus::environment{link, timers, log, metrics}) {
    link_handlers handlers;
    handlers.on_up = [this] { bus.link_up(); };
    handlers.on_down = [this](std::string_view) { bus.link_down(); };
    handlers.on_message = [this](received_message m) { taken.push_back(bus.take(m)); };
    link.start({}, std::move(handlers));
  }

  static mqtt_bus_options options() {
    mqtt_bus_options o;
    o.prefix = "p";
    o.message.max_bytes = 2000;
    return o;
  }

  void open(const std::string& incarnation = "one~1") {
    cluster_bus_handlers handlers;
    handlers.on_up = [this] { events.push_back("up"); };
    handlers.on_down = [this] { events.push_back("down"); };
    handlers.on_message = [this](const value_map& m) {
      const value* text = m.find("t");
      events.push_back(text != nullptr && text->if_text() != nullptr ? *text->if_text() : "?");
    };
    bus.open(incarnation, std::move(handlers));
  }

  [[nodiscard]] strings filters() const {
    strings out;
    for (const subscription& s : link.kept())
      out.push_back(s.filter);
    return out;
  }

  void arrive(const std::string& topic, const std::string& payload, bool retained = false) {
    received_message m;
    m.topic = topic;
    m.payload = payload;
    m.retained = retained;
    link.deliver_anyway(std::move(m));
  }

  [[nodiscard]] bool counted(const std::string& line) const {
    return metrics.render().find(line + "\n") != std::string::npos;
  }

  test::fake_link link;
  test::fake_scheduler timers;
  test::log_collector log;
  metrics_registry metrics;
  strings events;
  std::vector<bool> taken;
  mqtt_cluster_bus bus;
};

TEST_F(bus_test, is_up_when_the_link_is_and_its_topics_are_subscribed) {
  link.go_up();
  EXPECT_FALSE(bus.is_up());
  open("my~1");
  EXPECT_EQ(filters(), (strings{"p/bus/all", "p/bus/instance/my~1"}));
  for (const subscription& s : link.kept())
    EXPECT_TRUE(!s.retained && s.level == qos::at_least_once);
  EXPECT_TRUE(bus.is_up());
  EXPECT_EQ(events, strings{"up"});
  link.go_down();
  EXPECT_FALSE(bus.is_up());
  link.go_up();
  EXPECT_EQ(events, (strings{"up", "down", "up"}));
}

TEST_F(bus_test, opened_before_the_link_is_up) {
  open();
  EXPECT_FALSE(bus.is_up());
  link.go_up();
  EXPECT_TRUE(bus.is_up());
  EXPECT_EQ(events, strings{"up"});
}

TEST_F(bus_test, a_refusal_is_told_and_tried_again) {
  link.go_up();
  link.refuse_subscriptions = true;
  open();
  EXPECT_FALSE(bus.is_up());
  EXPECT_NE(log.text().find("bus_refused: the broker refuses p/bus/all"), std::string::npos);
  link.refuse_subscriptions = false;
  timers.advance(std::chrono::seconds(1));
  EXPECT_TRUE(bus.is_up());
}

TEST_F(bus_test, a_new_name_ends_the_old_one) {
  link.go_up();
  open("one~1");
  bus.rename("one~2");
  EXPECT_EQ(filters(), (strings{"p/bus/all", "p/bus/instance/one~2"}));
  EXPECT_EQ(events, (strings{"up", "up"}));
  arrive("p/bus/instance/one~1", cbor::write(body("late")));
  arrive("p/bus/instance/one~2", cbor::write(body("mine")));
  EXPECT_EQ(events.back(), "mine");
  EXPECT_EQ(events.size(), 3U);
  bus.rename("one~2");
  EXPECT_EQ(events.size(), 3U) << "no new name, nothing happens";
}

TEST_F(bus_test, names_are_topic_levels) {
  link.go_up();
  open("a/b é~1");
  EXPECT_EQ(filters().back(), "p/bus/instance/a%2Fb%20%C3%A9~1");
  bus.send_to("#+", body("x"), nullptr);
  bus.send_room(room_name("x/y"), body("x"), nullptr);
  bus.send_room(room_name(std::string(5000, 'r')), body("x"), nullptr);
  const auto out = link.take();
  EXPECT_EQ(out[0].topic, "p/bus/instance/%23%2B");
  EXPECT_EQ(out[1].topic, "p/bus/room/x%2Fy");
  EXPECT_LT(out[2].topic.size(), 100U);
  EXPECT_TRUE(out[2].topic.starts_with("p/bus/room/%h"));
  bool listening = false;
  bus.listen(room_name(std::string(5000, 'r')), [&](bool ok) { listening = ok; });
  EXPECT_TRUE(listening);
  EXPECT_EQ(filters().back(), out[2].topic);
}

TEST_F(bus_test, sends_cbor_with_stored_messages_as_they_are) {
  link.go_up();
  open();
  value_map stored{{"author", value("ann")}};
  stored.append("bytes", value(byte_string{"\xff"}));
  value_map m = body("entry");
  m.append("message", value(std::make_shared<const encoded_map>(cbor::write(stored), true)));
  std::vector<bool> sent;
  bus.send_all(m, [&](bool ok) { sent.push_back(ok); });
  const auto out = link.take();
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].topic, "p/bus/all");
  EXPECT_EQ(out[0].level, qos::at_least_once);
  EXPECT_EQ(out[0].keep, retain::no);
  EXPECT_EQ(out[0].content_type, "application/cbor");
  const decoded<value> read = cbor::read(*out[0].payload, codec_limits());
  ASSERT_TRUE(read);
  EXPECT_EQ(*read->if_map()->find("message"), value(stored));
  EXPECT_EQ(sent, std::vector<bool>{true});
}

TEST_F(bus_test, what_the_broker_does_not_take_is_told) {
  open();
  std::string outcome;
  const auto tell = [&](bool ok) { outcome += ok ? '+' : '-'; };
  bus.send_to("two", body("x"), tell);
  EXPECT_EQ(outcome, "-") << "the link is down";
  link.go_up();
  link.answer = publish_outcome::refused;
  bus.send_all(body("x"), tell);
  EXPECT_EQ(outcome, "--");
  EXPECT_NE(log.text().find("bus_refused"), std::string::npos);
  link.answer = publish_outcome::done;
  bus.send_all(body(std::string(2000, 'x')), tell);
  EXPECT_EQ(outcome, "--") << "not from within the call";
  timers.run_posted();
  EXPECT_EQ(outcome, "---") << "too large";
  bus.send_all(body("x"), tell);
  EXPECT_EQ(outcome, "---+");
  EXPECT_TRUE(counted("roombus_bus_sent_total 1"));
  EXPECT_TRUE(counted("roombus_bus_unsent_total 3"));
}

TEST_F(bus_test, what_can_never_reach_a_room_does_not_hold_it_up) {
  link.go_up();
  open();
  std::string outcome;
  const auto tell = [&](bool ok) { outcome += ok ? '+' : '-'; };
  link.answer = publish_outcome::refused;
  bus.send_room(room_name("den"), body("x"), tell);
  bus.send_room(room_name("den"), body(std::string(2000, 'x')), tell);
  timers.run_posted();
  EXPECT_EQ(outcome, "++");
  link.answer = publish_outcome::dropped;
  bus.send_room(room_name("den"), body("x"), tell);
  EXPECT_EQ(outcome, "++-");
  EXPECT_TRUE(counted("roombus_bus_unsent_total 3"));
}

TEST_F(bus_test, what_is_no_message_of_an_instance_is_ignored_and_counted) {
  link.go_up();
  open();
  arrive("p/bus/all", "");
  arrive("p/bus/all", "\xa1");
  arrive("p/bus/all", "\x81\x01");
  arrive("p/bus/all", "{\"t\":\"json\"}");
  arrive("p/bus/all", cbor::write(body(std::string(2000, 'x'))));
  arrive("p/bus/all", cbor::write(body("kept")), true);
  EXPECT_EQ(events, strings{"up"});
  EXPECT_TRUE(counted("roombus_bus_ignored_total 6"));
  arrive("p/bus/all", cbor::write(body("good")));
  EXPECT_EQ(events.back(), "good");
  EXPECT_EQ(taken, std::vector<bool>(7, true));
  arrive("p/bus/plugin/events", "x");
  arrive("p/u/ann/c/status", "online");
  arrive("p/bus/allx", "x");
  EXPECT_EQ(std::vector<bool>(taken.begin() + 7, taken.end()), std::vector<bool>(3, false)) << "others' topics";
}

TEST_F(bus_test, rooms_are_heard_while_listened_to) {
  link.go_up();
  open();
  const room_name room("den");
  arrive("p/bus/room/den", cbor::write(body("before")));
  std::string outcome;
  const auto tell = [&](bool ok) { outcome += ok ? '+' : '-'; };
  bus.listen(room, tell);
  arrive("p/bus/room/den", cbor::write(body("heard")));
  bus.stop_listening(room);
  EXPECT_EQ(filters().size(), 2U);
  arrive("p/bus/room/den", cbor::write(body("after")));
  bus.stop_listening(room);
  link.refuse_subscriptions = true;
  bus.listen(room, tell);
  arrive("p/bus/room/den", cbor::write(body("refused")));
  EXPECT_EQ(outcome, "+-");
  EXPECT_EQ(events, (strings{"up", "heard"}));
}

TEST_F(bus_test, listening_that_was_given_up_does_not_end_a_later_one) {
  open();
  const room_name room("den");
  std::string outcome;
  bus.listen(room, [&](bool ok) { outcome += ok ? "first+ " : "first- "; });
  bus.stop_listening(room);
  bus.listen(room, [&](bool ok) { outcome += ok ? "second+" : "second-"; });
  link.go_up();
  EXPECT_EQ(outcome, "first- second+");
  arrive("p/bus/room/den", cbor::write(body("heard")));
  EXPECT_EQ(events, (strings{"up", "heard"}));
}

}  // namespace
}  // namespace roombus::mqtt
