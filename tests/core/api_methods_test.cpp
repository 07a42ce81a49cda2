// Each method of the server API by position and by name, with results and errors. Source: contract §8.

#include "tests/support/hooked_fixture.hpp"

namespace roombus::test {
namespace {

using strings = std::vector<std::string>;

/// One call in both forms, and what it answers.
struct step {
  const char* method;
  const char* by_position;
  const char* by_name;
  const char* answer;
};

class api_methods_test : public hooked_fixture {
 protected:
  void SetUp() override {
    connect("alice1");
    connect("bob1");
    forget_events();
  }

  /// A service of its own, so that both forms meet the same state.
  struct twin {
    explicit twin(api_methods_test& test) : owner(test) {
      sink = std::make_shared<recording_sink>();
      chat.connect(user_name("alice"), connection_id("alice1"), sink).take();
      chat.connect(user_name("bob"), connection_id("bob1"), std::make_shared<recording_sink>()).take();
    }
    api_methods_test& owner;
    metrics_registry metrics;
    std::unique_ptr<store> data = make_memory_store(owner.time);
    service chat{all_on(), chat_limits{}, "instance",
                 service::environment{*data, owner.time, owner.random, owner.timers, owner.log, metrics}};
    std::shared_ptr<recording_sink> sink;
  };

  void check(const std::vector<step>& steps) {
    twin named(*this);
    for (const step& s : steps) {
      EXPECT_EQ(asked(s.method, s.by_position), s.answer) << s.method << s.by_position;
      auto pending = named.chat.call_api(s.method, read_json(s.by_name));
      EXPECT_EQ(shown(pending.take()), s.answer) << s.method << s.by_name;
    }
  }
};

TEST_F(api_methods_test, users) {
  proves("8.8", "8.9", "8.10", "8.11", "8.12", "8.13", "8.14", "8.32");
  check({
      {"addUser", R"(["carol"])", R"({"user":"carol"})", "[null]"},
      {"addUser", R"(["carol",null])", R"({"user":"carol","state":null})", R"(userExists["carol"])"},
      {"addUser", R"(["alice",{}])", R"({"user":"alice","state":{}})", R"(userExists["alice"])"},
      {"addUser", R"(["a:b"])", R"({"user":"a:b"})", R"(invalidName["a:b"])"},
      {"addUser", R"([""])", R"({"user":""})", R"(invalidName[""])"},
      {"addUser", R"(["dan",{"whitelist":["x"],"blacklist":["y"],"whitelistOnly":true}])",
       R"({"user":"dan","state":{"whitelist":["x"],"blacklist":["y"],"whitelistOnly":true}})", "[null]"},
      {"addUser", R"(["eve",{"nosuch":1}])", R"({"user":"eve","state":{"nosuch":1}})",
       R"(badArgument[1,{"nosuch":1}])"},
      {"addUser", R"(["eve",{"whitelist":[1]}])", R"({"user":"eve","state":{"whitelist":[1]}})",
       R"(badArgument[1,{"whitelist":[1]}])"},
      {"hasUser", R"(["eve"])", R"({"user":"eve"})", "[false]"},
      {"hasUser", R"(["dan"])", R"({"user":"dan"})", "[true]"},
      {"userHasInList", R"(["dan","whitelist","x"])", R"({"user":"dan","list":"whitelist","item":"x"})", "[true]"},
      {"userHasInList", R"(["dan","blacklist","x"])", R"({"user":"dan","list":"blacklist","item":"x"})", "[false]"},
      {"userHasInList", R"(["dan","nosuch","x"])", R"({"user":"dan","list":"nosuch","item":"x"})",
       R"(noList["nosuch"])"},
      {"userHasInList", R"(["eve","whitelist","x"])", R"({"user":"eve","list":"whitelist","item":"x"})",
       R"(noUser["eve"])"},
      {"hasDirectAccess", R"(["dan","x"])", R"({"recipient":"dan","sender":"x"})", "[true]"},
      {"hasDirectAccess", R"(["dan","z"])", R"({"recipient":"dan","sender":"z"})", "[false]"},
      {"hasDirectAccess", R"(["carol","z"])", R"({"recipient":"carol","sender":"z"})", "[true]"},
      {"hasDirectAccess", R"(["eve","z"])", R"({"recipient":"eve","sender":"z"})", R"(noUser["eve"])"},
      {"deleteUser", R"(["alice"])", R"({"user":"alice"})", R"(userOnline["alice"])"},
      {"deleteUser", R"(["dan"])", R"({"user":"dan"})", "[null]"},
      {"deleteUser", R"(["dan"])", R"({"user":"dan"})", R"(noUser["dan"])"},
      {"listUsers", "[]", "{}", R"([["alice","bob","carol"]])"},
      {"listUsers", R"(["alice",1])", R"({"after":"alice","limit":1})", R"([["bob"]])"},
      {"disconnectUserSockets", R"(["eve"])", R"({"user":"eve"})", R"(noUser["eve"])"},
      {"disconnectUserSockets", R"(["carol"])", R"({"user":"carol"})", "[null]"},
  });
}

TEST_F(api_methods_test, rooms) {
  proves("8.18", "8.20", "8.21", "8.22", "8.32");
  check({
      {"addRoom", R"(["r"])", R"({"room":"r"})", "[null]"},
      {"addRoom", R"(["r",{}])", R"({"room":"r","state":{}})", R"(roomExists["r"])"},
      {"addRoom", R"(["a{b"])", R"({"room":"a{b"})", R"(invalidName["a{b"])"},
      {"addRoom", R"(["x",{"owner":1}])", R"({"room":"x","state":{"owner":1}})", R"(badArgument[1,{"owner":1}])"},
      {"addRoom", R"(["x",{"other":1}])", R"({"room":"x","state":{"other":1}})", R"(badArgument[1,{"other":1}])"},
      {"addRoom", R"(["x",{"owner":"a:b"}])", R"({"room":"x","state":{"owner":"a:b"}})", R"(invalidName["a:b"])"},
      {"addRoom",
       R"(["q",{"owner":"o","adminlist":["a"],"whitelist":["w"],"blacklist":["b"],"whitelistOnly":true,"historyMaxSize":5,"enableAccessListsUpdates":false,"enableUserlistUpdates":null}])",
       R"({"room":"q","state":{"owner":"o","adminlist":["a"],"whitelist":["w"],"blacklist":["b"],"whitelistOnly":true,"historyMaxSize":5,"enableAccessListsUpdates":false,"enableUserlistUpdates":null}})",
       "[null]"},
      {"hasRoom", R"(["q"])", R"({"room":"q"})", "[true]"},
      {"hasRoom", R"(["x"])", R"({"room":"x"})", "[false]"},
      {"roomHasInList", R"(["q","adminlist","a"])", R"({"room":"q","list":"adminlist","item":"a"})", "[true]"},
      {"roomHasInList", R"(["q","whitelist","w"])", R"({"room":"q","list":"whitelist","item":"w"})", "[true]"},
      {"roomHasInList", R"(["q","blacklist","b"])", R"({"room":"q","list":"blacklist","item":"b"})", "[true]"},
      {"roomHasInList", R"(["q","userlist","b"])", R"({"room":"q","list":"userlist","item":"b"})", "[false]"},
      {"roomHasInList", R"(["q","nosuch","b"])", R"({"room":"q","list":"nosuch","item":"b"})", R"(noList["nosuch"])"},
      {"roomHasInList", R"(["x","nosuch","b"])", R"({"room":"x","list":"nosuch","item":"b"})", R"(noRoom["x"])"},
      {"hasRoomAccess", R"(["q","o"])", R"({"room":"q","user":"o"})", "[true]"},
      {"hasRoomAccess", R"(["q","w"])", R"({"room":"q","user":"w"})", "[true]"},
      {"hasRoomAccess", R"(["q","n"])", R"({"room":"q","user":"n"})", "[false]"},
      {"hasRoomAccess", R"(["x","n"])", R"({"room":"x","user":"n"})", R"(noRoom["x"])"},
      {"changeRoomOwner", R"(["q","n"])", R"({"room":"q","owner":"n"})", "[null]"},
      {"hasRoomAccess", R"(["q","n"])", R"({"room":"q","user":"n"})", "[true]"},
      {"changeRoomOwner", R"(["q","a:b"])", R"({"room":"q","owner":"a:b"})", R"(invalidName["a:b"])"},
      {"changeRoomOwner", R"(["q",null])", R"({"room":"q","owner":null})", "[null]"},
      {"changeRoomOwner", R"(["q"])", R"({"room":"q"})", "[null]"},
      {"hasRoomAccess", R"(["q","n"])", R"({"room":"q","user":"n"})", "[false]"},
      {"changeRoomOwner", R"(["x","n"])", R"({"room":"x","owner":"n"})", R"(noRoom["x"])"},
      {"changeRoomHistoryMaxSize", R"(["q",2.9])", R"({"room":"q","size":2.9})", "[null]"},
      {"changeRoomHistoryMaxSize", R"(["q",-1])", R"({"room":"q","size":-1})", "badArgument[1,-1]"},
      {"changeRoomHistoryMaxSize", R"(["x",1])", R"({"room":"x","size":1})", R"(noRoom["x"])"},
      {"changeAccessListsUpdates", R"(["q",true])", R"({"room":"q","enabled":true})", "[null]"},
      {"changeAccessListsUpdates", R"(["q",1])", R"({"room":"q","enabled":1})", "badArgument[1,1]"},
      {"changeAccessListsUpdates", R"(["x",true])", R"({"room":"x","enabled":true})", R"(noRoom["x"])"},
      {"changeUserlistUpdates", R"(["q",false])", R"({"room":"q","enabled":false})", "[null]"},
      {"changeUserlistUpdates", R"(["x",true])", R"({"room":"x","enabled":true})", R"(noRoom["x"])"},
      {"execUserCommand", R"([{"bypassPermissions":true},"roomNotificationsInfo","q"])",
       R"({"bypassPermissions":true,"command":"roomNotificationsInfo","args":["q"]})",
       R"([{"enableUserlistUpdates":false,"enableAccessListsUpdates":true}])"},
      {"listRooms", "null", "{}", R"([["q","r"]])"},
      {"listRooms", R"(["q"])", R"({"after":"q"})", R"([["r"]])"},
      {"deleteRoom", R"(["q"])", R"({"room":"q"})", "[null]"},
      {"deleteRoom", R"(["q"])", R"({"room":"q"})", R"(noRoom["q"])"},
  });
}

TEST_F(api_methods_test, addRoom_sets_everything_that_it_is_told) {
  proves("8.17");
  EXPECT_EQ(asked("addRoom", R"(["r",{"owner":"alice","adminlist":["a"],"whitelist":["w","x"],"blacklist":["b"],
      "whitelistOnly":true,"historyMaxSize":2,"enableAccessListsUpdates":true,"enableUserlistUpdates":false}])"),
            "[null]");
  const auto read = [this](const std::string& command) {
    return asked("execUserCommand", R"([true,")" + command + R"(])");
  };
  EXPECT_EQ(read(R"(roomGetOwner","r")"), R"(["alice"])");
  EXPECT_EQ(read(R"(roomGetAccessList","r","adminlist")"), R"([["a"]])");
  EXPECT_EQ(read(R"(roomGetAccessList","r","whitelist")"), R"([["w","x"]])");
  EXPECT_EQ(read(R"(roomGetAccessList","r","blacklist")"), R"([["b"]])");
  EXPECT_EQ(read(R"(roomGetWhitelistMode","r")"), "[true]");
  EXPECT_EQ(read(R"(roomNotificationsInfo","r")"),
            R"([{"enableUserlistUpdates":false,"enableAccessListsUpdates":true}])");
  for (int i = 0; i < 3; ++i)
    read(R"(roomMessage","r",{})");
  const std::string info = read(R"(roomHistoryInfo","r")");
  EXPECT_NE(info.find(R"("historyMaxSize":2,"historySize":2,"lastMessageId":3)"), std::string::npos) << info;
}

TEST_F(api_methods_test, optional_arguments_may_be_null_or_absent) {
  proves("8.33");
  check({
      {"addUser", R"(["u1"])", R"({"user":"u1"})", "[null]"},
      {"addUser", R"(["u2",null])", R"({"user":"u2","state":null})", "[null]"},
      {"addRoom", R"(["r1"])", R"({"room":"r1"})", "[null]"},
      {"addRoom", R"(["r2",null])", R"({"room":"r2","state":null})", "[null]"},
      {"addRoom", R"(["r3",{"owner":null,"whitelist":null,"historyMaxSize":null,"whitelistOnly":null}])",
       R"({"room":"r3","state":{"owner":null,"whitelist":null,"historyMaxSize":null,"whitelistOnly":null}})", "[null]"},
      {"changeRoomOwner", R"(["r1"])", R"({"room":"r1"})", "[null]"},
      {"changeRoomOwner", R"(["r1",null])", R"({"room":"r1","owner":null})", "[null]"},
      {"clusterBusEmit", R"(["e"])", R"({"event":"e"})", "[null]"},
      {"clusterBusEmit", R"(["e",null])", R"({"event":"e","args":null})", "[null]"},
      {"getInstanceHeartbeat", "[]", "{}", "[null]"},
      {"getInstanceHeartbeat", "[null]", R"({"instance":null})", "[null]"},
      {"getInstanceSockets", "[]", "{}", R"([{"alice1":"alice","bob1":"bob"}])"},
      {"getInstanceSockets", "[null]", R"({"instance":null})", R"([{"alice1":"alice","bob1":"bob"}])"},
      {"execUserCommand", R"(["alice","directGetWhitelistMode"])",
       R"({"userName":"alice","id":null,"bypassPermissions":null,"command":"directGetWhitelistMode","args":null})",
       "[false]"},
      {"addUser", R"([null])", R"({"user":null})", "badArgument[0,null]"},  // this one is not optional
  });
}

TEST_F(api_methods_test, the_methods_of_recovery_take_names_too) {
  proves("8.32", "8.38");
  check({
      {"addRoom", R"(["r"])", R"({"room":"r"})", "[null]"},
      {"userStateSync", R"(["alice"])", R"({"user":"alice"})", "[null]"},
      {"userStateSync", R"(["eve"])", R"({"user":"eve"})", R"(noUser["eve"])"},
      {"roomStateSync", R"(["r"])", R"({"room":"r"})", "[null]"},
      {"roomStateSync", R"(["x"])", R"({"room":"x"})", R"(noRoom["x"])"},
      {"instanceRecovery", R"(["other"])", R"({"instance":"other"})", "[null]"},
      {"instanceRecovery", R"(["instance"])", R"({"instance":"instance"})", "notAllowed[]"},
      {"getInstanceHeartbeat", R"(["other"])", R"({"instance":"other"})", "[null]"},
      {"getInstanceSockets", R"(["instance"])", R"({"instance":"instance"})", R"([{"alice1":"alice","bob1":"bob"}])"},
      {"getInstanceSockets", R"(["other"])", R"({"instance":"other"})", "[{}]"},
  });
}

TEST_F(api_methods_test, lists_longer_than_their_limits_are_refused) {
  chat_options options = all_on();
  options.direct_list_size_limit = 1;
  options.room_list_size_limit = 1;
  service small(options, chat_limits{}, "i", service::environment{*data, time, random, timers, log, metrics});
  const auto ask = [&small](const char* method, const char* args) {
    auto pending = small.call_api(method, read_json(args));
    return shown(pending.take());
  };
  EXPECT_EQ(ask("addUser", R"(["u",{"blacklist":["a","b"]}])"), R"(listLimitExceeded["blacklist"])");
  EXPECT_EQ(ask("hasUser", R"(["u"])"), "[false]");
  EXPECT_EQ(ask("addRoom", R"(["r",{"adminlist":["a","b"]}])"), R"(listLimitExceeded["adminlist"])");
  EXPECT_EQ(ask("hasRoom", R"(["r"])"), "[false]");
}

TEST_F(api_methods_test, arguments_are_counted_and_named) {
  EXPECT_EQ(asked("addUser", "[]"), "wrongArgumentsCount[1,0]");
  EXPECT_EQ(asked("addUser", R"(["a",null,1])"), "wrongArgumentsCount[2,3]");
  EXPECT_EQ(asked("addUser", R"([1])"), "badArgument[0,1]");
  EXPECT_EQ(asked("addUser", R"({"user":"a","other":1})"), R"(badArgument[2,"other"])");
  EXPECT_EQ(asked("addUser", R"({"state":{}})"), "badArgument[0,null]");
  EXPECT_EQ(asked("addUser", "7"), "badArgument[0,7]");
  EXPECT_EQ(asked("nosuch", "[]"), R"(noCommand["nosuch"])");
}

TEST_F(api_methods_test, disconnectUserSockets_closes_every_connection_of_the_user) {
  proves("8.15");
  connect("alice2");
  EXPECT_EQ(asked("disconnectUserSockets", R"(["alice"])"), "[null]");
  EXPECT_EQ(sinks["alice1"]->closed, std::vector<close_reason>{close_reason::disconnected});
  EXPECT_EQ(sinks["alice2"]->closed.size(), 1U);
  EXPECT_TRUE(sinks["bob1"]->closed.empty());
}

TEST_F(api_methods_test, changeRoomOwner_shuts_out_a_former_owner_whom_only_that_let_in) {
  proves("8.23");
  asked("addRoom", R"(["r",{"owner":"alice","whitelistOnly":true,"whitelist":["bob"],"enableUserlistUpdates":true}])");
  run("alice1", "roomJoin", R"(["r"])");
  run("bob1", "roomJoin", R"(["r"])");
  forget_events();
  EXPECT_EQ(asked("changeRoomOwner", R"(["r","bob"])"), "[null]");
  EXPECT_EQ(take("alice1"), strings{R"(roomAccessRemoved["r"])"});
  EXPECT_EQ(take("bob1"), strings{R"(roomUserLeft["r","alice"])"});
  EXPECT_EQ(asked("roomHasInList", R"(["r","userlist","alice"])"), "[false]");
}

TEST_F(api_methods_test, changeRoomHistoryMaxSize_trims_at_once) {
  proves("8.24");
  asked("addRoom", R"(["r"])");
  run("alice1", "roomJoin", R"(["r"])");
  for (int i = 0; i < 4; ++i)
    run("alice1", "roomMessage", R"(["r",{}])");
  EXPECT_EQ(asked("changeRoomHistoryMaxSize", R"(["r",1])"), "[null]");
  EXPECT_EQ(run("alice1", "roomRecentHistory", R"(["r"])"), R"([[{"author":"alice","timestamp":1000,"id":4}]])");
  EXPECT_EQ(asked("changeRoomHistoryMaxSize", R"(["r",0])"), "[null]");
  EXPECT_EQ(run("alice1", "roomRecentHistory", R"(["r"])"), "[[]]");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{}])"), "[5]");
}

TEST_F(api_methods_test, the_switches_act_at_once) {
  proves("8.25", "8.26");
  asked("addRoom", R"(["r",{"owner":"alice","enableUserlistUpdates":false,"enableAccessListsUpdates":false}])");
  run("alice1", "roomJoin", R"(["r"])");
  run("bob1", "roomJoin", R"(["r"])");
  forget_events();
  run("alice1", "roomAddToList", R"(["r","blacklist",["x"]])");
  run("bob1", "roomLeave", R"(["r"])");
  EXPECT_TRUE(take("alice1").empty());
  asked("changeUserlistUpdates", R"(["r",true])");
  asked("changeAccessListsUpdates", R"(["r",true])");
  run("alice1", "roomRemoveFromList", R"(["r","blacklist",["x"]])");
  run("bob1", "roomJoin", R"(["r"])");
  EXPECT_EQ(take("alice1"),
            (strings{R"(roomAccessListRemoved["r","blacklist",["x"]])", R"(roomUserJoined["r","bob"])"}));
}

TEST_F(api_methods_test, deleteRoom_removes_everybody_and_a_room_created_anew_has_a_new_epoch) {
  proves("8.19");
  asked("addRoom", R"(["r"])");
  run("alice1", "roomJoin", R"(["r"])");
  run("alice1", "roomMessage", R"(["r",{}])");
  const std::string before = run("alice1", "roomHistoryInfo", R"(["r"])");
  forget_events();
  asked("deleteRoom", R"(["r"])");
  EXPECT_EQ(take("alice1"), strings{R"(roomAccessRemoved["r"])"});
  EXPECT_EQ(run("alice1", "listOwnSockets", "[]"), R"([{"alice1":[]}])");
  asked("addRoom", R"(["r"])");
  run("alice1", "roomJoin", R"(["r"])");
  const std::string after = run("alice1", "roomHistoryInfo", R"(["r"])");
  const auto epoch = [](const std::string& info) { return info.substr(info.find("epoch"), 32); };
  EXPECT_NE(epoch(before), epoch(after));
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{}])"), "[1]");
}

TEST_F(api_methods_test, checkArguments_checks_count_types_and_checkers) {
  proves("8.27", "8.28", "8.29");
  EXPECT_EQ(asked("checkArguments", R"(["roomMessage","r",{}])"), "[null]");
  EXPECT_EQ(asked("checkArguments", R"({"command":"roomMessage","args":["r",{}]})"), "[null]");
  EXPECT_EQ(asked("checkArguments", R"(["roomMessage","r"])"), "wrongArgumentsCount[2,1]");
  EXPECT_EQ(asked("checkArguments", R"(["roomMessage","r",{},1])"), "wrongArgumentsCount[2,3]");
  EXPECT_EQ(asked("checkArguments", R"(["roomMessage","r",1])"), "badArgument[1,1]");
  EXPECT_EQ(asked("checkArguments", R"(["listOwnSockets"])"), "[null]");
  EXPECT_EQ(asked("checkArguments", R"({"command":"listOwnSockets","args":null})"), "[null]");
  EXPECT_EQ(asked("checkArguments", R"(["nosuch"])"), R"(noCommand["nosuch"])");
  service_hooks hooks;
  hooks.room_messages_checker = [](value) {
    result<void> verdict = chat_error::custom("tooBad");
    return at_once(verdict);
  };
  chat.set_hooks(hooks);
  EXPECT_EQ(asked("checkArguments", R"(["roomMessage","r",{}])"), "tooBad[]");
  EXPECT_EQ(asked("checkArguments", R"(["directMessage","u",{}])"), "[null]");
}

TEST_F(api_methods_test, clusterBusEmit_reaches_the_operators_also_of_the_sender) {
  proves("8.30", "8.45");
  observe();
  EXPECT_EQ(asked("clusterBusEmit", R"(["reload",[1,{"a":2}]])"), "[null]");
  EXPECT_EQ(asked("clusterBusEmit", R"({"event":"bare"})"), "[null]");
  EXPECT_EQ(observed,
            (strings{R"(clusterBus{"event":"reload","args":[1,{"a":2}]})", R"(clusterBus{"event":"bare","args":[]})"}));
}

TEST_F(api_methods_test, batch_answers_in_order_and_errors_do_not_end_it) {
  proves("8.46");
  EXPECT_EQ(asked("batch", R"([[{"method":"addRoom","args":["b"]},{"method":"addRoom","args":{"room":"b"}},
                                 {"method":"hasRoom","args":["b"]},{"method":"nosuch"},{"method":"listRooms"}]])"),
            R"([[{"result":null},{"error":{"name":"ChatServiceError","code":"roomExists","args":["b"]}},)"
            R"({"result":true},{"error":{"name":"ChatServiceError","code":"noCommand","args":["nosuch"]}},)"
            R"({"result":["b"]}]])");
  EXPECT_EQ(asked("batch", R"({"calls":[]})"), "[[]]");
}

TEST_F(api_methods_test, a_batch_in_a_batch_or_what_is_no_call_is_refused_before_anything_runs) {
  EXPECT_EQ(asked("batch", R"([[{"method":"addRoom","args":["b"]},{"method":"batch","args":[[]]}]])"),
            R"(badArgument[0,{"method":"batch","args":[[]]}])");
  EXPECT_EQ(asked("batch", R"([[{"method":"addRoom","args":["b"]},7]])"), "badArgument[0,7]");
  EXPECT_EQ(asked("batch", R"([[{"args":[]}]])"), R"(badArgument[0,{"args":[]}])");
  EXPECT_EQ(asked("hasRoom", R"(["b"])"), "[false]");
  EXPECT_EQ(asked("batch", "[]"), "wrongArgumentsCount[1,0]");
}

TEST_F(api_methods_test, a_batch_has_a_limit) {
  value_list calls;
  for (int i = 0; i < 1001; ++i)
    calls.emplace_back(value_map{{"method", value("hasRoom")}, {"args", value(value_list{value("r")})}});
  value_list args{value(calls)};
  auto too_many = chat.call_api("batch", value(args));
  EXPECT_EQ(shown(too_many.take()), "payloadTooLarge[]");
  calls.pop_back();
  args = {value(calls)};
  auto most = chat.call_api("batch", value(args));
  EXPECT_EQ(most.take()->front().if_list()->size(), 1000U);
}

}  // namespace
}  // namespace roombus::test
