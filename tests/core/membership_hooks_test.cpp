// onConnect, onDisconnect, onJoin and onLeave, and what may happen while they take their time. Source: contract §7.

#include <stdexcept>

#include "tests/support/hooked_fixture.hpp"

namespace roombus::test {
namespace {

using strings = std::vector<std::string>;

class membership_hooks_test : public hooked_fixture {
 protected:
  void SetUp() override {
    connect("alice1");
    connect("bob1");
    add_room("r", chat.default_room_settings());
    run("bob1", "roomJoin", R"(["r"])");
    forget_events();
    hooks.on_leave = [this](membership_change c) {
      told.push_back("left " + shown_change(c));
      return at_once();
    };
    hooks.on_disconnect = [this](ended_connection e) {
      std::string text = "ended " + e.user.str() + " " + e.id.str() + " " + std::to_string(e.nconnected);
      for (std::size_t i = 0; i < e.rooms_removed.size(); ++i)
        text += " " + e.rooms_removed[i].str() + ":" + std::to_string(e.joined_sockets[i]);
      told.push_back(text);
      return at_once();
    };
    chat.set_hooks(hooks);
  }

  static std::string shown_change(const membership_change& c) {
    return c.user.str() + " " + c.id.str() + " " + c.room.str() + " " + std::to_string(c.njoined);
  }

  /// onJoin answers `join_answer` when the test completes it.
  void wait_in_join() {
    hooks.on_join = [this](membership_change c) {
      told.push_back("joins " + shown_change(c));
      return later(join_answer);
    };
    chat.set_hooks(hooks);
  }
  void refuse_join() { join_answer.complete(chat_error::custom("refused")); }
  void accept_join() { join_answer.complete(result<void>{}); }

  std::string userlist() {
    return asked("execUserCommand", R"([{"bypassPermissions":true},"roomGetAccessList","r","userlist"])");
  }

  service_hooks hooks;
  completion<result<void>> join_answer;
  strings told;
};

TEST_F(membership_hooks_test, onConnect_tells_who_it_is) {
  proves("7.21", "7.22");
  hooks.on_connect = [this](connection_id id, handshake shown) {
    told.push_back(id.str() + json::write(value(value_map(shown.query))) + shown.address);
    result<login> answer = login();
    answer->user = user_name("carol");
    answer->auth_data.set("role", value("cook"));
    return at_once(answer);
  };
  chat.set_hooks(hooks);
  handshake shown;
  shown.query.set("token", value("t"));
  shown.address = "10.0.0.1";
  auto asked_who = chat.ask_who(connection_id("c9"), std::move(shown));
  const result<login> who = asked_who.take();
  EXPECT_EQ(who->user.str(), "carol");
  EXPECT_EQ(json::write(value(value_map(who->auth_data))), R"({"role":"cook"})");
  EXPECT_EQ(told, strings{R"(c9{"token":"t"}10.0.0.1)"});
}

TEST_F(membership_hooks_test, onConnect_that_throws_lets_nobody_in) {
  hooks.on_connect = [](connection_id, handshake) -> task<result<login>> { throw std::runtime_error("no"); };
  chat.set_hooks(hooks);
  auto asked_who = chat.ask_who(connection_id("c9"), handshake());
  EXPECT_EQ(asked_who.take().error().code(), errc::internal_error);
  EXPECT_EQ(log.lines.size(), 1U);
}

TEST_F(membership_hooks_test, onDisconnect_tells_what_was_left) {
  proves("7.24");
  connect("alice2");
  run("alice1", "roomJoin", R"(["r"])");
  run("alice2", "roomJoin", R"(["r"])");
  told.clear();
  disconnect("alice1");
  EXPECT_EQ(told, (strings{"left alice alice1 r 1", "ended alice alice1 1 r:1"}));
  told.clear();
  disconnect("alice2");
  EXPECT_EQ(told, (strings{"left alice alice2 r 0", "ended alice alice2 0 r:0"}));
}

TEST_F(membership_hooks_test, others_are_told_of_an_end_before_hooks_take_their_time) {
  run("alice1", "roomJoin", R"(["r"])");
  connect("alice2");
  forget_events();
  completion<int> never;
  hooks.on_leave = [never](membership_change) -> task<void> {
    return [](completion<int> wait) -> task<void> { co_await wait; }(never);
  };
  chat.set_hooks(hooks);
  auto ending = chat.disconnect(connection_id("alice1"));
  EXPECT_FALSE(ending.done());
  EXPECT_EQ(take("alice2"), (strings{R"(roomLeftEcho["r","alice1",0])", R"(socketDisconnectEcho["alice1",1])"}));
  EXPECT_EQ(take("bob1"), strings{R"(roomUserLeft["r","alice"])"});
  never.complete(0);
  EXPECT_TRUE(ending.done());
}

TEST_F(membership_hooks_test, hooks_that_throw_at_an_end_change_nothing) {
  run("alice1", "roomJoin", R"(["r"])");
  hooks.on_leave = [](membership_change) -> task<void> { throw std::runtime_error("left"); };
  hooks.on_disconnect = [](ended_connection) -> task<void> { throw std::runtime_error("ended"); };
  chat.set_hooks(hooks);
  EXPECT_EQ(run("alice1", "roomLeave", R"(["r"])"), "[0]");
  disconnect("alice1");
  EXPECT_EQ(log.lines, (strings{"hook_fault: onLeave: left", "hook_fault: onDisconnect: ended"}));
  auto closing = chat.close();  // nothing counts as running any more
  disconnect("bob1");
  timers.run_posted();
  EXPECT_TRUE(closing.done());
}

TEST_F(membership_hooks_test, onJoin_hears_of_the_join_before_it_counts) {
  proves("7.25", "7.28");
  connect("alice2");
  wait_in_join();
  auto joining = begin("alice1", "roomJoin", R"(["r"])");
  EXPECT_EQ(told, strings{"joins alice alice1 r 1"});
  EXPECT_EQ(outcome(joining), "running");
  EXPECT_EQ(userlist(), R"([["bob"]])");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{}])"), R"(notJoined["r"])");
  accept_join();
  EXPECT_EQ(outcome(joining), "[1]");
  EXPECT_EQ(userlist(), R"([["alice","bob"]])");
  EXPECT_EQ(take("bob1"), strings{R"(roomUserJoined["r","alice"])"});
}

TEST_F(membership_hooks_test, a_failing_onJoin_rolls_the_join_back) {
  proves("7.27", "7.28");
  connect("alice2");
  forget_events();
  wait_in_join();
  auto joining = begin("alice1", "roomJoin", R"(["r"])");
  run("bob1", "roomMessage", R"(["r",{"n":1}])");
  refuse_join();
  EXPECT_EQ(outcome(joining), "refused[]");
  EXPECT_EQ(userlist(), R"([["bob"]])");
  EXPECT_EQ(run("alice1", "listOwnSockets", "[]"), R"([{"alice1":[],"alice2":[]}])");
  EXPECT_TRUE(take("alice1").empty());
  EXPECT_TRUE(take("alice2").empty());
  EXPECT_EQ(take("bob1").size(), 1U);                  // its own message only
  EXPECT_EQ(told, strings{"joins alice alice1 r 1"});  // and nobody left
  run("bob1", "roomMessage", R"(["r",{"n":2}])");
  EXPECT_TRUE(take("alice1").empty());
}

TEST_F(membership_hooks_test, an_onJoin_that_throws_rolls_the_join_back) {
  hooks.on_join = [](membership_change) -> task<result<void>> { throw std::runtime_error("no"); };
  chat.set_hooks(hooks);
  EXPECT_EQ(run("alice1", "roomJoin", R"(["r"])"), R"(internalError["internal fault"])");
  EXPECT_EQ(userlist(), R"([["bob"]])");
  EXPECT_EQ(log.lines, strings{"hook_fault: onJoin: no"});
}

TEST_F(membership_hooks_test, what_is_sent_while_onJoin_runs_comes_with_the_history_and_not_live) {
  proves("7.28");
  run("bob1", "roomMessage", R"(["r",{"n":1}])");
  wait_in_join();
  auto joining = begin("alice1", "roomJoin", R"(["r",{"after":0}])");
  run("bob1", "roomMessage", R"(["r",{"n":2}])");
  EXPECT_TRUE(take("alice1").empty());
  accept_join();
  const std::string reply = outcome(joining);
  EXPECT_EQ(reply.find(R"([1,{"messages":[{"n":2,"author":"bob","timestamp":1000,"id":2},{"n":1,)"), 0U) << reply;
  EXPECT_NE(reply.find(R"("lastMessageId":2})"), std::string::npos) << reply;
  run("bob1", "roomMessage", R"(["r",{"n":3}])");
  EXPECT_EQ(take("alice1"), (strings{R"(roomUserJoined["r","alice"])",
                                     R"(roomMessage["r",{"n":3,"author":"bob","timestamp":1000,"id":3}])"}));
}

TEST_F(membership_hooks_test, joining_again_does_not_ask_again) {
  run("alice1", "roomJoin", R"(["r"])");
  wait_in_join();
  EXPECT_EQ(run("alice1", "roomJoin", R"(["r"])"), "[1]");
  EXPECT_TRUE(told.empty());
}

TEST_F(membership_hooks_test, a_leave_of_the_connection_waits_for_its_running_join) {
  proves("7.29");
  wait_in_join();
  auto joining = begin("alice1", "roomJoin", R"(["r"])");
  auto leaving = begin("alice1", "roomLeave", R"(["r"])");
  EXPECT_EQ(outcome(leaving), "running");
  accept_join();
  EXPECT_EQ(outcome(joining), "[1]");
  EXPECT_EQ(outcome(leaving), "[0]");
  EXPECT_EQ(told, (strings{"joins alice alice1 r 1", "left alice alice1 r 0"}));
  EXPECT_EQ(userlist(), R"([["bob"]])");
}

TEST_F(membership_hooks_test, other_rooms_and_connections_do_not_wait) {
  add_room("r2", chat.default_room_settings());
  connect("alice2");
  run("alice1", "roomJoin", R"(["r2"])");
  run("alice2", "roomJoin", R"(["r"])");
  wait_in_join();
  auto joining = begin("alice1", "roomJoin", R"(["r"])");
  EXPECT_EQ(run("alice1", "roomLeave", R"(["r2"])"), "[0]");
  EXPECT_EQ(run("alice2", "roomLeave", R"(["r"])"), "[0]");
  EXPECT_EQ(outcome(joining), "running");
  accept_join();
  EXPECT_EQ(outcome(joining), "[1]");
}

TEST_F(membership_hooks_test, a_connection_that_ends_while_onJoin_runs_never_was_in_the_room) {
  wait_in_join();
  auto joining = begin("alice1", "roomJoin", R"(["r"])");
  disconnect("alice1");
  EXPECT_EQ(told, (strings{"joins alice alice1 r 1", "ended alice alice1 0"}));
  accept_join();
  EXPECT_EQ(outcome(joining), R"(invalidSocket["alice1"])");
  EXPECT_EQ(userlist(), R"([["bob"]])");
  EXPECT_TRUE(take("bob1").empty());
}

TEST_F(membership_hooks_test, a_connection_that_ends_while_the_join_is_confirmed_joins_and_leaves) {
  completion<result<void>> store_answers;
  data->before = [store_answers](std::string operation) {
    if (operation != "disconnect") return at_once(result<void>{});
    return later(store_answers);
  };
  run("alice1", "roomJoin", R"(["r"])");
  forget_events();
  auto ending = chat.disconnect(connection_id("alice1"));  // the store has not answered yet
  EXPECT_EQ(run("alice1", "roomLeave", R"(["r"])"), R"(invalidSocket["alice1"])");
  store_answers.complete(result<void>{});
  EXPECT_TRUE(ending.done());
  EXPECT_EQ(take("bob1"), strings{R"(roomUserLeft["r","alice"])"});
}

TEST_F(membership_hooks_test, whoever_is_shut_out_while_onJoin_runs_does_not_get_in) {
  wait_in_join();
  auto joining = begin("alice1", "roomJoin", R"(["r"])");
  asked("execUserCommand", R"([{"bypassPermissions":true},"roomAddToList","r","blacklist",["alice"]])");
  accept_join();
  EXPECT_EQ(outcome(joining), "notAllowed[]");
  EXPECT_EQ(userlist(), R"([["bob"]])");
}

TEST_F(membership_hooks_test, onLeave_hears_of_every_way_out) {
  proves("7.26");
  run("alice1", "roomJoin", R"(["r"])");
  run("alice1", "roomLeave", R"(["r"])");
  EXPECT_EQ(told, strings{"left alice alice1 r 0"});
  told.clear();
  run("alice1", "roomLeave", R"(["r"])");  // had not joined
  EXPECT_TRUE(told.empty());

  run("alice1", "roomJoin", R"(["r"])");
  asked("execUserCommand", R"([{"bypassPermissions":true},"roomAddToList","r","blacklist",["alice"]])");
  EXPECT_EQ(told, strings{"left alice alice1 r 0"});
  told.clear();
  asked("execUserCommand", R"([{"bypassPermissions":true},"roomRemoveFromList","r","blacklist",["alice"]])");

  run("alice1", "roomJoin", R"(["r"])");
  asked("execUserCommand", R"([{"bypassPermissions":true},"roomSetWhitelistMode","r",true])");
  EXPECT_EQ(told, (strings{"left alice alice1 r 0", "left bob bob1 r 0"}));
  told.clear();
  asked("execUserCommand", R"([{"bypassPermissions":true},"roomSetWhitelistMode","r",false])");

  run("alice1", "roomJoin", R"(["r"])");
  asked("deleteRoom", R"(["r"])");
  EXPECT_EQ(told, strings{"left alice alice1 r 0"});
}

TEST_F(membership_hooks_test, a_hook_that_takes_longer_than_lock_ttl_is_reported_and_the_next_goes_on) {
  proves("8.44");
  observe();
  wait_in_join();
  auto joining = begin("alice1", "roomJoin", R"(["r"])");
  auto leaving = begin("alice1", "roomLeave", R"(["r"])");
  timers.advance(std::chrono::milliseconds(9999));
  EXPECT_TRUE(observed.empty());
  timers.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(observed, strings{R"(lockTimeExceeded{"id":"alice1","userName":"alice","roomName":"r"})"});
  EXPECT_EQ(outcome(leaving), "[0]");
  EXPECT_EQ(outcome(joining), "running");
  refuse_join();
  EXPECT_EQ(outcome(joining), "refused[]");
  timers.advance(std::chrono::milliseconds(60000));
  EXPECT_EQ(observed.size(), 1U);
}

TEST_F(membership_hooks_test, a_store_that_takes_longer_than_lock_ttl_is_reported) {
  observe();
  completion<result<void>> store_answers;
  data->before = [store_answers](std::string operation) {
    if (operation != "confirm_join") return at_once(result<void>{});
    return later(store_answers);
  };
  auto joining = begin("alice1", "roomJoin", R"(["r"])");
  timers.advance(std::chrono::milliseconds(10000));
  EXPECT_EQ(observed, strings{R"(lockTimeExceeded{"id":"alice1","userName":"alice","roomName":"r"})"});
  store_answers.complete(result<void>{});
  EXPECT_EQ(outcome(joining), "[1]");
}

TEST_F(membership_hooks_test, a_join_in_time_exceeds_nothing) {
  observe();
  run("alice1", "roomJoin", R"(["r"])");
  timers.advance(std::chrono::milliseconds(20000));
  EXPECT_TRUE(observed.empty());
}

TEST_F(membership_hooks_test, nothing_is_granted_before_onJoin_succeeded) {
  proves("7.28");
  recording_broadcaster broker;
  chat.set_broadcaster(&broker);
  sinks["dev1"] = std::make_shared<recording_sink>();
  chat.connect(user_name("dev"), connection_id("dev1"), sinks["dev1"], true).take();
  wait_in_join();
  auto joining = begin("dev1", "roomJoin", R"(["r"])");
  EXPECT_TRUE(broker.take().empty());
  accept_join();
  EXPECT_EQ(outcome(joining), "[1]");
  EXPECT_EQ(broker.take(), strings{"grant r dev1"});
  EXPECT_EQ(run("dev1", "roomLeave", R"(["r"])"), "[0]");
  EXPECT_EQ(broker.take(), strings{"revoke r dev1"});
  chat.set_broadcaster(nullptr);
}

}  // namespace
}  // namespace roombus::test
