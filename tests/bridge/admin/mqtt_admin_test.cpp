#include "bridge/admin/mqtt_admin.hpp"

#include "tests/support/fake_link.hpp"
#include "tests/support/service_fixture.hpp"

namespace roombus::mqtt {
namespace {

mqtt_admin_options mosquitto_options() {
  mqtt_admin_options options;
  options.profile = broker_profile::mosquitto;
  return options;
}

class mqtt_admin_test : public test::service_fixture {
 protected:
  mqtt_admin_test() {
    keys.add("all-key", api_access::all);
    keys.add("read-key", api_access::read);
    add_room("kitchen", {});
    make_api(mosquitto_options());
    link.start({}, {[] {}, [](std::string_view) {}, [](received_message) {}});
    link.go_up();
  }

  void make_api(mqtt_admin_options options) {
    api.reset();
    api = std::make_unique<mqtt_admin>(std::move(options), mqtt_admin::environment{chat, link, keys, log, metrics});
  }

  static received_message message(const std::string& below, std::string payload) {
    received_message m;
    m.topic = "roombus/admin/call/" + below;
    m.payload = std::move(payload);
    m.level = qos::exactly_once;
    return m;
  }

  /// Hands over a call of root/1; what was published, as topic and payload.
  std::string call(const std::string& method, std::string payload) {
    received_message m = message("root/1/" + method + "/7", std::move(payload));
    EXPECT_TRUE(api->take(m));
    return published();
  }

  std::string published() {
    std::string out;
    for (const outgoing_message& m : link.take())
      out += (out.empty() ? "" : "\n") + m.topic + " " + *m.payload;
    return out;
  }

  test::fake_link link;
  api_keys keys;
  std::unique_ptr<mqtt_admin> api;
};

const std::string reply_to_7 = "roombus/admin/reply/root/1/7 ";

TEST_F(mqtt_admin_test, a_call_is_answered_below_the_caller) {
  EXPECT_EQ(call("hasRoom", R"({"key":"all-key","args":["kitchen"]})"), reply_to_7 + R"({"result":true})");
  EXPECT_EQ(call("hasRoom", R"({"key":"read-key","args":{"room":"hall"}})"), reply_to_7 + R"({"result":false})");
  EXPECT_EQ(call("listRooms", R"({"key":"read-key"})"), reply_to_7 + R"({"result":["kitchen"]})");
}

TEST_F(mqtt_admin_test, a_wrong_or_weak_key_is_not_allowed) {
  const std::string refused = reply_to_7 + R"({"error":{"code":"notAllowed")";
  for (const char* payload : {R"({"key":"x","args":["hall"]})", R"({"args":["hall"]})", R"(["hall"])", "",
                              R"({"key":7,"args":["hall"]})", R"({"key":"read-key","args":["hall"]})"}) {
    EXPECT_TRUE(call("addRoom", payload).starts_with(refused)) << payload;
  }
  EXPECT_TRUE(
      call("batch", R"({"key":"read-key","args":[[{"method":"addRoom","args":["hall"]}]]})").starts_with(refused));
  EXPECT_EQ(call("hasRoom", R"({"key":"all-key","args":["hall"]})"), reply_to_7 + R"({"result":false})");
}

TEST_F(mqtt_admin_test, bad_payloads_are_told) {
  EXPECT_TRUE(call("hasRoom", R"({"key":)").starts_with(reply_to_7 + R"({"error":{"code":"badArgument")"));
  EXPECT_TRUE(
      call("hasRoom", R"({"key":"all-key","arg":[]})").starts_with(reply_to_7 + R"({"error":{"code":"badArgument")"));
  EXPECT_TRUE(call("paint", R"({"key":"all-key"})").starts_with(reply_to_7 + R"({"error":{"code":"noCommand")"));
}

TEST_F(mqtt_admin_test, response_topics_count_only_below_the_caller) {
  const auto ask = [&](std::optional<std::string> topic) {
    received_message m = message("root/1/hasRoom", R"({"key":"all-key","args":["kitchen"]})");
    m.response_topic = std::move(topic);
    m.correlation_data = "c";
    EXPECT_TRUE(api->take(m));
    const auto sent = link.take();
    if (sent.empty()) return std::string("nothing");
    EXPECT_EQ(sent.front().correlation_data, "c");
    EXPECT_EQ(sent.front().level, qos::at_least_once);
    return sent.front().topic;
  };
  EXPECT_EQ(ask("roombus/admin/reply/root/1/here"), "roombus/admin/reply/root/1/here");
  for (const char* topic : {"roombus/admin/reply/root/1/", "roombus/admin/reply/root/2/x", "roombus/bus/all", "x",
                            "roombus/admin/reply/root/1/+", "roombus/admin/reply/root/1/#"}) {
    EXPECT_EQ(ask(topic), "nothing") << topic;
  }
  EXPECT_EQ(ask(std::nullopt), "nothing");
}

TEST_F(mqtt_admin_test, only_named_users_may_call) {
  mqtt_admin_options options = mosquitto_options();
  options.users = {"boss"};
  make_api(std::move(options));
  const std::string payload = R"({"key":"all-key","args":["kitchen"]})";
  EXPECT_TRUE(call("hasRoom", payload).starts_with(reply_to_7 + R"({"error":{"code":"notAllowed")"));
  received_message m = message("boss/1/hasRoom/7", payload);
  EXPECT_TRUE(api->take(m));
  EXPECT_EQ(published(), R"(roombus/admin/reply/boss/1/7 {"result":true})");
}

TEST_F(mqtt_admin_test, of_several_instances_one_answers_and_one_tells) {
  std::string served = "root/1";
  mqtt_admin_options options = mosquitto_options();
  options.serves = [&](std::string_view device) { return device == served; };
  make_api(std::move(options));
  EXPECT_EQ(call("hasRoom", R"({"key":"all-key","args":["hall"]})"), reply_to_7 + R"({"result":false})");
  chat.events().emit("clusterBus", value_map{{"event", value("lunch")}});
  EXPECT_EQ(published(), "") << "the one that all instances emit";
  served = "admin/events";
  EXPECT_EQ(call("addRoom", R"({"key":"all-key","args":["hall"]})"), "") << "somebody else's";
  chat.events().emit("clusterBus", value_map{{"event", value("lunch")}});
  EXPECT_EQ(published(), R"(roombus/admin/events/clusterBus {"event":"lunch"})");
  served = "root/1";
  EXPECT_EQ(call("hasRoom", R"({"key":"all-key","args":["hall"]})"), reply_to_7 + R"({"result":false})");
}

TEST_F(mqtt_admin_test, what_is_no_call_is_ignored_or_left_to_others) {
  const std::string payload = R"({"key":"all-key","args":["hall"]})";
  received_message retained = message("root/1/addRoom/7", payload);
  retained.retained = true;
  EXPECT_TRUE(api->take(retained));
  received_message wrong = message("root/1/addRoom/7/8", payload);
  EXPECT_TRUE(api->take(wrong));
  received_message long_data = message("root/1/addRoom/7", payload);
  long_data.correlation_data = std::string(5000, 'x');
  EXPECT_TRUE(api->take(long_data));
  received_message other = message("x", payload);
  other.topic = "roombus/hook/reply/x";
  EXPECT_FALSE(api->take(other));
  EXPECT_EQ(published(), "");
  EXPECT_EQ(call("hasRoom", payload), reply_to_7 + R"({"result":false})");
}

TEST_F(mqtt_admin_test, operator_events_are_published_and_wait_for_the_broker) {
  chat.events().emit("clusterBus", value_map{{"event", value("a")}});
  EXPECT_EQ(published(), R"(roombus/admin/events/clusterBus {"event":"a"})");
  link.go_down();
  for (int i = 0; i < 101; ++i)
    chat.events().emit("clusterBus", value_map{{"event", value(i)}});
  EXPECT_EQ(published(), "");
  link.go_up();
  api->link_up();
  const auto sent = link.take();
  ASSERT_EQ(sent.size(), 100u);
  EXPECT_EQ(*sent.front().payload, R"({"event":1})");
  EXPECT_EQ(*sent.back().payload, R"({"event":100})");
  api->link_up();
  EXPECT_EQ(published(), "");
}

TEST_F(mqtt_admin_test, it_asks_for_calls_without_retained_ones) {
  const auto wanted = api->subscriptions();
  ASSERT_EQ(wanted.size(), 1u);
  EXPECT_EQ(wanted.front().filter, "roombus/admin/call/#");
  EXPECT_FALSE(wanted.front().retained);
}

}  // namespace
}  // namespace roombus::mqtt
