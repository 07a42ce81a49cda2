// The bridge with the broker's plugin, which a test plays: presence by its word, grants before a join is confirmed.

#include "tests/bridge/mqtt/bridge_fixture.hpp"

namespace roombus::mqtt {
namespace {

using strings = std::vector<std::string>;

bridge_options with_plugin(plugin_use use) {
  bridge_options options;
  options.profile = broker_profile::mosquitto;
  options.mode = delivery::automatic;
  options.plugin.use = use;
  options.plugin.instance = "i";
  options.plugin.life = "l";
  return options;
}

class plugin_fixture : public bridge_fixture {
 protected:
  explicit plugin_fixture(plugin_use use = plugin_use::require) : bridge_fixture(with_plugin(use)) {}
  explicit plugin_fixture(bridge_options options) : bridge_fixture(std::move(options)) {}

  /// What went to the plugin since the last call: "sequence lines…", without the renewals' empty lines.
  strings orders() {
    strings out;
    std::vector<outgoing_message> rest;
    for (outgoing_message& m : link.take()) {
      if (m.topic != "$CONTROL/roombus/v1") {
        rest.push_back(std::move(m));
        continue;
      }
      // roombus 1 i l INCARNATION SEQUENCE LEASE
      const std::string& text = *m.payload;
      const std::size_t end = std::min(text.find('\n'), text.size());
      const std::string head = text.substr(0, end);
      const std::size_t lease = head.rfind(' ');
      const std::size_t sequence = head.rfind(' ', lease - 1);
      last_sequence = head.substr(sequence + 1, lease - sequence - 1);
      out.push_back(end == text.size() ? "" : text.substr(end + 1));
    }
    link.published = std::move(rest);
    return out;
  }
  void say(const std::string& topic, const std::string& payload) {
    received_message m;
    m.topic = "roombus/bus/plugin/" + topic;
    m.payload = payload;
    ASSERT_TRUE(link.deliver(std::move(m))) << topic;
  }
  void answer_hello(const std::string& incarnation, const std::string& connected, int events = 0) {
    orders();
    say("answer/i", "state " + incarnation + " " + last_sequence + " " + std::to_string(events) + " last" + connected);
    next_event = events;
    current = incarnation;
    ack();
  }
  void ack(const std::string& how = "ok") {
    orders();
    say("answer/i", "ack " + current + " " + last_sequence + " " + how);
  }
  void event(const std::string& kind, const std::string& who) {
    say("events", kind + " " + current + " " + std::to_string(++next_event) + " " + who);
  }
  std::string current;
  std::string last_sequence;
  int next_event = 0;
};

/// Of several instances: others may have taken it for dead while the link was down.
class verified_fixture : public plugin_fixture {
 protected:
  verified_fixture() : plugin_fixture(options()) {}
  ~verified_fixture() override { open.clear(); }

  static bridge_options options() {
    bridge_options o = with_plugin(plugin_use::require);
    o.plugin.verify = [](std::function<void(bool)> then) { open.push_back(std::move(then)); };
    return o;
  }
  static void answer(bool lives) {
    const auto then = std::move(open.front());
    open.erase(open.begin());
    then(lives);
  }

  static inline std::vector<std::function<void(bool)>> open;
};

TEST_F(verified_fixture, nothing_is_granted_anew_before_it_is_known_that_the_instance_lives) {
  EXPECT_EQ(orders(), strings{});
  answer(true);
  EXPECT_EQ(orders(), strings{"hello\nalone"});
  answer_hello("inc", "\n2 alice c1");
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/roomJoin/1", "[\"kitchen\"]")));
  ack();
  for (const bool lives : {true, false}) {
    link.go_down();
    link.go_up();
    link.go_down();
    link.go_up();
    ASSERT_EQ(open.size(), 2U);
    answer(true);
    EXPECT_EQ(orders(), strings{}) << "of the connection before";
    answer(lives);
    EXPECT_EQ(orders(), strings{"hello\nalone"});
    say("answer/i", "state inc " + last_sequence + " 0 last\n2 alice c1");
    EXPECT_EQ(orders(), strings{lives ? "sync\ngrant alice c1 2 - kitchen" : "sync"});
    ack();
  }
}

TEST_F(plugin_fixture, nothing_is_served_before_the_plugin_has_answered) {
  EXPECT_EQ(orders(), strings{"hello\nalone"});
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/listOwnSockets/1", "[]")));
  EXPECT_TRUE(link.published.empty());
  timers.advance(1s);
  EXPECT_EQ(orders(), strings{"hello\nalone"}) << "asked again";
  answer_hello("inc", "\n2 alice c1");
  EXPECT_EQ(payload_on("roombus/u/alice/c1/reply/1"), R"({"result":{"mqtt#alice/c1":[]}})") << "what waited is run";
}

TEST_F(plugin_fixture, only_the_plugin_says_who_is_there) {
  answer_hello("inc", "");
  EXPECT_EQ(
      call("alice/c1", "listOwnSockets", "[]"),
      R"({"error":{"code":"invalidSocket","args":["mqtt#alice/c1"],"text":"Socket mqtt#alice/c1 is not connected"}})");
  status("alice/c1", "online");
  EXPECT_EQ(chat.connection_count(), 0U);
  event("connected", "2 alice c1");
  EXPECT_EQ(chat.connection_count(), 1U);
  status("alice/c1", "offline");
  timers.advance(9s);
  EXPECT_EQ(chat.connection_count(), 1U) << "no grace";
  event("disconnected", "2 alice c1 7");
  EXPECT_EQ(chat.connection_count(), 0U);
}

TEST_F(plugin_fixture, a_takeover_is_a_new_life) {
  answer_hello("inc", "\n2 alice c1");
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/roomJoin/1", "[\"kitchen\"]")));
  ack();
  EXPECT_EQ(call("alice/c1", "listOwnSockets", "[]"), R"({"result":{"mqtt#alice/c1":["kitchen"]}})");
  event("connected", "3 alice c1");
  event("disconnected", "2 alice c1 -1");
  EXPECT_EQ(call("alice/c1", "listOwnSockets", "[]"), R"({"result":{"mqtt#alice/c1":[]}})");
}

TEST_F(plugin_fixture, a_login_keeps_the_limits_that_the_plugin_tells) {
  answer_hello("inc", "\n2 alice c1 publish=\n3 bob c2 -\n4 carol c3");
  link.take();
  event("connected", "5 dave c4 until=99000;join=hall");
  EXPECT_EQ(payload_on("roombus/u/dave/c4/event/loginConfirmed"),
            R"({"user":"dave","data":{"id":"mqtt#dave/c4","expiresAt":99000}})");
  const std::string refused = R"({"error":{"code":"notAllowed","args":[],"text":"Action is not allowed"}})";
  EXPECT_EQ(call("dave/c4", "roomJoin", R"(["kitchen"])"), refused);
  for (const char* who : {"alice/c1", "bob/c2", "carol/c3"})
    ASSERT_TRUE(link.deliver(message(who, "call/roomJoin/1", R"(["kitchen"])")));
  ack();
  EXPECT_EQ(call("alice/c1", "roomMessage", R"(["kitchen",{"a":1}])"), refused);
  EXPECT_EQ(call("bob/c2", "roomMessage", R"(["kitchen",{"a":1}])"), R"({"result":1})");
  EXPECT_EQ(call("carol/c3", "roomMessage", R"(["kitchen",{"a":1}])"), R"({"result":2})");
  // a new life has the limits of its own login
  event("connected", "6 dave c4 -");
  event("disconnected", "5 dave c4 7");
  ASSERT_TRUE(link.deliver(message("dave/c4", "call/roomJoin/1", R"(["kitchen"])")));
  ack();
  EXPECT_EQ(payload_on("roombus/u/dave/c4/reply/1"), R"({"result":1})");
}

TEST_F(plugin_fixture, limits_that_are_not_understood_allow_no_room) {
  answer_hello("inc", "\n2 alice c1 rooms=kitchen\n3 bob c2 -");
  EXPECT_NE(call("alice/c1", "roomJoin", R"(["kitchen"])").find("notAllowed"), std::string::npos);
  EXPECT_EQ(call("bob/c2", "listOwnSockets", "[]"), R"({"result":{"mqtt#bob/c2":[]}})");
}

TEST_F(plugin_fixture, a_join_waits_for_its_grant_and_is_delivered_once_for_all) {
  answer_hello("inc", "\n2 alice c1\n3 bob c2");
  link.take();
  for (const char* who : {"alice/c1", "bob/c2"})
    ASSERT_TRUE(link.deliver(message(who, "call/roomJoin/1", "[\"kitchen\"]")));
  EXPECT_EQ(orders(), (strings{"grant alice c1 2 - kitchen", "grant bob c2 3 - kitchen"}));
  EXPECT_EQ(topics(), strings{}) << "no reply, no notification";
  ack();  // of the second: the first was heard before
  EXPECT_EQ(payload_on("roombus/u/alice/c1/reply/1"), R"({"result":1})");
  EXPECT_EQ(payload_on("roombus/u/bob/c2/reply/1"), R"({"result":1})");
  link.take();
  ASSERT_TRUE(link.deliver(message("alice/c1", "send/kitchen", R"({"a":1})")));
  EXPECT_EQ(topics(), strings{"r/kitchen/json/roomMessage"});
}

TEST_F(plugin_fixture, a_grant_that_is_not_confirmed_fails_the_join_and_is_withdrawn) {
  answer_hello("inc", "\n2 alice c1");
  link.take();
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/roomJoin/1", "[\"kitchen\"]")));
  orders();
  timers.advance(5s);
  EXPECT_EQ(orders(), strings{"revoke alice c1 2 - kitchen"});
  ack();
  EXPECT_NE(payload_on("roombus/u/alice/c1/reply/1").find("timeout"), std::string::npos);
  EXPECT_EQ(metric("roombus_plugin_timeouts_total"), 1);
}

TEST_F(plugin_fixture, who_leaves_is_cut_off_before_the_others_hear_of_it) {
  answer_hello("inc", "\n2 alice c1\n3 bob c2");
  for (const char* who : {"alice/c1", "bob/c2"})
    ASSERT_TRUE(link.deliver(message(who, "call/roomJoin/1", "[\"kitchen\"]")));
  ack();
  link.take();
  ASSERT_TRUE(link.deliver(message("bob/c2", "call/roomLeave/2", "[\"kitchen\"]")));
  strings order;
  for (const outgoing_message& m : link.published)
    order.push_back(m.topic);
  EXPECT_EQ(order, (strings{"$CONTROL/roombus/v1", "roombus/r/kitchen/json/roomUserLeft"}));
  EXPECT_EQ(payload_on("roombus/u/bob/c2/reply/2"), "") << "acknowledged only once the plugin has confirmed";
  EXPECT_EQ(orders(), strings{"revoke bob c2 3 - kitchen"});
  ack();
  EXPECT_EQ(payload_on("roombus/u/bob/c2/reply/2"), R"({"result":0})");
}

TEST_F(plugin_fixture, everything_is_granted_anew_when_the_link_is_back) {
  answer_hello("inc", "\n2 alice c1\n3 bob c2");
  for (const char* who : {"alice/c1", "bob/c2"})
    ASSERT_TRUE(link.deliver(message(who, "call/roomJoin/1", "[\"kitchen\"]")));
  ack();
  link.go_down();
  link.go_up();
  EXPECT_EQ(orders(), strings{"hello\nalone"});
  say("answer/i", "state inc " + last_sequence + " 5 last\n2 alice c1");  // bob went meanwhile
  const strings sent = orders();
  ASSERT_FALSE(sent.empty());
  EXPECT_NE(sent[0].find("sync\n"), std::string::npos) << sent[0];
  EXPECT_NE(sent[0].find("grant alice c1 2 - kitchen"), std::string::npos) << sent[0];
  EXPECT_EQ(chat.connection_count(), 1U);
}

TEST_F(plugin_fixture, after_a_restart_of_the_broker_all_lives_are_new) {
  answer_hello("inc", "\n2 alice c1");
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/roomJoin/1", "[\"kitchen\"]")));
  ack();
  link.go_down();
  link.go_up();
  answer_hello("other", "\n2 alice c1");
  EXPECT_EQ(call("alice/c1", "listOwnSockets", "[]"), R"({"result":{"mqtt#alice/c1":[]}})")
      << "the same number by chance";
}

TEST_F(plugin_fixture, lost_events_and_lapsed_grants_are_made_good) {
  answer_hello("inc", "\n2 alice c1", 7);
  orders();
  say("events", "connected inc 9 4 carol c3");
  EXPECT_EQ(orders(), strings{"hello\nalone"});
  answer_hello("inc", "\n2 alice c1\n4 carol c3", 9);
  EXPECT_EQ(chat.connection_count(), 2U);
  timers.advance(10s);
  EXPECT_EQ(orders(), strings{""}) << "a renewal";
  say("answer/i", "ack inc " + last_sequence + " lapsed");
  EXPECT_EQ(orders(), strings{"hello\nalone"});
}

TEST_F(plugin_fixture, who_was_let_in_begins_anew_when_the_grants_have_lapsed) {
  answer_hello("inc", "\n2 alice c1");
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/roomJoin/1", "[\"kitchen\"]")));
  ack();
  timers.advance(10s);
  link.take();
  say("answer/i", "ack inc " + last_sequence + " lapsed");
  answer_hello("inc", "\n2 alice c1");
  timers.run_posted();
  EXPECT_EQ(payload_on("roombus/u/alice/c1/event/loginConfirmed"), R"({"user":"alice","data":{"id":"mqtt#alice/c1"}})");
  EXPECT_EQ(call("alice/c1", "listOwnSockets", "[]"), R"({"result":{"mqtt#alice/c1":[]}})")
      << "it joins again, with the last message that it has seen";
}

TEST_F(plugin_fixture, that_grants_have_lapsed_may_be_told_late) {
  answer_hello("inc", "\n2 alice c1");
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/roomJoin/1", "[\"kitchen\"]")));
  ack();
  timers.advance(20s);  // a renewal is not answered: the broker stands still
  say("answer/i", "ack inc 3 lapsed");
  answer_hello("inc", "\n2 alice c1");
  EXPECT_EQ(call("alice/c1", "listOwnSockets", "[]"), R"({"result":{"mqtt#alice/c1":[]}})");
}

TEST_F(plugin_fixture, an_operator_closes_the_connection_in_the_broker) {
  answer_hello("inc", "\n2 alice c1");
  orders();
  auto done = chat.call_api("disconnectUserSockets", value(value_list{value("alice")}));
  EXPECT_TRUE(done.done());
  EXPECT_EQ(orders(), strings{"kick alice c1 2"});
  timers.run_posted();
  EXPECT_EQ(chat.connection_count(), 0U);
}

class maybe_plugin : public plugin_fixture {
 protected:
  maybe_plugin() : plugin_fixture(plugin_use::detect) {}
};

TEST_F(maybe_plugin, without_an_answer_it_is_inbox_delivery) {
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/roomJoin/1", "[\"kitchen\"]")));
  EXPECT_EQ(orders(), strings{"hello\nalone"});
  timers.advance(1s);
  EXPECT_EQ(payload_on("roombus/u/alice/c1/reply/1"), R"({"result":1})");
  link.take();
  ASSERT_TRUE(link.deliver(message("alice/c1", "send/kitchen", R"({"a":1})")));
  EXPECT_EQ(topics(), strings{"u/alice/c1/room/kitchen/roomMessage"});
}

}  // namespace
}  // namespace roombus::mqtt
