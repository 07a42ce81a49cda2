// Rooms: creating, joining, leaving, who is told what (contract §2, §5).

#include "tests/support/service_fixture.hpp"

namespace roombus::test {
namespace {

using events = std::vector<std::string>;

class service_rooms : public service_fixture {
 protected:
  void SetUp() override {
    for (const char* id : {"alice1", "alice2", "bob1"})
      connect(id);
    EXPECT_EQ(run("alice1", "roomCreate", R"(["kitchen",false])"), "[null]");
    forget_events();
  }
};

TEST_F(service_rooms, create_once_with_a_good_name) {
  EXPECT_EQ(run("bob1", "roomCreate", R"(["kitchen",false])"), R"(roomExists["kitchen"])");
  EXPECT_EQ(run("bob1", "roomCreate", R"(["a:b",false])"), R"(invalidName["a:b"])");
  EXPECT_EQ(run("bob1", "roomCreate", R"(["",false])"), R"(invalidName[""])");
  EXPECT_EQ(run("alice1", "roomGetOwner", R"(["kitchen"])"), R"(["alice"])");
}

TEST_F(service_rooms, first_join_of_a_user_is_told_to_the_room_and_each_join_to_the_users_others) {
  EXPECT_EQ(run("alice1", "roomJoin", R"(["kitchen"])"), "[1]");
  EXPECT_EQ(take("alice1"), (events{R"(roomUserJoined["kitchen","alice"])"}));
  EXPECT_EQ(take("alice2"), (events{R"(roomJoinedEcho["kitchen","alice1",1])"}));

  EXPECT_EQ(run("alice2", "roomJoin", R"(["kitchen"])"), "[2]");
  EXPECT_EQ(take("alice1"), (events{R"(roomJoinedEcho["kitchen","alice2",2])"}));
  EXPECT_EQ(take("alice2"), events{});

  EXPECT_EQ(run("bob1", "roomJoin", R"(["kitchen"])"), "[1]");
  EXPECT_EQ(take("alice1"), (events{R"(roomUserJoined["kitchen","bob"])"}));
  EXPECT_EQ(run("bob1", "roomGetAccessList", R"(["kitchen","userlist"])"), R"([["alice","bob"]])");
}

TEST_F(service_rooms, joining_twice_tells_nobody) {
  run("alice1", "roomJoin", R"(["kitchen"])");
  forget_events();
  EXPECT_EQ(run("alice1", "roomJoin", R"(["kitchen"])"), "[1]");
  EXPECT_EQ(take("alice1"), events{});
  EXPECT_EQ(take("alice2"), events{});
}

TEST_F(service_rooms, only_the_last_leave_is_told_to_the_room) {
  for (const char* id : {"alice1", "alice2", "bob1"})
    run(id, "roomJoin", R"(["kitchen"])");
  forget_events();
  EXPECT_EQ(run("alice1", "roomLeave", R"(["kitchen"])"), "[1]");
  EXPECT_EQ(take("bob1"), events{});
  EXPECT_EQ(take("alice2"), (events{R"(roomLeftEcho["kitchen","alice1",1])"}));
  EXPECT_EQ(run("alice2", "roomLeave", R"(["kitchen"])"), "[0]");
  EXPECT_EQ(take("bob1"), (events{R"(roomUserLeft["kitchen","alice"])"}));
  EXPECT_EQ(run("alice2", "roomLeave", R"(["kitchen"])"), "[0]");
  EXPECT_EQ(take("bob1"), events{});
}

TEST_F(service_rooms, a_closing_connection_leaves_its_rooms_then_is_told) {
  for (const char* id : {"alice1", "alice2", "bob1"})
    run(id, "roomJoin", R"(["kitchen"])");
  forget_events();
  disconnect("alice1");
  EXPECT_EQ(take("alice2"), (events{R"(roomLeftEcho["kitchen","alice1",1])", R"(socketDisconnectEcho["alice1",1])"}));
  EXPECT_EQ(take("bob1"), events{});
  disconnect("alice2");
  EXPECT_EQ(take("bob1"), (events{R"(roomUserLeft["kitchen","alice"])"}));
  EXPECT_EQ(run("bob1", "roomUserSeen", R"(["kitchen","alice"])"), R"([{"joined":false,"timestamp":1000}])");
}

TEST_F(service_rooms, no_updates_when_the_room_does_not_want_them) {
  room_settings quiet;
  add_room("quiet", quiet);
  run("alice1", "roomJoin", R"(["quiet"])");
  run("bob1", "roomJoin", R"(["quiet"])");
  EXPECT_EQ(take("alice1"), events{});
  run("bob1", "roomLeave", R"(["quiet"])");
  EXPECT_EQ(take("alice1"), events{});
}

TEST_F(service_rooms, join_needs_a_live_connection) {
  call c;
  c.user = user_name("alice");
  c.command = "roomJoin";
  c.args = {value("kitchen")};
  EXPECT_EQ(shown(run(c)), R"(noSocket["roomJoin"])");
  EXPECT_EQ(run("alice9", "roomJoin", R"(["kitchen"])"), R"(invalidSocket["alice9"])");
}

TEST_F(service_rooms, delete_is_the_owners_and_removes_everybody) {
  run("alice1", "roomJoin", R"(["kitchen"])");
  run("bob1", "roomJoin", R"(["kitchen"])");
  forget_events();
  EXPECT_EQ(run("bob1", "roomDelete", R"(["kitchen"])"), "notAllowed[]");
  EXPECT_EQ(run("alice1", "roomDelete", R"(["kitchen"])"), "[null]");
  for (const char* id : {"alice1", "alice2", "bob1"}) {
    EXPECT_EQ(take(id), (events{R"(roomAccessRemoved["kitchen"])"})) << id;
  }
  EXPECT_EQ(run("bob1", "roomMessage", R"(["kitchen",{"x":1}])"), R"(noRoom["kitchen"])");
  EXPECT_EQ(run("bob1", "listOwnSockets", "[]"), R"([{"bob1":[]}])");
}

TEST_F(service_rooms, a_room_created_anew_has_a_new_epoch) {
  const std::string before = run("alice1", "roomHistoryInfo", R"(["kitchen"])");
  run("alice1", "roomDelete", R"(["kitchen"])");
  run("alice1", "roomCreate", R"(["kitchen",false])");
  EXPECT_NE(run("alice1", "roomHistoryInfo", R"(["kitchen"])"), before);
}

TEST_F(service_rooms, management_off_refuses_clients) {
  service strict(chat_options{}, chat_limits{}, "i", service::environment{*data, time, random, timers, log, metrics});
  call c;
  c.user = user_name("alice");
  c.command = "roomCreate";
  c.args = {value("other"), value(false)};
  auto refused = strict.execute(c);
  EXPECT_EQ(shown(refused.take()), "notAllowed[]");
  c.bypass_permissions = true;
  auto done = strict.execute(c);
  EXPECT_EQ(shown(done.take()), "[null]");
}

}  // namespace
}  // namespace roombus::test
