// What accounts may read, write and subscribe, as an attacker would try it.

#include "schemas/topics/topic_policy.hpp"

#include <gtest/gtest.h>

namespace roombus::topics {
namespace {

struct asked {
  const char* topic;
  bool allowed;
};

const topic_policy strict("roombus", false);
const topic_policy dev("roombus", true);

TEST(topic_policy, name_levels) {
  for (const char* good : {"a", "alice", "A-Z_~.@9", "a@b.c"})
    EXPECT_TRUE(is_name_level(good)) << good;
  for (const char* bad : {"", "a/b", "+", "#", "a b", "a\nb", "a%2Fb", "$SYS", "\xc3\xbc", "a:b", "a{b"})
    EXPECT_FALSE(is_name_level(bad)) << bad;
  EXPECT_TRUE(is_name_level(std::string(128, 'x')));
  EXPECT_FALSE(is_name_level(std::string(129, 'x')));
}

TEST(topic_policy, writes_of_a_device) {
  const asked table[] = {
      {"roombus/u/alice/c1/call/roomJoin/1", true},
      {"roombus/u/alice/c1/call/roomJoin", true},
      {"roombus/u/alice/c1/send/kitchen", true},
      {"roombus/u/alice/c1/status", true},
      {"roombus/u/alice/c2/send/kitchen", false},
      {"roombus/u/bob/c1/send/kitchen", false},
      {"roombus/u/alic/c1/send/kitchen", false},
      {"roombus/u/alice2/c1/send/kitchen", false},
      {"roombus/u/Alice/c1/send/kitchen", false},
      {"roombus/u/alic%65/c1/send/kitchen", false},
      {"roombus/u/alice/c1/status/x", false},
      {"roombus/u/alice/c1/reply/1", false},
      {"roombus/u/alice/c1/event/roomMessage", false},
      {"roombus/u/alice/c1/room/kitchen/roomMessage", false},
      {"roombus/u/alice/c1", false},
      {"roombus/u/alice/c1/", false},
      {"roombus/u/alice//send/kitchen", false},
      {"roombus/u//c1/send/kitchen", false},
      {"roombus/u/alice/c1/../../bob/c1/send/kitchen", false},
      {"roombus/r/kitchen/json/roomMessage", false},
      {"roombus/bus/plugin/events", false},
      {"roombus/bus/all", false},
      {"roombus/admin/call/alice/c1/addRoom", false},
      {"roombus/admin/reply/alice/c1/1", false},
      {"roombus/hook/call/onConnect", false},
      {"roombus/hook/reply/instance/1", false},
      {"$CONTROL/roombus/v1", false},
      {"$CONTROL/dynamic-security/v1", false},
      {"$SYS/broker/uptime", false},
      {"$share/g/roombus/u/alice/c1/send/kitchen", false},
      {"roombus", false},
      {"roombusx/u/alice/c1/send/kitchen", false},
      {"/roombus/u/alice/c1/send/kitchen", false},
      {"other/topic", false},
      {"", false},
  };
  for (const asked& a : table)
    EXPECT_EQ(strict.write(role::device, "alice", "c1", a.topic, false), a.allowed) << a.topic;
}

TEST(topic_policy, only_a_status_may_be_retained) {
  EXPECT_TRUE(strict.write(role::device, "alice", "c1", "roombus/u/alice/c1/status", true));
  EXPECT_FALSE(strict.write(role::device, "alice", "c1", "roombus/u/alice/c1/send/kitchen", true));
  EXPECT_FALSE(strict.write(role::device, "alice", "c1", "roombus/u/alice/c1/call/roomJoin/1", true));
  EXPECT_FALSE(strict.write(role::admin, "alice", "c1", "roombus/admin/call/alice/c1/addRoom", true));
}

TEST(topic_policy, a_status_is_one_short_word) {
  for (const bool retain : {false, true}) {
    const auto writes = [&](const char* topic, std::size_t size) {
      return dev.write(role::device, "alice", "c1", topic, retain, size);
    };
    EXPECT_TRUE(writes("roombus/u/alice/c1/status", std::string_view("offline").size()));
    EXPECT_TRUE(writes("roombus/u/alice/c1/status", max_status_bytes));
    EXPECT_FALSE(writes("roombus/u/alice/c1/status", max_status_bytes + 1));
    EXPECT_FALSE(writes("roombus/u/alice/c2/status", 1'000'000));
  }
  EXPECT_TRUE(strict.write(role::device, "alice", "c1", "roombus/u/alice/c1/send/kitchen", false, 1'000'000));
}

TEST(topic_policy, subscriptions_of_a_device) {
  const asked table[] = {
      {"roombus/r/+/json/#", true},
      {"roombus/r/kitchen/cbor/roomMessage", true},
      {"roombus/r/+/+/+", true},
      {"roombus/r/#", true},
      {"roombus/u/alice/c1/#", true},
      {"roombus/u/alice/c1/room/+/roomMessage", true},
      {"roombus/u/alice/+/event/#", false},
      {"roombus/u/alice/#", false},
      {"roombus/u/+/c1/#", false},
      {"roombus/u/bob/c1/#", false},
      {"roombus/u/#", false},
      {"roombus/+/alice/c1/#", false},
      {"+/u/alice/c1/#", false},
      {"roombus/#", false},
      {"roombus/+/#", false},
      {"#", false},
      {"+/#", false},
      {"+", false},
      {"$SYS/#", false},
      {"$CONTROL/#", false},
      {"$share/g/roombus/r/+/json/#", false},
      {"$share/g/#", false},
      {"$share/g/roombus/u/bob/c1/#", false},
      {"$share/roombus/hook/call/#", false},
      {"roombus/bus/#", false},
      {"roombus/bus/plugin/events", false},
      {"roombus/admin/#", false},
      {"roombus/admin/events/#", false},
      {"roombus/admin/reply/alice/c1/#", false},
      {"roombus/hook/call/#", false},
      {"", false},
  };
  for (const asked& a : table)
    EXPECT_EQ(strict.subscribe(role::device, "alice", "c1", a.topic), a.allowed) << a.topic;
}

TEST(topic_policy, reads_of_a_device) {
  const auto read = [](const char* topic) { return strict.read(role::device, "alice", "c1", topic); };
  EXPECT_EQ(read("roombus/u/alice/c1/event/loginConfirmed").outcome, verdict::allowed);
  EXPECT_EQ(read("roombus/u/alice/c2/event/loginConfirmed").outcome, verdict::denied);
  EXPECT_EQ(read("roombus/u/bob/c1/event/loginConfirmed").outcome, verdict::denied);
  EXPECT_EQ(read("roombus/bus/plugin/events").outcome, verdict::denied);
  EXPECT_EQ(read("roombus/admin/events/ready").outcome, verdict::denied);
  EXPECT_EQ(read("$SYS/broker/uptime").outcome, verdict::denied);
  const decision room = read("roombus/r/a%2Fb/json/roomMessage");
  EXPECT_EQ(room.outcome, verdict::needs_grant);
  EXPECT_EQ(room.room_level, "a%2Fb");
  for (const char* odd :
       {"roombus/r/kitchen", "roombus/r//json/x", "roombus/r/kitchen/xml/x", "roombus/r/kitchen/json"})
    EXPECT_EQ(read(odd).outcome, verdict::denied) << odd;
}

TEST(topic_policy, without_a_name_nothing_is_ones_own) {
  EXPECT_EQ(strict.read(role::device, "", "", "roombus/u///event/x").outcome, verdict::denied);
  EXPECT_FALSE(strict.write(role::device, "", "c1", "roombus/u//c1/send/x", false));
  EXPECT_FALSE(dev.subscribe(role::device, "", "c1", "roombus/u//#"));
}

TEST(topic_policy, in_development_any_client_acts_for_its_user) {
  EXPECT_TRUE(dev.write(role::device, "alice", "pub1", "roombus/u/alice/sub1/call/roomJoin/1", false));
  EXPECT_TRUE(dev.subscribe(role::device, "alice", "pub1", "roombus/u/alice/+/event/#"));
  EXPECT_TRUE(dev.subscribe(role::device, "alice", "pub1", "roombus/u/alice/#"));
  EXPECT_EQ(dev.read(role::device, "alice", "pub1", "roombus/u/alice/sub1/reply/1").outcome, verdict::allowed);
  EXPECT_FALSE(dev.write(role::device, "alice", "pub1", "roombus/u/bob/sub1/call/roomJoin/1", false));
  EXPECT_FALSE(dev.write(role::device, "alice", "pub1", "roombus/u/alice/+/call/roomJoin/1", false));
  EXPECT_FALSE(dev.subscribe(role::device, "alice", "pub1", "roombus/u/+/#"));
  EXPECT_FALSE(dev.subscribe(role::device, "alice", "pub1", "roombus/u/#"));
}

TEST(topic_policy, workers_and_admins_get_only_their_part) {
  EXPECT_TRUE(strict.subscribe(role::worker, "w", "c1", "roombus/hook/call/#"));
  EXPECT_TRUE(strict.subscribe(role::worker, "w", "c1", "$share/hooks/roombus/hook/call/+"));
  EXPECT_FALSE(strict.subscribe(role::worker, "w", "c1", "$share/hooks/roombus/u/bob/#"));
  EXPECT_FALSE(strict.subscribe(role::worker, "w", "c1", "$share/+/roombus/hook/call/#"));
  EXPECT_TRUE(strict.write(role::worker, "w", "c1", "roombus/hook/reply/i/1", false));
  EXPECT_FALSE(strict.write(role::worker, "w", "c1", "roombus/hook/call/onConnect", false));
  EXPECT_FALSE(strict.subscribe(role::worker, "w", "c1", "roombus/admin/events/#"));
  EXPECT_TRUE(strict.write(role::admin, "root", "c1", "roombus/admin/call/root/c1/addRoom/1", false));
  EXPECT_FALSE(strict.write(role::admin, "root", "c1", "roombus/admin/call/boss/c1/addRoom/1", false));
  EXPECT_FALSE(strict.write(role::admin, "root", "c1", "roombus/admin/reply/root/c1/1", false));
  EXPECT_FALSE(strict.write(role::admin, "root", "c1", "roombus/hook/reply/i/1", false));
  EXPECT_EQ(strict.read(role::admin, "root", "c1", "roombus/admin/events/ready").outcome, verdict::allowed);
  EXPECT_EQ(strict.read(role::admin, "root", "c1", "roombus/admin/reply/boss/c1/1").outcome, verdict::denied);
  EXPECT_EQ(strict.read(role::privileged, "root", "c1", "roombus/r/kitchen/json/x").outcome, verdict::needs_grant);
}

TEST(topic_policy, a_bridge_may_do_everything_but_write_what_the_broker_says_of_itself) {
  EXPECT_TRUE(strict.write(role::bridge, "b", "b", "$CONTROL/roombus/v1", false));
  EXPECT_TRUE(strict.write(role::bridge, "b", "b", "roombus/r/kitchen/json/roomMessage", false));
  EXPECT_FALSE(strict.write(role::bridge, "b", "b", "$SYS/x", false));
}

}  // namespace
}  // namespace roombus::topics
