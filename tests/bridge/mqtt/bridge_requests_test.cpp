#include "tests/bridge/mqtt/bridge_fixture.hpp"

namespace roombus::mqtt {
namespace {

using strings = std::vector<std::string>;
class bridge_requests : public bridge_fixture {};

TEST_F(bridge_requests, first_request_connects_and_is_answered) {
  ASSERT_TRUE(link.deliver(message("alice/sub1", "call/roomJoin/17", R"(["kitchen"])")));
  EXPECT_EQ(payload_on("roombus/u/alice/sub1/event/loginConfirmed"),
            R"({"user":"alice","data":{"id":"mqtt#alice/sub1"}})");
  EXPECT_EQ(payload_on("roombus/u/alice/sub1/reply/17"), R"({"result":1})");
  EXPECT_EQ(payload_on("roombus/u/alice/sub1/room/kitchen/roomUserJoined"), R"({"room":"kitchen","user":"alice"})");
  EXPECT_EQ(chat.connection_count(), 1u);
}

TEST_F(bridge_requests, response_topic_and_correlation_data_of_mqtt_5) {
  received_message m = message("alice/c1", "call/listOwnSockets", "");
  m.response_topic = "roombus/u/alice/c1/reply/x/y";
  m.correlation_data = std::string("\0\xff", 2);
  m.level = qos::exactly_once;
  ASSERT_TRUE(link.deliver(m));
  const auto sent = link.take();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_EQ(sent[1].topic, *m.response_topic);
  EXPECT_EQ(sent[1].correlation_data, m.correlation_data);
  EXPECT_EQ(sent[1].content_type, "application/json");
  EXPECT_EQ(sent[1].level, qos::at_least_once);
  EXPECT_EQ(sent[1].keep, retain::no);
  EXPECT_EQ(*sent[1].payload, R"({"result":{"mqtt#alice/c1":[]}})");
}

TEST_F(bridge_requests, no_reply_without_an_address_and_none_outside_the_callers_own_subtree) {
  join("alice/c1");
  ASSERT_TRUE(link.deliver(message("alice/c1", "call/roomMessage", R"(["kitchen",{"a":1}])")));
  EXPECT_EQ(topics(), strings{"u/alice/c1/room/kitchen/roomMessage"});
  for (const char* topic : {"roombus/u/bob/c1/reply/1", "roombus/u/alice/c1/call/roomLeave", "x", "",
                            "roombus/u/alice/c1/reply/#", "roombus/u/alice/c1/reply/\xc2\x85"}) {
    const long before = ignored_because("response_topic");
    received_message m = message("alice/c1", "call/roomMessage", R"(["kitchen",{"a":1}])");
    m.response_topic = topic;
    ASSERT_TRUE(link.deliver(m));
    EXPECT_EQ(topics(), strings{"u/alice/c1/room/kitchen/roomMessage"}) << topic;
    EXPECT_EQ(ignored_because("response_topic"), before + 1) << topic;
  }
}

TEST_F(bridge_requests, reply_level_is_that_of_the_request_but_never_2) {
  for (const auto& [asked, answered] : {std::pair{qos::at_most_once, qos::at_most_once},
                                        {qos::at_least_once, qos::at_least_once},
                                        {qos::exactly_once, qos::at_least_once}}) {
    call("alice/c1", "listOwnSockets", "");
    link.take();
    received_message m = message("alice/c1", "call/listOwnSockets/1", "");
    m.level = asked;
    ASSERT_TRUE(link.deliver(m));
    const auto sent = link.take();
    ASSERT_EQ(sent.size(), 1u);
    EXPECT_EQ(sent[0].level, answered);
  }
}

TEST_F(bridge_requests, errors_are_replies) {
  EXPECT_TRUE(call("a/c", "noSuch", "[]").starts_with(R"({"error":{"code":"noCommand","args":["noSuch"],"text":")"));
  EXPECT_TRUE(call("a/c", "roomJoin", R"(["attic"])").starts_with(R"({"error":{"code":"noRoom","args":["attic"],)"));
  EXPECT_TRUE(call("a/c", "roomJoin", "{").starts_with(R"({"error":{"code":"badArgument","args":[0,)"));
  EXPECT_TRUE(call("a/c", "roomJoin", "").starts_with(R"({"error":{"code":"wrongArgumentsCount")"));
  EXPECT_TRUE(call("a/c", "roomJoin", R"({"rom":"kitchen"})").starts_with(R"({"error":{"code":"badArgument")"));
  EXPECT_EQ(call("a/c", "roomJoin", R"({"room":"kitchen"})"), R"({"result":1})");
}

TEST_F(bridge_requests, named_arguments_and_further_results) {
  const std::string answer = call("a/c", "roomJoin", R"({"room":"kitchen","options":{"after":0}})");
  EXPECT_TRUE(answer.starts_with(R"({"result":1,"extra":[{"messages":[],)")) << answer;
}

TEST_F(bridge_requests, send_stores_and_delivers_the_message_itself) {
  join("alice/sub1");
  join("bob/sub1");
  join("sensor/pub1");
  ASSERT_TRUE(link.deliver(message("sensor/pub1", "send/kitchen", R"({"temp":21})")));
  const std::string expected = R"({"temp":21,"author":"sensor","timestamp":0,"id":1})";
  for (const char* device : {"alice/sub1", "bob/sub1", "sensor/pub1"}) {
    EXPECT_EQ(payload_on("roombus/u/" + std::string(device) + "/room/kitchen/roomMessage"), expected) << device;
  }
  EXPECT_EQ(link.published.size(), 3u) << "send is never answered";
  EXPECT_EQ(link.published[0].payload, link.published[1].payload) << "encoded once";
  EXPECT_EQ(link.published[0].level, qos::at_least_once);
}

TEST_F(bridge_requests, send_without_having_joined_is_counted) {
  ASSERT_TRUE(link.deliver(message("sensor/pub1", "send/kitchen", "21")));
  EXPECT_EQ(topics(), strings{"u/sensor/pub1/event/loginConfirmed"});
  EXPECT_EQ(metric("roombus_mqtt_failed_sends_total"), 1);
}

TEST_F(bridge_requests, correlation_data_of_a_send_prevents_doubles) {
  join("sensor/pub1");
  received_message m = message("sensor/pub1", "send/kitchen", R"({"temp":21})");
  m.correlation_data = "reading-1";
  ASSERT_TRUE(link.deliver(m));
  EXPECT_EQ(link.take().size(), 1u);
  ASSERT_TRUE(link.deliver(m));
  EXPECT_EQ(link.take().size(), 0u);
  m.correlation_data = std::string(200, '\xff');
  ASSERT_TRUE(link.deliver(m));
  EXPECT_EQ(link.take().size(), 0u);
  EXPECT_EQ(ignored_because("correlation_data"), 1);
}

TEST_F(bridge_requests, a_connection_is_served_in_the_encoding_it_last_used) {
  const value_list room{value("kitchen")};
  link.deliver(message("alice/sub1", "call/roomJoin/1", cbor::write(value(room))));
  const value_map answer{{"result", value(1)}};
  EXPECT_EQ(payload_on("roombus/u/alice/sub1/reply/1"), cbor::write(answer));
  join("bob/sub1");
  ASSERT_TRUE(link.deliver(message("bob/sub1", "send/kitchen", R"({"a":1})")));
  const auto sent = link.take();
  ASSERT_EQ(sent.size(), 2u);
  for (const outgoing_message& m : sent) {
    const bool to_alice = m.topic.starts_with("roombus/u/alice/");
    EXPECT_EQ(m.content_type, to_alice ? "application/cbor" : "application/json");
    EXPECT_EQ((m.payload->front() & 0xe0) == 0xa0, to_alice);
  }
  link.deliver(message("alice/sub1", "call/listOwnSockets/2", "[]"));
  link.take();
  ASSERT_TRUE(link.deliver(message("bob/sub1", "send/kitchen", R"({"a":1})")));
  for (const outgoing_message& m : link.take())
    EXPECT_EQ(m.payload->front(), '{');
}

TEST_F(bridge_requests, a_join_and_the_send_after_it_run_in_order) {
  ASSERT_TRUE(link.deliver(message("a/c", "call/roomJoin", R"(["kitchen"])")));
  ASSERT_TRUE(link.deliver(message("a/c", "send/kitchen", R"({"n":1})")));
  EXPECT_EQ(topics(), (strings{"u/a/c/event/loginConfirmed", "u/a/c/room/kitchen/roomUserJoined",
                               "u/a/c/room/kitchen/roomMessage"}));
}

TEST_F(bridge_requests, direct_messages_go_to_event_topics) {
  status("bob/c1", "online");
  join("alice/c1");
  EXPECT_EQ(call("alice/c1", "directMessage", R"(["bob",{"text":"hi"}])"),
            R"({"result":{"text":"hi","author":"alice","timestamp":0}})");
  EXPECT_EQ(payload_on("roombus/u/bob/c1/event/directMessage"),
            R"({"message":{"text":"hi","author":"alice","timestamp":0}})");
}

TEST_F(bridge_requests, what_nobody_asked_for_is_ignored_and_counted) {
  const std::pair<const char*, const char*> cases[] = {
      {"roombus/u/a/c/call/x/1/2", "topic"},
      {"roombus/u/a b/c/call/x", "levels"},
      {"roombus/u/a/c/call/x/ ", "request_id"},
      {"roombus/u/a/c/send/a.b", "room"},
      {"else/where", "topic"},
  };
  for (const auto& [topic, reason] : cases) {
    const long before = ignored_because(reason);
    received_message m;
    m.topic = topic;
    link.deliver_anyway(m);
    EXPECT_EQ(ignored_because(reason), before + 1) << topic;
  }
  received_message kept = message("a/c", "call/listOwnSockets/1", "");
  kept.retained = true;
  ASSERT_TRUE(link.deliver(kept));
  EXPECT_EQ(ignored_because("retained"), 1);
  received_message long_data = message("a/c", "call/listOwnSockets/1", "");
  long_data.correlation_data = std::string(1025, 'x');
  ASSERT_TRUE(link.deliver(long_data));
  EXPECT_EQ(ignored_because("correlation_data"), 1);
  status("a/c", "away");
  EXPECT_EQ(ignored_because("status"), 1);
  EXPECT_EQ(topics(), strings{});
  EXPECT_EQ(devices->device_count(), 0u);
}

}  // namespace
}  // namespace roombus::mqtt
