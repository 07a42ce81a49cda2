// Hooks outside of the process, asked through a caller that answers as the test says.

#include "core/remote_hooks.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "tests/support/service_fixture.hpp"

namespace roombus::test {
namespace {

/// Notes calls; answers at once with what is queued, or when the test says so.
class scripted_caller final : public hook_caller {
 public:
  task<hook_outcome> call(std::string hook, value_map body) override {
    calls.push_back(hook + json::write(value(std::move(body))));
    completion<hook_outcome> done;
    if (answers.empty()) {
      waiting.push_back(done);
    } else {
      done.complete(std::move(answers.front()));
      answers.pop_front();
    }
    return wait(done);
  }

  /// The next call gets this JSON object.
  void answer(const std::string& text) { answers.emplace_back(*json::read(text, codec_limits{})->if_map()); }
  void fail(hook_failure why) { answers.emplace_back(why, "test"); }

  std::vector<std::string> take() { return std::exchange(calls, {}); }

  std::vector<std::string> calls;
  std::deque<hook_outcome> answers;
  std::deque<completion<hook_outcome>> waiting;

 private:
  static task<hook_outcome> wait(completion<hook_outcome> done) {
    hook_outcome out = co_await done;
    co_return out;
  }
};

class remote_hooks_test : public service_fixture {
 protected:
  /// Sets these hooks, with the policy of all.
  void use(std::vector<std::string> names, hook_policy policy = hook_policy::reject,
           std::map<std::string, hook_policy> own = {}) {
    remote_hooks_options options;
    options.transport = "test";
    options.instance = "i1";
    options.hooks = std::move(names);
    options.on_failure = policy;
    options.policy = std::move(own);
    hooks = std::make_unique<remote_hooks>(options, remote_hooks::environment{caller, time, log, metrics});
    service_hooks all;
    hooks->add_to(all);
    chat.set_hooks(std::move(all));
  }

  [[nodiscard]] bool logged(const std::string& part) const {
    for (const std::string& line : log.lines) {
      if (line.find(part) != std::string::npos) return true;
    }
    return false;
  }

  [[nodiscard]] std::string metric(const std::string& name) const {
    const std::string text = metrics.render();
    const std::size_t at = text.find(name);
    if (at == std::string::npos) return "absent";
    const std::size_t from = at + name.size() + 1;
    return text.substr(from, text.find('\n', from) - from);
  }

  scripted_caller caller;
  std::unique_ptr<remote_hooks> hooks;
};

TEST_F(remote_hooks_test, before_gets_the_context_and_an_empty_answer_goes_on) {
  proves("7.19", "7.20");
  use({"roomCreateBefore"});
  connect("alice1");
  caller.answer("{}");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false,{"more":1}])"), "[null]");
  EXPECT_EQ(caller.take(),
            std::vector<std::string>{
                R"(roomCreateBefore{"hook":"roomCreateBefore","instance":"i1","userName":"alice","id":"alice1",)"
                R"("command":"roomCreate","args":["r",false],"restArgs":[{"more":1}],"results":null,"error":null,)"
                R"("isLocalCall":false,"bypassPermissions":false,"bypassHooks":false,"data":{}})"});
}

TEST_F(remote_hooks_test, hooks_that_are_not_listed_are_not_asked) {
  use({"roomDeleteBefore"});
  connect("alice1");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "[null]");
  EXPECT_TRUE(caller.take().empty());
}

TEST_F(remote_hooks_test, before_may_change_arguments_or_end_the_command) {
  proves("7.3", "7.4", "7.5", "7.6");
  use({"roomCreateBefore"});
  connect("alice1");
  caller.answer(R"({"args":["other",false]})");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "[null]");
  caller.answer("{}");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["other",false])"), R"(roomExists["other"])");
  caller.answer(R"({"args":["other"]})");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "wrongArgumentsCount[2,1]") << "checked again";
  caller.answer(R"({"results":["mine"]})");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), R"(["mine"])");
  caller.answer(R"({"error":{"code":"notAllowed"}})");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "notAllowed[]");
  caller.answer(R"({"error":{"code":"tooHot","args":[31]}})");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "tooHot[31]");
  caller.answer(R"({"error":"go away"})");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), R"(internalError["go away"])");
}

TEST_F(remote_hooks_test, data_passes_to_after_which_sees_results_and_may_replace_them) {
  proves("7.7", "7.9", "7.10", "7.11");
  use({"roomCreateBefore", "roomCreateAfter"});
  connect("alice1");
  caller.answer(R"({"data":{"x":1}})");
  caller.answer(R"({"results":[null,"extra"]})");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), R"([null,"extra"])");
  ASSERT_EQ(caller.calls.size(), 2U);
  EXPECT_NE(caller.calls[1].find(R"("results":[null],"error":null)"), std::string::npos) << caller.calls[1];
  EXPECT_NE(caller.calls[1].find(R"("data":{"x":1})"), std::string::npos) << caller.calls[1];
  caller.take();
  caller.answer("{}");
  caller.answer("{}");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), R"(roomExists["r"])");
  EXPECT_NE(
      caller.calls[1].find(R"("results":null,"error":{"name":"ChatServiceError","code":"roomExists","args":["r"]})"),
      std::string::npos)
      << caller.calls[1];
}

TEST_F(remote_hooks_test, without_an_answer_before_rejects_or_goes_on_as_configured) {
  proves("7.14", "7.39");
  use({"roomCreateBefore", "roomDeleteBefore"}, hook_policy::reject, {{"roomDeleteBefore", hook_policy::go_on}});
  connect("alice1");
  caller.fail(hook_failure::timeout);
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "unavailable[]");
  caller.answer("{}");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "[null]") << "nothing was done before";
  caller.fail(hook_failure::unreachable);
  EXPECT_EQ(run("alice1", "roomDelete", R"(["r"])"), "[null]");
  EXPECT_EQ(metric(R"(roombus_hook_failures_total{transport="test",reason="timeout"})"), "1");
  EXPECT_EQ(metric(R"(roombus_hook_failures_total{transport="test",reason="unreachable"})"), "1");
  EXPECT_EQ(metric(R"(roombus_hook_calls_total{transport="test",hook="roomCreateBefore"})"), "2");
  EXPECT_TRUE(logged("hook_failed: roomCreateBefore over test: timeout"));
}

TEST_F(remote_hooks_test, answers_with_wrong_types_are_no_answers) {
  use({"roomCreateBefore"});
  connect("alice1");
  const std::vector<std::string> wrong = {R"({"args":{}})",
                                          R"({"args":"r"})",
                                          R"({"data":[]})",
                                          R"({"results":1})",
                                          R"({"error":1})",
                                          R"({"error":{}})",
                                          R"({"error":{"code":1}})",
                                          R"({"error":{"code":""}})",
                                          R"({"error":{"code":"notAllowed","args":{}}})",
                                          R"({"args":["other",false],"results":7})"};
  for (const std::string& text : wrong) {
    caller.answer(text);
    EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "unavailable[]") << text;
  }
  EXPECT_EQ(metric(R"(roombus_hook_failures_total{transport="test",reason="malformed"})"),
            std::to_string(wrong.size()));
  caller.answer(R"({"args":null,"data":null,"results":null,"error":null,"unknown":1})");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "[null]") << "null is absent, unknown is not looked at";
}

TEST_F(remote_hooks_test, after_without_an_answer_leaves_the_reply_alone) {
  proves("7.13");
  use({"roomCreateAfter"}, hook_policy::reject);
  connect("alice1");
  caller.fail(hook_failure::timeout);
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "[null]");
  caller.answer(R"({"results":{}})");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), R"(roomExists["r"])");
}

TEST_F(remote_hooks_test, on_connect_tells_who_it_is) {
  proves("7.15", "7.21", "7.22");
  use({"onConnect"});
  const auto ask = [this] {
    handshake shown;
    shown.transport = "socket.io";
    shown.query.set("token", value("t"));
    shown.address = "10.0.0.1";
    auto asked = chat.ask_who(connection_id("c1"), std::move(shown));
    EXPECT_TRUE(asked.done());
    const result<login> who = asked.take();
    if (!who) return std::string(who.error().code_name());
    return who->user.str() + json::write(value(who->auth_data));
  };
  caller.answer(R"({"userName":"alice","authData":{"role":"x"}})");
  EXPECT_EQ(ask(), R"(alice{"role":"x"})");
  EXPECT_EQ(caller.take().front(),
            R"(onConnect{"hook":"onConnect","instance":"i1","id":"c1","transport":"socket.io",)"
            R"("handshake":{"query":{"token":"t"},"headers":{},"auth":null,"address":"10.0.0.1"}})");
  caller.answer("{}");
  EXPECT_EQ(ask(), "noLogin");
  caller.answer(R"({"error":{"code":"notAllowed"}})");
  EXPECT_EQ(ask(), "notAllowed");
  for (const hook_failure why : {hook_failure::refused, hook_failure::timeout}) {
    caller.fail(why);
    EXPECT_EQ(ask(), "unavailable");
  }
  for (const char* wrong : {R"({"userName":1})", R"({"userName":""})", R"({"userName":"a","authData":[]})"}) {
    caller.answer(wrong);
    EXPECT_EQ(ask(), "unavailable") << wrong;
  }
  use({"onConnect"}, hook_policy::go_on);
  caller.fail(hook_failure::refused);
  EXPECT_EQ(ask(), "noLogin") << "nobody gets in without a name";
}

TEST_F(remote_hooks_test, on_join_rolls_back_and_on_leave_and_on_disconnect_only_hear) {
  proves("7.16", "7.24", "7.25", "7.27");
  use({"onJoin", "onLeave", "onDisconnect"});
  connect("alice1");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "[null]");
  caller.fail(hook_failure::timeout);
  EXPECT_EQ(run("alice1", "roomJoin", R"(["r"])"), "unavailable[]");
  EXPECT_EQ(run("alice1", "roomGetAccessList", R"(["r","userlist"])"), "[[]]");
  caller.take();
  caller.answer(R"({"error":"full"})");
  EXPECT_EQ(run("alice1", "roomJoin", R"(["r"])"), R"(internalError["full"])");
  caller.take();
  caller.answer("{}");
  EXPECT_EQ(run("alice1", "roomJoin", R"(["r"])"), "[1]");
  EXPECT_EQ(caller.take(),
            std::vector<std::string>{R"(onJoin{"hook":"onJoin","instance":"i1","userName":"alice","id":"alice1",)"
                                     R"("roomName":"r","njoined":1})"});
  caller.fail(hook_failure::timeout);
  EXPECT_EQ(run("alice1", "roomLeave", R"(["r"])"), "[0]");
  EXPECT_EQ(caller.take().size(), 1U);
  caller.answer("{}");
  EXPECT_EQ(run("alice1", "roomJoin", R"(["r"])"), "[1]");
  caller.take();
  caller.fail(hook_failure::timeout);
  caller.fail(hook_failure::timeout);
  disconnect("alice1");
  EXPECT_EQ(caller.take().back(),
            R"(onDisconnect{"hook":"onDisconnect","instance":"i1","userName":"alice","id":"alice1","nconnected":0,)"
            R"("roomsRemoved":["r"],"joinedSockets":[0]})");
}

TEST_F(remote_hooks_test, checkers_replace_the_format) {
  proves("7.33");
  use({"roomMessagesChecker"});
  connect("alice1");
  run("alice1", "roomCreate", R"(["r",false])");
  run("alice1", "roomJoin", R"(["r"])");
  caller.answer("{}");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"t":1}])"), "[1]");
  EXPECT_EQ(caller.take().front(),
            R"(roomMessagesChecker{"hook":"roomMessagesChecker","instance":"i1","message":{"t":1}})");
  caller.answer(R"({"error":{"code":"badArgument","args":[1,{"t":1}]}})");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"t":1}])"), R"(badArgument[1,{"t":1}])");
  caller.fail(hook_failure::timeout);
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"t":1}])"), "unavailable[]");
}

TEST_F(remote_hooks_test, on_start_gets_the_info_and_fails_the_start) {
  proves("7.31");
  use({"onStart"});
  caller.fail(hook_failure::unreachable);
  auto starting = chat.start(value_map{{"admin", value("127.0.0.1:1")}});
  ASSERT_TRUE(starting.done());
  const result<void> started = starting.take();
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code(), errc::unavailable);
  EXPECT_EQ(caller.take().front(), R"(onStart{"hook":"onStart","instance":"i1","admin":"127.0.0.1:1"})");
}

TEST_F(remote_hooks_test, the_circuit_opens_and_a_probe_closes_it) {
  use({"roomCreateBefore"});
  connect("alice1");
  for (int i = 0; i < 10; ++i) {
    caller.fail(hook_failure::timeout);
    EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "unavailable[]");
  }
  EXPECT_EQ(caller.take().size(), 10U);
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "unavailable[]");
  EXPECT_TRUE(caller.take().empty()) << "fails at once, nobody is asked";
  EXPECT_EQ(metric(R"(roombus_hook_failures_total{transport="test",reason="circuit_open"})"), "1");
  EXPECT_EQ(metric(R"(roombus_hook_circuit_opened_total{transport="test",hook="roomCreateBefore"})"), "1");
  time.advance(1000);
  caller.answer("{}");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "[null]");
  EXPECT_EQ(caller.take().size(), 1U);
}

TEST_F(remote_hooks_test, each_hook_has_a_circuit_of_its_own) {
  use({"onConnect", "roomCreateBefore"});
  connect("alice1");
  for (int i = 0; i < 12; ++i) {
    caller.fail(hook_failure::refused);
    auto asked = chat.ask_who(connection_id("stranger"), handshake());
    ASSERT_TRUE(asked.done());
    EXPECT_FALSE(asked.take().has_value());
  }
  EXPECT_EQ(caller.take().size(), 10U) << "onConnect is not asked any more";
  caller.answers.clear();
  caller.answer("{}");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "[null]");
  EXPECT_EQ(caller.take().size(), 1U) << "what strangers make fail switches off no other hook";
  EXPECT_EQ(metric(R"(roombus_hook_circuit_opened_total{transport="test",hook="onConnect"})"), "1");
  EXPECT_EQ(metric(R"(roombus_hook_circuit_opened_total{transport="test",hook="roomCreateBefore"})"), "0");
  EXPECT_TRUE(logged("onConnect over test is not asked for a while"));
}

TEST_F(remote_hooks_test, a_probe_that_finds_the_queue_full_does_not_keep_the_circuit_open) {
  use({"roomCreateBefore"});
  connect("alice1");
  for (int i = 0; i < 10; ++i) {
    caller.fail(hook_failure::timeout);
    run("alice1", "roomCreate", R"(["r",false])");
  }
  time.advance(1000);
  caller.fail(hook_failure::overload);
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "unavailable[]");
  caller.answer("{}");
  EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "[null]");
}

TEST_F(remote_hooks_test, a_full_queue_says_nothing_about_the_server) {
  use({"roomCreateBefore"});
  connect("alice1");
  for (int i = 0; i < 20; ++i) {
    caller.fail(hook_failure::overload);
    EXPECT_EQ(run("alice1", "roomCreate", R"(["r",false])"), "unavailable[]");
  }
  EXPECT_EQ(caller.take().size(), 20U);
}

TEST_F(remote_hooks_test, failures_are_logged_once_a_second) {
  use({"roomCreateBefore"});
  connect("alice1");
  const auto failures = [this] {
    std::size_t n = 0;
    for (const std::string& line : log.lines)
      n += line.starts_with("hook_failed") ? 1 : 0;
    return n;
  };
  for (int i = 0; i < 5; ++i) {
    caller.fail(hook_failure::timeout);
    run("alice1", "roomCreate", R"(["r",false])");
  }
  EXPECT_EQ(failures(), 1U);
  time.advance(1000);
  caller.fail(hook_failure::timeout);
  run("alice1", "roomCreate", R"(["r",false])");
  EXPECT_EQ(failures(), 2U);
  EXPECT_TRUE(logged("and 4 more before"));
}

TEST(hook_names_test, every_command_has_two_and_the_others_are_there) {
  EXPECT_EQ(all_hooks().size(), 2 * all_commands().size() + 8);
  for (const hook_name& h : all_hooks())
    EXPECT_EQ(find_hook(h.text), &h) << h.text;
  EXPECT_EQ(find_hook("roomMessageBefore")->cmd->id, command::room_message);
  EXPECT_EQ(find_hook("roomMessage"), nullptr);
  EXPECT_EQ(find_hook(""), nullptr);
}

}  // namespace
}  // namespace roombus::test
