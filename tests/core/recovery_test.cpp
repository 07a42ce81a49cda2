// Faults at every call of the store and of a broadcaster: what is answered, what is reported, and that the sync methods
// repair it. Source: contract §8, Recovery.

#include "tests/support/hooked_fixture.hpp"

namespace roombus::test {
namespace {

using strings = std::vector<std::string>;

/// When a fault strikes, and what is done then.
enum class moment : std::uint8_t { before, after };

struct fault {
  std::string operation;
  moment when = moment::before;
  errc code = errc::unavailable;
};

class recovery_test : public hooked_fixture {
 protected:
  void SetUp() override {
    observe();
    asked("addRoom", R"(["r",{"owner":"alice","enableUserlistUpdates":true,"enableAccessListsUpdates":true}])");
    for (const char* id : {"alice1", "bob1", "carol1"})
      connect(id);
    run("alice1", "roomJoin", R"(["r"])");
    run("bob1", "roomJoin", R"(["r"])");
    forget_events();
  }

  /// The operation fails from now on: before it does anything, or after it has done all.
  void break_store(fault f) {
    if (f.when == moment::before) {
      data->before = [f](std::string operation) {
        result<void> answer;
        if (operation == f.operation) answer = chat_error(f.code);
        return at_once(answer);
      };
    } else {
      data->after = [f](std::string operation) {
        result<void> answer;
        if (operation == f.operation) answer = chat_error(f.code);
        return answer;
      };
    }
  }
  void break_after(const std::string& operation) { break_store({operation, moment::after, errc::timeout}); }
  void repair_store() {
    data->before = nullptr;
    data->after = nullptr;
  }

  std::string userlist() { return asked("execUserCommand", R"([true,"roomGetAccessList","r","userlist"])"); }
  std::string sockets(const std::string& user) {
    return asked("execUserCommand", R"([")" + user + R"(","listOwnSockets"])");
  }
  void sync_room() { EXPECT_EQ(asked("roomStateSync", R"(["r"])"), "[null]"); }
  void sync_user(const std::string& user) { EXPECT_EQ(asked("userStateSync", R"([")" + user + R"("])"), "[null]"); }

  /// What the members get of a message that alice sends tells who is served.
  strings served() {
    forget_events();
    asked("execUserCommand", R"([true,"roomMessage","r",{}])");
    strings out;
    for (auto& [id, sink] : sinks) {
      if (!sink->take().empty()) out.push_back(id);
    }
    return out;
  }
};

// every operation of the store and a call that needs it
struct use {
  const char* operation;
  const char* id;  ///< who calls; null: the server API
  const char* command;
  const char* args;
};

const use uses[] = {
    {"add_room", nullptr, "addRoom", R"(["r2"])"},
    {"remove_room", nullptr, "deleteRoom", R"(["r"])"},
    {"remove_room", "alice1", "roomDelete", R"(["r"])"},
    {"find_room", nullptr, "hasRoom", R"(["r"])"},
    {"read_room", "alice1", "roomGetOwner", R"(["r"])"},
    {"read_room", "alice1", "roomHistoryInfo", R"(["r"])"},
    {"read_room", nullptr, "roomHasInList", R"(["r","userlist","bob"])"},
    {"read_room", nullptr, "hasRoomAccess", R"(["r","bob"])"},
    {"read_history", "alice1", "roomRecentHistory", R"(["r"])"},
    {"read_history", "alice1", "roomHistoryGet", R"(["r",0,1])"},
    {"append", "alice1", "roomMessage", R"(["r",{}])"},
    {"edit_list", "alice1", "roomAddToList", R"(["r","blacklist",["bob"]])"},
    {"edit_list", "alice1", "roomRemoveFromList", R"(["r","blacklist",["bob"]])"},
    {"set_whitelist_mode", "alice1", "roomSetWhitelistMode", R"(["r",true])"},
    {"change_room", nullptr, "changeRoomOwner", R"(["r","bob"])"},
    {"change_room", nullptr, "changeRoomHistoryMaxSize", R"(["r",1])"},
    {"change_room", nullptr, "changeAccessListsUpdates", R"(["r",true])"},
    {"change_room", nullptr, "changeUserlistUpdates", R"(["r",true])"},
    {"list_rooms", nullptr, "listRooms", "[]"},
    {"confirm_join", "carol1", "roomJoin", R"(["r"])"},
    {"leave", "bob1", "roomLeave", R"(["r"])"},
    {"add_user", nullptr, "addUser", R"(["dan"])"},
    {"remove_user", nullptr, "deleteUser", R"(["dan"])"},
    {"has_user", nullptr, "hasUser", R"(["bob"])"},
    {"has_user", nullptr, "disconnectUserSockets", R"(["dan"])"},
    {"has_user", nullptr, "execUserCommand", R"(["bob","listOwnSockets"])"},
    {"connections", "bob1", "listOwnSockets", "[]"},
    {"connection_records", nullptr, "userStateSync", R"(["bob"])"},
    {"list_users", nullptr, "listUsers", "[]"},
    {"has_in_direct_list", nullptr, "userHasInList", R"(["bob","whitelist","x"])"},
    {"check_direct", "bob1", "directMessage", R"(["alice",{}])"},
    {"check_direct", nullptr, "hasDirectAccess", R"(["alice","bob"])"},
    {"edit_direct_list", "bob1", "directAddToList", R"(["whitelist",["x"]])"},
    {"edit_direct_list", "bob1", "directRemoveFromList", R"(["whitelist",["x"]])"},
    {"direct_list", "bob1", "directGetAccessList", R"(["whitelist"])"},
    {"set_direct_whitelist_mode", "bob1", "directSetWhitelistMode", "[true]"},
    {"direct_whitelist_mode", "bob1", "directGetWhitelistMode", "[]"},
    {"last_heartbeat", nullptr, "getInstanceHeartbeat", "[]"},
    {"instance_connections", nullptr, "getInstanceSockets", "[]"},
    {"instance_connections", nullptr, "instanceRecovery", R"(["other"])"},
    {"forget_instance", nullptr, "instanceRecovery", R"(["other"])"},
    {"repair_room", nullptr, "roomStateSync", R"(["r"])"},
};

TEST_F(recovery_test, an_operation_that_did_nothing_answers_unavailable_and_leaves_everything_as_it_was) {
  for (const use& u : uses) {
    SCOPED_TRACE(std::string(u.operation) + " in " + u.command);
    break_store({u.operation, moment::before, errc::unavailable});
    const std::string answer = u.id == nullptr ? asked(u.command, u.args) : run(u.id, u.command, u.args);
    EXPECT_EQ(answer, "unavailable[]");
    repair_store();
    EXPECT_TRUE(observed.empty()) << observed.front();
    EXPECT_EQ(userlist(), R"([["alice","bob"]])");
    for (auto& [id, sink] : sinks)
      EXPECT_TRUE(sink->take().empty()) << id;
  }
}

TEST_F(recovery_test, an_operation_that_broke_off_is_repaired_by_the_sync_methods) {
  for (const use& u : uses) {
    SCOPED_TRACE(std::string(u.operation) + " in " + u.command);
    asked("addUser", R"(["dan"])");
    break_after(u.operation);
    const std::string answer = u.id == nullptr ? asked(u.command, u.args) : run(u.id, u.command, u.args);
    EXPECT_EQ(answer, "timeout[]");
    repair_store();
    asked("roomStateSync", R"(["r"])");
    for (const char* user : {"alice", "bob", "carol"})
      sync_user(user);
    // store and instance agree about who is in the room
    const std::string members = userlist();
    for (const char* id : {"alice1", "bob1", "carol1"}) {
      const std::string name = user_of(id);
      const bool in_list = members.find('"' + name + '"') != std::string::npos;
      EXPECT_EQ(sockets(name), std::string(R"([{")") + id + R"(":[)" + (in_list ? R"("r")" : "") + "]}]");
    }
    strings expected;
    for (const char* id : {"alice1", "bob1", "carol1"}) {
      if (members.find('"' + user_of(id) + '"') != std::string::npos) expected.emplace_back(id);
    }
    EXPECT_EQ(served(), expected);
    // as it was, for the next row
    asked("addRoom", R"(["r",{"enableUserlistUpdates":true,"enableAccessListsUpdates":true}])");
    asked("changeRoomOwner", R"(["r","alice"])");
    asked("execUserCommand", R"([true,"roomSetWhitelistMode","r",false])");
    asked("execUserCommand", R"([true,"roomRemoveFromList","r","blacklist",["bob"]])");
    run("alice1", "roomJoin", R"(["r"])");
    run("bob1", "roomJoin", R"(["r"])");
    run("carol1", "roomLeave", R"(["r"])");
    EXPECT_EQ(userlist(), R"([["alice","bob"]])");
  }
}

TEST_F(recovery_test, a_leave_that_broke_off_is_reported_and_roomStateSync_tells_the_others) {
  proves("8.35", "8.42");
  break_after("leave");
  EXPECT_EQ(run("bob1", "roomLeave", R"(["r"])"), "timeout[]");
  EXPECT_EQ(observed,
            strings{R"(storeConsistencyFailure{"userName":"bob","roomName":"r","id":"bob1","opType":"userRooms"})"});
  repair_store();
  EXPECT_TRUE(take("alice1").empty());
  sync_room();
  EXPECT_EQ(take("alice1"), strings{R"(roomUserLeft["r","bob"])"});
  EXPECT_EQ(take("bob1"), strings{R"(roomLeftEcho["r","bob1",0])"});
  EXPECT_EQ(served(), strings{"alice1"});
  sync_room();
  EXPECT_TRUE(take("alice1").empty());  // once
}

// a store may keep what a user's connections are in apart from the rooms, so that one can have changed without the
// other
TEST_F(recovery_test, a_sync_also_leaves_the_room_in_the_users_own_records) {
  proves("8.34", "8.35");
  for (const char* method : {"userStateSync", "roomStateSync"}) {
    run("bob1", "roomJoin", R"(["r"])");
    break_after("leave");
    EXPECT_EQ(run("bob1", "roomLeave", R"(["r"])"), "timeout[]");
    repair_store();
    strings operations;
    data->before = [&operations](std::string operation) {
      operations.push_back(std::move(operation));
      return at_once(result<void>{});
    };
    asked(method, method[0] == 'u' ? R"(["bob"])" : R"(["r"])");
    data->before = nullptr;
    const auto cancelled = std::find(operations.begin(), operations.end(), "cancel_join");
    EXPECT_NE(std::find(cancelled, operations.end(), "leave"), operations.end()) << method;
  }
}

TEST_F(recovery_test, userStateSync_repairs_it_too_and_a_user_with_two_connections_leaves_once) {
  proves("8.34");
  connect("bob2");
  run("bob2", "roomJoin", R"(["r"])");
  forget_events();
  break_after("leave");
  run("bob1", "roomLeave", R"(["r"])");
  run("bob2", "roomLeave", R"(["r"])");
  repair_store();
  sync_user("bob");
  EXPECT_EQ(take("alice1"), strings{R"(roomUserLeft["r","bob"])"});
  EXPECT_EQ(served(), strings{"alice1"});
}

TEST_F(recovery_test, a_join_that_broke_off_is_undone) {
  break_after("confirm_join");
  EXPECT_EQ(run("carol1", "roomJoin", R"(["r"])"), "timeout[]");
  repair_store();
  EXPECT_EQ(userlist(), R"([["alice","bob"]])");
  EXPECT_EQ(sockets("carol"), R"([{"carol1":[]}])");
  EXPECT_TRUE(observed.empty());
  EXPECT_TRUE(take("alice1").empty());
  EXPECT_EQ(run("carol1", "roomJoin", R"(["r"])"), "[1]");
}

TEST_F(recovery_test, a_join_that_cannot_be_undone_is_reported_and_repaired) {
  data->after = [](std::string operation) {
    result<void> answer;
    if (operation == "confirm_join") answer = chat_error(errc::timeout);
    return answer;
  };
  data->before = [](std::string operation) {
    result<void> answer;
    if (operation == "leave") answer = chat_error(errc::unavailable);
    return at_once(answer);
  };
  EXPECT_EQ(run("carol1", "roomJoin", R"(["r"])"), "timeout[]");
  EXPECT_EQ(
      observed,
      strings{R"(storeConsistencyFailure{"userName":"carol","roomName":"r","id":"carol1","opType":"userRooms"})"});
  repair_store();
  EXPECT_EQ(userlist(), R"([["alice","bob","carol"]])");
  sync_room();
  EXPECT_EQ(userlist(), R"([["alice","bob"]])");
  EXPECT_EQ(sockets("carol"), R"([{"carol1":[]}])");
}

TEST_F(recovery_test, joining_again_in_vain_does_not_undo_the_first_join) {
  break_after("confirm_join");
  EXPECT_EQ(run("bob1", "roomJoin", R"(["r"])"), "timeout[]");
  repair_store();
  EXPECT_EQ(userlist(), R"([["alice","bob"]])");
  EXPECT_EQ(served(), (strings{"alice1", "bob1"}));
}

TEST_F(recovery_test, a_pending_join_that_cannot_be_cancelled_is_reported) {
  service_hooks hooks;
  hooks.on_join = [](membership_change) {
    result<void> no = chat_error::custom("no");
    return at_once(no);
  };
  chat.set_hooks(hooks);
  break_store({"cancel_join", moment::before, errc::unavailable});
  EXPECT_EQ(run("carol1", "roomJoin", R"(["r"])"), "no[]");
  EXPECT_EQ(
      observed,
      strings{R"(storeConsistencyFailure{"userName":"carol","roomName":"r","id":"carol1","opType":"userRooms"})"});
  observed.clear();
  break_store({"begin_join", moment::before, errc::unavailable});
  EXPECT_EQ(run("carol1", "roomJoin", R"(["r"])"), "unavailable[]");
  EXPECT_TRUE(observed.empty());  // nothing was begun
}

TEST_F(recovery_test, a_join_that_may_have_begun_is_cancelled) {
  service_hooks hooks;
  bool asked_hook = false;
  hooks.on_join = [&asked_hook](membership_change) {
    asked_hook = true;
    return at_once(result<void>{});
  };
  chat.set_hooks(hooks);
  strings operations;
  data->before = [&operations](std::string operation) {
    operations.push_back(std::move(operation));
    return at_once(result<void>{});
  };
  break_after("begin_join");
  EXPECT_EQ(run("carol1", "roomJoin", R"(["r"])"), "timeout[]");
  EXPECT_EQ(operations, (strings{"begin_join", "cancel_join"}));
  EXPECT_FALSE(asked_hook);
}

TEST_F(recovery_test, faults_of_a_heartbeat_are_over_with_the_next_one) {
  chat.start(value_map()).take();
  connection_record record;
  record.user = user_name("dan");
  record.id = connection_id("dan1");
  record.instance = "other";
  real->connect(record, 10).take();
  real->heartbeat("other", 0).take();
  for (const char* operation :
       {"heartbeat", "instances", "last_heartbeat", "instance_connections", "forget_instance"}) {
    break_store({operation, moment::before, errc::unavailable});
    timers.advance(std::chrono::milliseconds(40000));
    EXPECT_EQ(real->instances().take()->size(), 2U) << operation;
  }
  repair_store();
  timers.advance(std::chrono::milliseconds(10000));
  EXPECT_EQ(*real->instances().take(), strings{"instance"});
}

TEST_F(recovery_test, an_end_that_the_store_refused_is_reported_and_userStateSync_finishes_it) {
  proves("8.34", "8.42");
  break_store({"disconnect", moment::before, errc::unavailable});
  disconnect("bob1");
  EXPECT_EQ(observed, strings{R"(storeConsistencyFailure{"userName":"bob","id":"bob1","opType":"userSockets"})"});
  EXPECT_EQ(asked("userStateSync", R"(["bob"])"), "unavailable[]");
  repair_store();
  EXPECT_EQ(userlist(), R"([["alice","bob"]])");
  sync_user("bob");
  EXPECT_EQ(userlist(), R"([["alice"]])");
  EXPECT_EQ(sockets("bob"), "[{}]");
  EXPECT_EQ(take("alice1"), strings{R"(roomUserLeft["r","bob"])"});
  sync_user("bob");
  EXPECT_TRUE(take("alice1").empty());
}

TEST_F(recovery_test, an_end_that_broke_off_is_told_when_the_store_answers_again) {
  connect("bob2");
  forget_events();
  break_after("disconnect");
  disconnect("bob1");
  EXPECT_EQ(observed.size(), 1U);
  EXPECT_TRUE(take("alice1").empty());
  repair_store();
  EXPECT_EQ(userlist(), R"([["alice"]])");
  sync_user("bob");
  EXPECT_EQ(take("alice1"), strings{R"(roomUserLeft["r","bob"])"});
  EXPECT_EQ(take("bob2"), (strings{R"(roomLeftEcho["r","bob1",0])", R"(socketDisconnectEcho["bob1",1])"}));
  sync_user("bob");
  EXPECT_TRUE(take("alice1").empty());
}

TEST_F(recovery_test, ends_that_failed_are_tried_again_with_each_heartbeat) {
  chat.start(value_map()).take();
  break_store({"disconnect", moment::before, errc::unavailable});
  disconnect("bob1");
  timers.advance(std::chrono::milliseconds(10000));
  EXPECT_EQ(userlist(), R"([["alice","bob"]])");
  repair_store();
  timers.advance(std::chrono::milliseconds(10000));
  EXPECT_EQ(userlist(), R"([["alice"]])");
  EXPECT_EQ(take("alice1"), strings{R"(roomUserLeft["r","bob"])"});
}

TEST_F(recovery_test, a_client_that_comes_back_with_its_id_does_not_inherit_an_end_that_failed) {
  break_store({"disconnect", moment::before, errc::unavailable});
  disconnect("bob1");
  auto too_early = chat.connect(user_name("bob"), connection_id("bob1"), std::make_shared<recording_sink>());
  EXPECT_EQ(too_early.take().error().code(), errc::unavailable);
  repair_store();
  connect("bob1");
  EXPECT_EQ(take("alice1"), strings{R"(roomUserLeft["r","bob"])"});
  EXPECT_EQ(sockets("bob"), R"([{"bob1":[]}])");
  sync_user("bob");
  EXPECT_EQ(sockets("bob"), R"([{"bob1":[]}])");
  EXPECT_EQ(served(), strings{"alice1"});
}

TEST_F(recovery_test, a_login_that_broke_off_leaves_no_connection) {
  break_after("connect");
  auto connecting = chat.connect(user_name("dan"), connection_id("dan1"), std::make_shared<recording_sink>());
  EXPECT_EQ(connecting.take().error().code(), errc::timeout);
  repair_store();
  EXPECT_EQ(sockets("dan"), "[{}]");
  EXPECT_TRUE(observed.empty());
  EXPECT_EQ(chat.connection_count(), 3U);
}

TEST_F(recovery_test, an_edit_that_broke_off_is_reported_and_roomStateSync_removes_who_was_shut_out) {
  connect("bob2");
  run("bob2", "roomJoin", R"(["r"])");
  forget_events();
  break_after("edit_list");
  EXPECT_EQ(run("alice1", "roomAddToList", R"(["r","blacklist",["bob"]])"), "timeout[]");
  EXPECT_EQ(
      observed,
      strings{R"(storeConsistencyFailure{"userName":"alice","roomName":"r","id":"alice1","opType":"roomUserlist"})"});
  repair_store();
  sync_room();
  EXPECT_EQ(take("bob1"), strings{R"(roomAccessRemoved["r"])"});
  EXPECT_EQ(take("bob2"), strings{R"(roomAccessRemoved["r"])"});
  EXPECT_EQ(take("alice1"), strings{R"(roomUserLeft["r","bob"])"});
  EXPECT_EQ(served(), strings{"alice1"});
}

TEST_F(recovery_test, a_deletion_that_broke_off_is_reported_and_roomStateSync_ends_it) {
  proves("8.35", "8.42");
  break_after("remove_room");
  EXPECT_EQ(asked("deleteRoom", R"(["r"])"), "timeout[]");
  EXPECT_EQ(observed, strings{R"(storeConsistencyFailure{"roomName":"r","opType":"roomUserlist"})"});
  repair_store();
  sync_room();
  EXPECT_EQ(take("alice1"), strings{R"(roomAccessRemoved["r"])"});
  EXPECT_EQ(take("bob1"), strings{R"(roomAccessRemoved["r"])"});
  EXPECT_EQ(asked("roomStateSync", R"(["r"])"), R"(noRoom["r"])");
}

TEST_F(recovery_test, a_message_that_broke_off_is_reported_and_in_the_history) {
  break_after("append");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"n":1},{"idempotencyKey":"k"}])"), "timeout[]");
  EXPECT_EQ(
      observed,
      strings{R"(storeConsistencyFailure{"userName":"alice","roomName":"r","id":"alice1","opType":"roomMessages"})"});
  repair_store();
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"n":1},{"idempotencyKey":"k"}])"), "[1]");
  EXPECT_EQ(run("bob1", "roomRecentHistory", R"(["r"])"), R"([[{"n":1,"author":"alice","timestamp":1000,"id":1}]])");
}

TEST_F(recovery_test, members_whose_connections_are_gone_are_taken_out_by_roomStateSync) {
  // another instance died in the middle of an end: the room still names a connection that nobody has
  join_request request;
  request.room = room_name("r");
  request.user = user_name("ghost");
  request.id = connection_id("ghost1");
  connection_record record;
  record.user = request.user;
  record.id = request.id;
  record.instance = "other";
  real->connect(record, 10).take();
  real->confirm_join(request, history_request()).take();
  EXPECT_EQ(userlist(), R"([["alice","bob","ghost"]])");
  sync_room();
  EXPECT_EQ(userlist(), R"([["alice","bob","ghost"]])");  // it is there for all we know
  sync_user("ghost");                                     // its instance gave no sign of life, ever
  EXPECT_EQ(userlist(), R"([["alice","bob"]])");
  EXPECT_EQ(take("alice1"), strings{R"(roomUserLeft["r","ghost"])"});
}

TEST_F(recovery_test, a_connection_that_the_store_does_not_know_is_closed) {
  real->disconnect(user_name("bob"), connection_id("bob1"), 0).take();
  sync_user("bob");
  EXPECT_EQ(sinks["bob1"]->closed, std::vector<close_reason>{close_reason::instance_stalled});
}

TEST_F(recovery_test, syncs_of_a_sound_state_change_nothing) {
  sync_room();
  for (const char* user : {"alice", "bob", "carol"})
    sync_user(user);
  for (auto& [id, sink] : sinks)
    EXPECT_TRUE(sink->take().empty() && sink->closed.empty()) << id;
  EXPECT_EQ(userlist(), R"([["alice","bob"]])");
  EXPECT_EQ(served(), (strings{"alice1", "bob1"}));
  EXPECT_EQ(asked("userStateSync", R"(["nobody"])"), R"(noUser["nobody"])");
  EXPECT_EQ(asked("roomStateSync", R"(["none"])"), R"(noRoom["none"])");
}

TEST_F(recovery_test, instanceRecovery_ends_what_an_instance_left_behind_and_not_ourselves) {
  proves("8.36");
  connection_record record;
  record.user = user_name("dan");
  record.id = connection_id("dan1");
  record.instance = "other";
  real->connect(record, 10).take();
  real->heartbeat("other", 1000).take();
  join_request request;
  request.room = room_name("r");
  request.user = record.user;
  request.id = record.id;
  real->confirm_join(request, history_request()).take();
  EXPECT_EQ(asked("instanceRecovery", R"({"instance":"other"})"), "[null]");
  EXPECT_EQ(userlist(), R"([["alice","bob"]])");
  EXPECT_EQ(take("alice1"), strings{R"(roomUserLeft["r","dan"])"});
  EXPECT_EQ(asked("getInstanceSockets", R"(["other"])"), "[{}]");
  EXPECT_EQ(asked("getInstanceHeartbeat", R"(["other"])"), "[null]");
  EXPECT_EQ(asked("instanceRecovery", R"(["other"])"), "[null]");
  EXPECT_TRUE(take("alice1").empty());
  EXPECT_EQ(asked("instanceRecovery", R"(["instance"])"), "notAllowed[]");
}

class transport_faults_test : public recovery_test {
 protected:
  void SetUp() override {
    recovery_test::SetUp();
    chat.set_broadcaster(&broker);
    sinks["dev1"] = std::make_shared<recording_sink>();
    chat.connect(user_name("dev"), connection_id("dev1"), sinks["dev1"], true).take();
  }
  void TearDown() override { chat.set_broadcaster(nullptr); }
  static constexpr const char* reported =
      R"(transportConsistencyFailure{"userName":"dev","roomName":"r","id":"dev1","opType":"transportChannel"})";

  recording_broadcaster broker;
};

TEST_F(transport_faults_test, a_grant_that_fails_rolls_the_join_back) {
  broker.failing = "grant";
  EXPECT_EQ(run("dev1", "roomJoin", R"(["r"])"), "timeout[]");
  EXPECT_EQ(userlist(), R"([["alice","bob"]])");
  EXPECT_TRUE(take("alice1").empty());
  // the broker may have granted it
  EXPECT_EQ(broker.take(), (strings{"grant r dev1", "revoke r dev1"}));
  broker.failing = "";
  EXPECT_EQ(run("dev1", "roomJoin", R"(["r"])"), "[1]");
}

TEST_F(transport_faults_test, a_join_that_is_refused_after_the_grant_is_revoked) {
  break_store({"confirm_join", moment::before, errc::unavailable});
  EXPECT_EQ(run("dev1", "roomJoin", R"(["r"])"), "unavailable[]");
  EXPECT_EQ(broker.take(), (strings{"grant r dev1", "revoke r dev1"}));
}

TEST_F(transport_faults_test, joining_again_in_vain_revokes_nothing) {
  run("dev1", "roomJoin", R"(["r"])");
  broker.take();
  break_store({"confirm_join", moment::before, errc::unavailable});
  run("dev1", "roomJoin", R"(["r"])");
  EXPECT_TRUE(broker.take().empty());
}

TEST_F(transport_faults_test, a_revocation_that_fails_is_reported_for_every_way_out) {
  proves("8.43");
  broker.failing = "revoke";
  run("dev1", "roomJoin", R"(["r"])");
  EXPECT_EQ(run("dev1", "roomLeave", R"(["r"])"), "[0]");
  EXPECT_EQ(observed, strings{reported});
  observed.clear();

  run("dev1", "roomJoin", R"(["r"])");
  EXPECT_EQ(run("alice1", "roomAddToList", R"(["r","blacklist",["dev"]])"), "timeout[]")
      << "it may still hear the room";
  EXPECT_EQ(observed, strings{reported});
  observed.clear();
  run("alice1", "roomRemoveFromList", R"(["r","blacklist",["dev"]])");

  run("dev1", "roomJoin", R"(["r"])");
  asked("deleteRoom", R"(["r"])");
  EXPECT_EQ(std::count(observed.begin(), observed.end(), reported), 1) << observed.size();
}

}  // namespace
}  // namespace roombus::test
