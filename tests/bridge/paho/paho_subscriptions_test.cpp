// Subscriptions made while a link runs.

#include <csignal>

#include "tests/bridge/paho/paho_fixture.hpp"

namespace roombus::mqtt {

TEST_F(PahoLink, a_subscription_made_while_up_holds_from_its_answer_on) {
  start_broker();
  probe p;
  bring_up(p, {});
  EXPECT_EQ(publish(p, text("t", "before")), publish_outcome::done);
  EXPECT_TRUE(subscribe(p, "t"));
  EXPECT_EQ(publish(p, text("t", "after")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return !p.messages.empty(); }));
  EXPECT_EQ(p.messages[0].payload, "after");
  EXPECT_TRUE(subscribe(p, "t")) << "again: changes nothing";
  p.messages.clear();
  EXPECT_EQ(publish(p, text("t", "once")), publish_outcome::done);
  EXPECT_EQ(publish(p, text("t", "end")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return !p.messages.empty() && p.messages.back().payload == "end"; }));
  EXPECT_EQ(p.messages.size(), 2U);
}

TEST_F(PahoLink, an_ended_subscription_brings_nothing_more) {
  start_broker();
  probe p;
  bring_up(p, {});
  EXPECT_TRUE(subscribe(p, "a/+"));
  EXPECT_TRUE(subscribe(p, "mark"));
  p.link->unsubscribe("a/+");
  p.link->unsubscribe("never/there");
  EXPECT_TRUE(subscribe(p, "b")) << "requests are answered in order, so the one above is done, too";
  EXPECT_EQ(publish(p, text("a/1", "x")), publish_outcome::done);
  EXPECT_EQ(publish(p, text("mark", "x")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return !p.messages.empty(); }));
  EXPECT_EQ(p.messages[0].topic, "mark");
  EXPECT_TRUE(subscribe(p, "a/+")) << "and again";
  EXPECT_EQ(publish(p, text("a/1", "y")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return p.messages.size() == 2; }));
  EXPECT_EQ(p.messages[1].payload, "y");
}

TEST_F(PahoLink, whoever_ends_a_subscription_on_its_way_is_told) {
  start_broker();
  probe p;
  bring_up(p, {});
  std::optional<bool> first;
  std::optional<bool> second;
  p.link->subscribe(filter("t"), [&](bool ok) { first = ok; });
  p.link->unsubscribe("t");
  p.link->subscribe(filter("t"), [&](bool ok) { second = ok; });
  ASSERT_TRUE(live.run_until([&] { return first && second; }));
  EXPECT_FALSE(*first);
  EXPECT_TRUE(*second);
  EXPECT_EQ(publish(p, text("t", "x")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return !p.messages.empty(); }));
}

TEST_F(PahoLink, what_is_asked_while_down_is_made_before_the_link_is_up) {
  start_broker();
  probe p;
  make(p);
  bool before_up = false;
  p.link->subscribe(filter("early"), [&](bool ok) { before_up = ok && p.ups == 0; });
  p.link->subscribe(filter("never"), [&](bool ok) { EXPECT_FALSE(ok); });
  p.link->start({filter("base")}, p.handlers());
  p.link->unsubscribe("never");
  ASSERT_TRUE(live.run_until([&] { return p.ups > 0; }));
  EXPECT_TRUE(before_up);
  for (const char* topic : {"base", "never", "early"})
    EXPECT_EQ(publish(p, text(topic, "x")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return p.messages.size() >= 2; }));
  EXPECT_EQ(p.messages[0].topic, "base");
  EXPECT_EQ(p.messages[1].topic, "early");
}

TEST_F(PahoLink, subscriptions_are_restored_after_the_brokers_restart) {
  start_broker();
  probe p;
  bring_up(p, {filter("base")});
  EXPECT_TRUE(subscribe(p, "kept"));
  EXPECT_TRUE(subscribe(p, "ended"));
  kill(broker->pid(), SIGKILL);
  ASSERT_TRUE(live.run_until([&] { return p.downs == 1; }));
  p.link->unsubscribe("ended");
  bool made = false;
  p.link->subscribe(filter("new"), [&](bool ok) { made = ok && p.ups == 1; });
  bool again = false;
  p.link->subscribe(filter("kept"), [&](bool ok) { again = ok && p.ups == 1; });
  ASSERT_TRUE(live.run_until([&] { return p.ups == 2; }));
  EXPECT_TRUE(made);
  EXPECT_TRUE(again);
  for (const char* topic : {"ended", "kept", "new", "base"})
    EXPECT_EQ(publish(p, text(topic, "x")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return p.messages.size() >= 3; }));
  EXPECT_EQ(p.messages[0].topic, "kept");
  EXPECT_EQ(p.messages[1].topic, "new");
  EXPECT_EQ(p.messages[2].topic, "base");
}

TEST_F(PahoLink, what_was_ended_while_away_is_ended_in_a_kept_session) {
  start_broker();
  options.clean_start = false;
  options.session_expiry = 60s;
  probe p;
  bring_up(p, {});
  EXPECT_TRUE(subscribe(p, "ended"));
  options.client_id = "bridge";
  probe other;
  bring_up(other, {});  // takes the session over: the first is disconnected, and then takes it back
  ASSERT_TRUE(live.run_until([&] { return p.downs > 0; }));
  p.link->unsubscribe("ended");
  other.link.reset();
  ASSERT_TRUE(live.run_until([&] { return p.ups >= 2 && p.link->is_up(); }));
  EXPECT_TRUE(subscribe(p, "mark"));
  EXPECT_EQ(publish(p, text("ended", "x")), publish_outcome::done);
  EXPECT_EQ(publish(p, text("mark", "x")), publish_outcome::done);
  ASSERT_TRUE(live.run_until([&] { return !p.messages.empty(); }));
  EXPECT_EQ(p.messages[0].topic, "mark");
}

#ifdef ROOMBUS_PLUGIN  // a broker without it refuses nothing
TEST_F(PahoLink, a_refused_subscription_is_told_and_hurts_nobody) {
  plugin = ROOMBUS_PLUGIN;
  start_broker();
  options.uri = "tcp://127.0.0.1:" + std::to_string(address.device_port);
  options.username = "bob";
  options.client_id = "bob";
  for (const protocol_version version : {protocol_version::v5, protocol_version::v3_1_1}) {
    options.version = version;
    probe p;
    bring_up(p, {filter("roombus/u/bob/bob/reply/#")});
    EXPECT_FALSE(subscribe(p, "roombus/bus/all"));
    EXPECT_FALSE(subscribe(p, "roombus/bus/all")) << "tried again";
    EXPECT_TRUE(subscribe(p, "roombus/u/bob/bob/event/#"));
    EXPECT_EQ(p.downs, 0);
    stop(p, 1s);
  }
}
#endif

TEST_F(PahoLink, filters_that_no_broker_takes_are_refused_at_once) {
  start_broker();
  probe p;
  bring_up(p, {});
  const std::string bad[] = {"", "a+", "+a", "#/a", "a/b#", std::string("a\0b", 3), "\xff", std::string(70000, 'x')};
  for (const std::string& f : bad)
    EXPECT_FALSE(subscribe(p, f)) << f.substr(0, 10);
  EXPECT_TRUE(subscribe(p, "+/a/#"));
  EXPECT_EQ(p.downs, 0);
}

TEST_F(PahoLink, thousands_of_subscriptions_at_once) {
  start_broker();
  probe p;
  bring_up(p, {});
  constexpr int total = 5000;
  int made = 0;
  for (int i = 0; i < total; ++i)
    p.link->subscribe(filter("many/" + std::to_string(i)), [&](bool ok) { made += ok ? 1 : 0; });
  ASSERT_TRUE(live.run_until([&] { return made == total; }, 30s));
  kill(broker->pid(), SIGKILL);
  ASSERT_TRUE(live.run_until([&] { return p.ups == 2; }, 30s));
  for (int i = 0; i < total; i += 1000)
    EXPECT_EQ(publish(p, text("many/" + std::to_string(i), "x")), publish_outcome::done);
  EXPECT_TRUE(live.run_until([&] { return p.messages.size() == 5; }));
}

TEST_F(PahoLink, one_subscription_too_many_is_refused) {
  options.uri = "tcp://127.0.0.1:1";
  options.client_id = "x";
  probe p;
  make(p);
  int refused = 0;
  for (std::size_t i = 0; i <= mqtt_link::max_subscriptions; ++i)
    p.link->subscribe(filter(std::to_string(i)), [&](bool ok) { refused += ok ? 0 : 1; });
  ASSERT_TRUE(live.run_until([&] { return refused > 0; }));
  EXPECT_EQ(refused, 1);
  stop(p, 1s);
  EXPECT_EQ(refused, static_cast<int>(mqtt_link::max_subscriptions) + 1) << "those that wait are told at the end";
}

}  // namespace roombus::mqtt
