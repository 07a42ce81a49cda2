#include "tests/bridge/mqtt/bridge_fixture.hpp"

namespace roombus::mqtt {
namespace {

using strings = std::vector<std::string>;

bridge_options broker_delivery() {
  bridge_options options;
  options.profile = broker_profile::mosquitto;
  options.mode = delivery::broker;
  return options;
}

class bridge_broadcast : public bridge_fixture {
 protected:
  bridge_broadcast() : bridge_fixture(broker_delivery()) {}

  void join_with_cbor(const std::string& device) {
    const value_list room{value("kitchen")};
    ASSERT_TRUE(link.deliver(message(device, "call/roomJoin/1", cbor::write(value(room)))));
    link.take();
  }
  strings send() {
    link.take();
    EXPECT_TRUE(link.deliver(message("alice/c1", "send/kitchen", R"({"a":1})")));
    return topics();
  }
};

TEST_F(bridge_broadcast, one_publish_serves_all_devices) {
  join("alice/c1");
  join("alice/c2");
  join("bob/c1");
  EXPECT_EQ(send(), strings{"r/kitchen/json/roomMessage"});
}

TEST_F(bridge_broadcast, one_publish_for_each_encoding_that_is_read) {
  join("alice/c1");
  join_with_cbor("bob/c1");
  EXPECT_EQ(send(), (strings{"r/kitchen/json/roomMessage", "r/kitchen/cbor/roomMessage"}));
  EXPECT_EQ(call("bob/c1", "listOwnSockets", "[]"), R"({"result":{"mqtt#bob/c1":["kitchen"]}})");
  EXPECT_EQ(send(), strings{"r/kitchen/json/roomMessage"});
}

TEST_F(bridge_broadcast, nobody_who_left_is_published_for) {
  join("alice/c1");
  join_with_cbor("bob/c1");
  status("bob/c1", "offline");
  timers.advance(2s);
  EXPECT_EQ(topics(), strings{"r/kitchen/json/roomUserLeft"});
  EXPECT_EQ(send(), strings{"r/kitchen/json/roomMessage"});
  join_with_cbor("bob/c1");
  const value_list room{value("kitchen")};
  link.deliver(message("bob/c1", "call/roomLeave", cbor::write(value(room))));
  EXPECT_EQ(send(), strings{"r/kitchen/json/roomMessage"});
}

TEST_F(bridge_broadcast, own_notifications_keep_their_own_topics) {
  join("alice/c1");
  status("alice/c2", "online");
  EXPECT_EQ(topics(), (strings{"u/alice/c1/event/socketConnectEcho", "u/alice/c2/event/loginConfirmed"}));
}

}  // namespace
}  // namespace roombus::mqtt
