#include "adapters/broker_auth/broker_access.hpp"

#include <gtest/gtest.h>

namespace roombus::broker_auth {
namespace {

broker_access make(client_ids ids) {
  access_options options;
  options.bridge_user = "roombus";
  options.admins = {"root"};
  options.workers = {"worker"};
  options.ids = ids;
  return broker_access(std::move(options));
}
const broker_access own = make(client_ids::own);
const broker_access any = make(client_ids::any);

TEST(broker_access, an_id_belongs_to_one_user_at_most) {
  struct {
    const char* user;
    const char* client;
    bool allowed;
  } const table[] = {
      {"alice", "alice", true},
      {"alice", "alice~1", true},
      {"alice", "alice~", false},
      {"alice", "alice~1~2", false},
      {"alice", "alice-1", false},
      {"alice", "bob", false},
      {"alice", "bob~1", false},
      {"alice", "", false},
      {"alice", "Alice", false},
      {"ali", "alice~1", false},
      {"a~b", "a~b~1", true},
      {"a~b", "a~b", false},
      {"a", "a~b", true},
      {"a", "a~b~1", false},
      {"", "", false},
      {"a/b", "a/b", false},
      {"+", "+", false},
      {"#", "#", false},
      {"alice", "alice~/", false},
      {"alice", "alice~+", false},
      {"roombus", "whatever", true},
      {"roombus", "a/b", false},
  };
  for (const auto& a : table)
    EXPECT_EQ(own.may_be(a.user, a.client), a.allowed) << a.user << " as " << a.client;
  EXPECT_TRUE(any.may_be("alice", "bob"));
  EXPECT_FALSE(any.may_be("alice", "b/b"));
}

TEST(broker_access, no_two_users_may_have_one_id) {
  const std::vector<std::string> names{"a", "b", "ab", "a~", "~a", "a~b", "a~b~c", "~", "~~", "a~~b", "b~c"};
  for (const auto& client : names) {
    int users = 0;
    for (const auto& user : names)
      users += own.may_be(user, client) ? 1 : 0;
    EXPECT_LE(users, 1) << client;
  }
}

TEST(broker_access, a_device_publishes_its_requests_only) {
  struct {
    const char* topic;
    bool retain;
    bool allowed;
  } const table[] = {
      {"roombus/u/alice/alice~1/call/roomJoin/1", false, true},
      {"roombus/u/alice/alice~1/send/kitchen", false, true},
      {"roombus/u/alice/alice~1/send/..%2Fx", false, true},
      {"roombus/u/alice/alice~1/status", true, true},
      {"roombus/u/alice/alice~1/send/kitchen", true, false},
      {"roombus/u/alice/alice~1/call/roomJoin/1", true, false},
      {"roombus/u/alice/alice~1/reply/1", false, false},
      {"roombus/u/alice/alice~1/event/roomMessage", false, false},
      {"roombus/u/alice/alice~1/room/kitchen/roomMessage", false, false},
      {"roombus/u/alice/alice~2/send/kitchen", false, false},
      {"roombus/u/bob/bob~1/send/kitchen", false, false},
      {"roombus/u/bob/alice~1/send/kitchen", false, false},
      {"roombus/u/alice/+/send/kitchen", false, false},
      {"roombus/u/alice/alice~1/send/+", false, false},
      {"roombus/u/alice/alice~1/send/#", false, false},
      {"roombus/u/alice%2Falice~1/send/kitchen", false, false},
      {"roombus/u/%61lice/alice~1/send/kitchen", false, false},
      {"roombus/u/alice/../bob/bob~1/send/kitchen", false, false},
      {"roombus/r/kitchen/json/roomMessage", false, false},
      {"roombus/bus/all", false, false},
      {"roombus/bus/instance/x", true, false},
      {"roombus/admin/call/alice/alice~1/addRoom/1", false, false},
      {"roombus/hook/reply/i/1", false, false},
      {"$SYS/broker/uptime", false, false},
      {"$CONTROL/roombus/v1", false, false},
      {"$delayed/1/roombus/u/alice/alice~1/send/kitchen", false, false},
      {"other/u/alice/alice~1/send/kitchen", false, false},
      {"", false, false},
      {"roombus/u/alice/alice~1/send/a\nb", false, false},
  };
  for (const auto& a : table)
    EXPECT_EQ(own.may_publish("alice", "alice~1", a.topic, a.retain), a.allowed) << a.topic << " " << a.retain;
  EXPECT_FALSE(own.may_publish("alice", "bob~1", "roombus/u/alice/bob~1/send/kitchen", false)) << "not its client id";
}

TEST(broker_access, a_device_reads_its_own_tree_only) {
  struct {
    const char* filter;
    bool allowed;
  } const table[] = {
      {"roombus/u/alice/alice~1/#", true},
      {"roombus/u/alice/alice~1/room/+/roomMessage", true},
      {"roombus/u/alice/alice~1/reply/#", true},
      {"roombus/u/alice/alice~2/#", false},
      {"roombus/u/alice/+/#", false},
      {"roombus/u/alice/#", false},
      {"roombus/u/+/+/reply/#", false},
      {"roombus/u/bob/#", false},
      {"roombus/#", false},
      {"#", false},
      {"+/u/alice/alice~1/#", false},
      {"+/+/+/+/+", false},
      {"roombus/r/#", false},
      {"roombus/r/+/json/#", false},
      {"roombus/r/kitchen/json/roomMessage", false},
      {"roombus/bus/#", false},
      {"roombus/admin/#", false},
      {"roombus/hook/call/#", false},
      {"$share/g/roombus/u/bob/bob~1/#", false},
      {"$share/g/roombus/u/alice/alice~1/#", false},
      {"$share/g/#", false},
      {"$queue/#", false},
      {"$SYS/#", false},
      {"", false},
  };
  for (const auto& a : table)
    EXPECT_EQ(own.may_subscribe("alice", "alice~1", a.filter), a.allowed) << a.filter;
}

TEST(broker_access, roombus_admins_and_workers_have_their_parts) {
  EXPECT_TRUE(own.may_publish("roombus", "x", "roombus/u/alice/alice~1/reply/1", false));
  EXPECT_TRUE(own.may_subscribe("roombus", "x", "roombus/u/+/+/call/#"));
  EXPECT_TRUE(own.may_publish("root", "root", "roombus/admin/call/root/root/addRoom/1", false));
  EXPECT_FALSE(own.may_publish("root", "root", "roombus/hook/reply/i/1", false));
  EXPECT_TRUE(own.may_subscribe("worker", "worker~1", "$share/g/roombus/hook/call/#"));
  EXPECT_FALSE(own.may_subscribe("worker", "worker~1", "roombus/admin/events/#"));
  access_options nobody;
  EXPECT_FALSE(broker_access(nobody).is_bridge("")) << "no account of ours, so nobody is it";
}

}  // namespace
}  // namespace roombus::broker_auth
