#include "bridge/admin/admin_topic.hpp"

#include <gtest/gtest.h>

namespace roombus::mqtt {
namespace {

std::string parsed(const std::string& topic, broker_profile profile = broker_profile::mosquitto) {
  const auto call = parse_admin_call(topic, "P", profile);
  if (!call) return "none";
  std::string out;
  for (const std::string_view level : {call->user, call->client, call->method, call->id})
    out.append(level).append("|");
  return out;
}

TEST(admin_topic, calls_with_and_without_an_id) {
  EXPECT_EQ(parsed("P/admin/call/root/phone/addRoom"), "root|phone|addRoom||");
  EXPECT_EQ(parsed("P/admin/call/root/phone/addRoom/7"), "root|phone|addRoom|7|");
  EXPECT_EQ(parsed("P/admin/call/a@b.c/1/addRoom"), "a@b.c|1|addRoom||");
}

TEST(admin_topic, anything_else_is_no_call) {
  for (const char* topic :
       {"P/admin/call", "P/admin/call/", "P/admin/call/root", "P/admin/call/root/1", "P/admin/call/root/1/",
        "P/admin/call//1/addRoom", "P/admin/call/root//addRoom", "P/admin/call/root/1/addRoom/",
        "P/admin/call/root/1/addRoom/7/8", "P/admin/call/root/1/addRoom/ü", "P/admin/call/r t/1/addRoom",
        "Q/admin/call/root/1/addRoom", "P/admin/reply/root/1/addRoom", "P/admin/call/root/1/add+Room"}) {
    EXPECT_EQ(parsed(topic), "none") << topic;
  }
  EXPECT_EQ(parsed("P/admin/call/a@b/1/addRoom", broker_profile::nats), "none");
}

TEST(admin_topic, replies_go_below_the_caller) {
  const auto call = parse_admin_call("P/admin/call/root/phone/addRoom", "P", broker_profile::mosquitto);
  ASSERT_TRUE(call);
  EXPECT_EQ(admin_reply_base("P", *call), "P/admin/reply/root/phone/");
}

}  // namespace
}  // namespace roombus::mqtt
