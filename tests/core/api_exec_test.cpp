// execUserCommand: on whose behalf, from which connection, with which permissions. Source: contract §8.

#include "tests/support/hooked_fixture.hpp"

namespace roombus::test {
namespace {

using strings = std::vector<std::string>;

class api_exec_test : public hooked_fixture {
 protected:
  void SetUp() override {
    connect("alice1");
    connect("alice2");
    connect("bob1");
    asked("addRoom", R"(["r",{"owner":"alice","enableUserlistUpdates":true}])");
    forget_events();
  }
};

TEST_F(api_exec_test, the_first_argument_is_an_object_a_name_a_switch_or_null) {
  proves("8.1", "8.33");
  EXPECT_EQ(asked("execUserCommand", R"(["alice","roomGetOwner","r"])"), R"(["alice"])");
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"alice"},"roomGetOwner","r"])"), R"(["alice"])");
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"alice","id":null,"bypassHooks":null},"roomGetOwner","r"])"),
            R"(["alice"])");
  EXPECT_EQ(asked("execUserCommand", R"([null,"roomGetOwner","r"])"), R"(notJoined["r"])");
  EXPECT_EQ(asked("execUserCommand", R"([true,"roomGetOwner","r"])"), R"(["alice"])");
  EXPECT_EQ(asked("execUserCommand", R"([false,"roomGetOwner","r"])"), R"(notJoined["r"])");
  EXPECT_EQ(asked("execUserCommand", R"([{"nosuch":1},"roomGetOwner","r"])"), R"(badArgument[0,{"nosuch":1}])");
  EXPECT_EQ(asked("execUserCommand", R"([7,"roomGetOwner","r"])"), "badArgument[0,7]");
  EXPECT_EQ(asked("execUserCommand", "[]"), "wrongArgumentsCount[2,0]");
  EXPECT_EQ(asked("execUserCommand", R"({"userName":"alice","command":"roomGetOwner","args":["r"]})"), R"(["alice"])");
  EXPECT_EQ(asked("execUserCommand", R"({"userName":"alice","command":"listOwnSockets"})"),
            R"([{"alice1":[],"alice2":[]}])");
}

TEST_F(api_exec_test, commands_answer_as_they_do_to_clients) {
  EXPECT_EQ(asked("execUserCommand", R"(["alice","nosuch"])"), R"(noCommand["nosuch"])");
  EXPECT_EQ(asked("execUserCommand", R"(["nobody","listOwnSockets"])"), R"(noUser["nobody"])");
  EXPECT_EQ(asked("execUserCommand", R"(["alice","roomMessage","r"])"), "wrongArgumentsCount[2,1]");
  EXPECT_EQ(asked("execUserCommand", R"(["alice","roomMessage","r",{}])"), R"(notJoined["r"])");
  EXPECT_EQ(asked("execUserCommand", R"(["bob","roomGetOwner","r"])"), R"(notJoined["r"])");
}

TEST_F(api_exec_test, bypassPermissions_leaves_out_permissions_and_nothing_else) {
  proves("8.3");
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"bob","bypassPermissions":true},"roomMessage","r",{"n":1}])"),
            "[1]");
  EXPECT_EQ(asked("execUserCommand", R"([{"bypassPermissions":true},"roomMessage","none",{}])"), R"(noRoom["none"])");
  EXPECT_EQ(asked("execUserCommand", R"([{"bypassPermissions":true},"roomAddToList","r","userlist",["x"]])"),
            "notAllowed[]");
  EXPECT_EQ(asked("execUserCommand", R"([{"bypassPermissions":true},"roomAddToList","r","adminlist",["bob"]])"),
            "[null]");
}

TEST_F(api_exec_test, the_service_itself_writes_as_who_it_says) {
  proves("8.5");
  EXPECT_EQ(asked("execUserCommand", R"([true,"roomMessage","r",{"author":"news","id":99,"timestamp":1}])"), "[1]");
  EXPECT_EQ(asked("execUserCommand", R"([true,"roomRecentHistory","r"])"),
            R"([[{"author":"news","timestamp":1000,"id":1}]])");
  EXPECT_EQ(asked("execUserCommand", R"([true,"roomCreate","mine",false])"), "[null]");
  EXPECT_EQ(asked("execUserCommand", R"([true,"roomGetOwner","mine"])"), "[null]");
  EXPECT_EQ(asked("execUserCommand", R"([null,"roomDelete","r"])"), "notAllowed[]");
}

TEST_F(api_exec_test, joining_and_leaving_need_a_connection) {
  proves("8.2", "8.6");
  EXPECT_EQ(asked("execUserCommand", R"(["alice","roomJoin","r"])"), R"(noSocket["roomJoin"])");
  EXPECT_EQ(asked("execUserCommand", R"(["alice","roomLeave","r"])"), R"(noSocket["roomLeave"])");
  EXPECT_EQ(asked("execUserCommand", R"([true,"roomJoin"])"), R"(noSocket["roomJoin"])");
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"alice","id":"alice9"},"roomJoin","r"])"),
            R"(invalidSocket["alice9"])");
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"alice","id":"bob1"},"roomJoin","r"])"),
            R"(invalidSocket["bob1"])");
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"alice","id":"bob1"},"roomLeave","r"])"),
            R"(invalidSocket["bob1"])");
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"alice","id":"alice1"},"roomJoin","r"])"), "[1]");
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"alice","id":"alice1"},"roomLeave","r"])"), "[0]");
}

TEST_F(api_exec_test, roomJoin_never_bypasses_permissions) {
  proves("8.7");
  asked("execUserCommand", R"([true,"roomAddToList","r","blacklist",["bob"]])");
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"bob","id":"bob1","bypassPermissions":true},"roomJoin","r"])"),
            "notAllowed[]");
}

TEST_F(api_exec_test, echoes_of_local_calls_go_to_all_connections_of_the_user) {
  proves("8.2");
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"alice","id":"alice1"},"roomJoin","r"])"), "[1]");
  EXPECT_EQ(take("alice1"), (strings{R"(roomUserJoined["r","alice"])", R"(roomJoinedEcho["r","alice1",1])"}));
  EXPECT_EQ(take("alice2"), strings{R"(roomJoinedEcho["r","alice1",1])"});
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"alice","id":"alice1"},"systemMessage",{"a":1}])"), "[null]");
  EXPECT_EQ(take("alice1"), strings{R"(systemMessage[{"a":1}])"});
  EXPECT_EQ(take("alice2"), strings{R"(systemMessage[{"a":1}])"});
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"alice","id":"alice1"},"directMessage","bob",{}])"),
            R"([{"author":"alice","timestamp":1000}])");
  EXPECT_EQ(take("alice1").size(), 1U);
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"alice","id":"alice1"},"roomLeave","r"])"), "[0]");
  EXPECT_EQ(take("alice1"), strings{R"(roomLeftEcho["r","alice1",0])"});
}

TEST_F(api_exec_test, a_long_page_may_be_asked_for_with_permissions_bypassed) {
  chat_options options = all_on();
  options.history_max_get_messages = 2;
  service small(options, chat_limits{}, "i", service::environment{*data, time, random, timers, log, metrics});
  const auto ask = [&small](const char* args) {
    auto pending = small.call_api("execUserCommand", read_json(args));
    return *pending.take();
  };
  for (int i = 0; i < 4; ++i)
    ask(R"([true,"roomMessage","r",{}])");
  EXPECT_EQ(ask(R"(["alice","roomHistoryGet","r",0,10])").front().if_list()->size(), 2U);
  EXPECT_EQ(ask(R"([true,"roomHistoryGet","r",0,10])").front().if_list()->size(), 4U);
}

TEST_F(api_exec_test, further_results_are_answered_too) {
  const std::string reply = asked("execUserCommand", R"([{"userName":"alice","id":"alice1"},"roomJoin","r",{}])");
  EXPECT_EQ(reply.find(R"([1,{"messages":[],"gap":false,"epoch":)"), 0U) << reply;
}

}  // namespace
}  // namespace roombus::test
