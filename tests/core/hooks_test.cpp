// Before and after hooks of commands, and checkers. Source: contract §7.

#include <stdexcept>

#include "tests/support/hooked_fixture.hpp"

namespace roombus::test {
namespace {

using strings = std::vector<std::string>;

/// How a hook sees a command, as JSON.
std::string seen(const hook_context& c) {
  std::string out = std::string(c.cmd->name) + " " + c.user.str() + " " + c.id.str() + " " +
                    json::write(value(value_list(c.args))) + json::write(value(value_list(c.rest_args)));
  if (c.results) out += " results" + json::write(value(value_list(*c.results)));
  if (c.error) out += " error " + std::string(c.error->code_name());
  if (c.is_local_call) out += " local";
  if (c.bypass_permissions) out += " permissions";
  if (!c.data.empty()) out += " data" + json::write(value(value_map(c.data)));
  return out;
}

class hooks_test : public hooked_fixture {
 protected:
  void SetUp() override {
    connect("alice1");
    connect("bob1");
    room_settings settings = chat.default_room_settings();
    settings.owner = user_name("alice");
    add_room("r", settings);
    data->before = [this](std::string operation) {
      operations.push_back(std::move(operation));
      return at_once(result<void>{});
    };
  }

  /// Hooks of one command that note what they see and answer what is in `before_says` and `after_says`.
  void hook(command id) {
    hooks.before[id] = [this](const hook_context& c) {
      before_saw.push_back(seen(c));
      return at_once(before_says);
    };
    hooks.after[id] = [this](const hook_context& c) {
      after_saw.push_back(seen(c));
      return at_once(after_says);
    };
    chat.set_hooks(hooks);
  }

  service_hooks hooks;
  hook_answer before_says;
  hook_answer after_says;
  strings before_saw;
  strings after_saw;
  strings operations;
};

struct sample {
  const char* command;
  const char* args;
  const char* reply;
};

// one working call for each command, in an order in which they work; roomMessage after roomLeave fails on purpose
const sample samples[] = {
    {"directAddToList", R"(["whitelist",["bob"]])", "[null]"},
    {"directRemoveFromList", R"(["whitelist",["bob"]])", "[null]"},
    {"directGetAccessList", R"(["whitelist"])", "[[]]"},
    {"directSetWhitelistMode", "[false]", "[null]"},
    {"directGetWhitelistMode", "[]", "[false]"},
    {"directMessage", R"(["bob",{"a":1}])", R"([{"a":1,"author":"alice","timestamp":1000}])"},
    {"listOwnSockets", "[]", R"([{"alice1":[]}])"},
    {"systemMessage", "[1]", "[null]"},
    {"roomCreate", R"(["r2",false])", "[null]"},
    {"roomDelete", R"(["r2"])", "[null]"},
    {"roomJoin", R"(["r"])", "[1]"},
    {"roomLeave", R"(["r"])", "[0]"},
    {"roomMessage", R"(["r",{"a":1}])", R"(notJoined["r"])"},
    {"roomRecentHistory", R"(["r"])", "[[]]"},
    {"roomHistoryGet", R"(["r",0,10])", "[[]]"},
    {"roomHistoryInfo", R"(["r"])", nullptr},
    {"roomUserSeen", R"(["r","alice"])", R"([{"joined":false,"timestamp":1000}])"},
    {"roomGetAccessList", R"(["r","whitelist"])", "[[]]"},
    {"roomGetOwner", R"(["r"])", R"(["alice"])"},
    {"roomGetWhitelistMode", R"(["r"])", "[false]"},
    {"roomNotificationsInfo", R"(["r"])", R"([{"enableUserlistUpdates":true,"enableAccessListsUpdates":true}])"},
    {"roomAddToList", R"(["r","blacklist",["eve"]])", "[null]"},
    {"roomRemoveFromList", R"(["r","blacklist",["eve"]])", "[null]"},
    {"roomSetWhitelistMode", R"(["r",true])", "[null]"},
};

TEST_F(hooks_test, every_command_has_a_before_and_an_after_hook_and_each_runs_once) {
  proves("7.1", "7.8", "7.9", "7.19");
  for (const command_descriptor& cmd : all_commands())
    hook(cmd.id);
  ASSERT_EQ(std::size(samples), all_commands().size());
  for (const sample& s : samples) {
    before_saw.clear();
    after_saw.clear();
    const std::string answered = run("alice1", s.command, s.args);
    if (s.reply != nullptr) {
      EXPECT_EQ(answered, s.reply) << s.command;
    }
    const std::string common = std::string(s.command) + " alice alice1 " + s.args + "[]";
    EXPECT_EQ(before_saw, strings{common}) << s.command;
    ASSERT_EQ(after_saw.size(), 1U) << s.command;
    const bool failed = answered.front() != '[';
    const std::string outcome =
        failed ? " error " + answered.substr(0, answered.find('[')) : std::string(" results") + answered;
    EXPECT_EQ(after_saw[0], common + outcome);
  }
}

TEST_F(hooks_test, before_may_end_every_command_with_results_or_an_error_and_nothing_is_done_nor_after_asked) {
  proves("7.5", "7.6", "7.8");
  for (const command_descriptor& cmd : all_commands())
    hook(cmd.id);
  for (const sample& s : samples) {
    before_says = hook_answer();
    before_says.results = read_list(R"([42,"more"])");
    EXPECT_EQ(run("alice1", s.command, s.args), R"([42,"more"])") << s.command;
    before_says.results = value_list();
    EXPECT_EQ(run("alice1", s.command, s.args), "[null]") << s.command;
    before_says.results.reset();
    before_says.error = chat_error::custom("teapot", {value(418)});
    EXPECT_EQ(run("alice1", s.command, s.args), "teapot[418]") << s.command;
  }
  EXPECT_TRUE(after_saw.empty());
  EXPECT_TRUE(operations.empty()) << operations.front();
  EXPECT_TRUE(take("bob1").empty());
}

TEST_F(hooks_test, arguments_are_checked_before_the_before_hook) {
  proves("7.2");
  hook(command::room_message);
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r"])"), "wrongArgumentsCount[2,1]");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",1])"), "badArgument[1,1]");
  EXPECT_TRUE(before_saw.empty());
  EXPECT_TRUE(after_saw.empty());
}

TEST_F(hooks_test, changed_arguments_are_used_and_seen_by_after) {
  proves("7.3");
  run("alice1", "roomJoin", R"(["r"])");
  forget_events();
  hook(command::room_message);
  before_says.args = read_list(R"(["r",{"clean":true}])");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"dirty":true}])"), "[1]");
  EXPECT_EQ(take("alice1"), strings{R"(roomMessage["r",{"clean":true,"author":"alice","timestamp":1000,"id":1}])"});
  EXPECT_EQ(after_saw, strings{R"(roomMessage alice alice1 ["r",{"clean":true}][] results[1])"});
}

TEST_F(hooks_test, changed_arguments_are_checked_again) {
  proves("7.4", "7.8");
  hook(command::room_message);
  before_says.args = read_list(R"(["r"])");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{}])"), "wrongArgumentsCount[2,1]");
  before_says.args = read_list(R"([1,{}])");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{}])"), "badArgument[0,1]");
  EXPECT_TRUE(after_saw.empty());  // the command's own work was not attempted
}

TEST_F(hooks_test, changed_messages_go_through_the_checker_again) {
  proves("7.4");
  run("alice1", "roomJoin", R"(["r"])");
  strings checked;
  hooks.room_messages_checker = [&checked](value message) {
    checked.push_back(json::write(message));
    result<void> verdict;
    if (message.if_map()->find("bad") != nullptr) verdict = chat_error::custom("tooBad");
    return at_once(verdict);
  };
  hook(command::room_message);
  before_says.args = read_list(R"(["r",{"bad":1}])");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"good":1}])"), "tooBad[]");
  EXPECT_EQ(checked, (strings{R"({"good":1})", R"({"bad":1})"}));
  EXPECT_TRUE(after_saw.empty());
}

TEST_F(hooks_test, rest_arguments_reach_hooks_and_before_may_replace_them) {
  proves("7.3", "7.19");
  run("alice1", "roomJoin", R"(["r"])");
  hook(command::room_recent_history);
  run("alice1", "roomRecentHistory", R"(["r",1,"x"])");
  EXPECT_EQ(before_saw, strings{R"(roomRecentHistory alice alice1 ["r"][1,"x"])"});
  // the command's own arguments alone leave the rest as it was
  before_says.args = read_list(R"(["r"])");
  EXPECT_EQ(run("alice1", "roomRecentHistory", R"(["r",{}])").find(R"([[],{"gap":false,"epoch":)"), 0U);
  before_says.args = read_list(R"(["r",null])");
  EXPECT_EQ(run("alice1", "roomRecentHistory", R"(["r",{}])"), "[[]]");
  EXPECT_EQ(after_saw.back(), R"(roomRecentHistory alice alice1 ["r"][null] results[[]])");
}

TEST_F(hooks_test, data_passes_from_before_to_after) {
  proves("7.7");
  hook(command::list_own_sockets);
  before_says.data = value_map{{"began", value(7)}};
  run("alice1", "listOwnSockets", "[]");
  EXPECT_EQ(after_saw, strings{R"(listOwnSockets alice alice1 [][] results[{"alice1":[]}] data{"began":7})"});
}

TEST_F(hooks_test, after_may_replace_results_or_error_and_add_results_but_never_the_effect) {
  proves("7.10", "7.11", "7.12");
  run("alice1", "roomJoin", R"(["r"])");
  hook(command::room_message);
  after_says.results = read_list(R"([1,"added"])");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{}])"), R"([1,"added"])");
  after_says.results.reset();
  after_says.error = chat_error::custom("later");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{}])"), "later[]");
  EXPECT_EQ(run("bob1", "roomMessage", R"(["r",{}])"), "later[]");
  EXPECT_EQ(after_saw.back(), R"(roomMessage bob bob1 ["r",{}][] error notJoined)");
  after_says.error.reset();
  after_says.results = read_list(R"(["fine"])");
  EXPECT_EQ(run("bob1", "roomMessage", R"(["r",{}])"), R"(["fine"])");
  // what after hooks said changed replies only: two messages were stored, of alice
  EXPECT_EQ(run("alice1", "roomHistoryInfo", R"(["r"])").find(R"("lastMessageId":2)") != std::string::npos, true);
}

TEST_F(hooks_test, after_runs_when_the_work_failed_by_a_fault) {
  proves("7.8", "7.9");
  hook(command::list_own_sockets);
  data->before = [](std::string) -> task<result<void>> { throw std::runtime_error("broken store"); };
  EXPECT_EQ(run("alice1", "listOwnSockets", "[]"), R"(internalError["internal fault"])");
  EXPECT_EQ(after_saw, strings{"listOwnSockets alice alice1 [][] error internalError"});
}

TEST_F(hooks_test, a_before_hook_that_throws_gives_internalError_and_is_logged) {
  hooks.before[command::list_own_sockets] = [](const hook_context&) -> task<hook_answer> {
    throw std::runtime_error("bad hook");
  };
  hook(command::room_get_owner);
  EXPECT_EQ(run("alice1", "listOwnSockets", "[]"), R"(internalError["internal fault"])");
  EXPECT_TRUE(operations.empty());
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(log.lines[0], "hook_fault: listOwnSockets: bad hook");
}

TEST_F(hooks_test, an_after_hook_that_throws_leaves_the_reply_as_it_was) {
  proves("7.13");
  hooks.after[command::list_own_sockets] = [](const hook_context&) -> task<hook_answer> { throw 1; };
  chat.set_hooks(hooks);
  EXPECT_EQ(run("alice1", "listOwnSockets", "[]"), R"([{"alice1":[]}])");
  EXPECT_EQ(log.lines.size(), 1U);
}

TEST_F(hooks_test, bypassHooks_skips_the_hooks_of_the_command) {
  proves("8.4");
  hook(command::list_own_sockets);
  EXPECT_EQ(asked("execUserCommand", R"([{"userName":"alice","bypassHooks":true},"listOwnSockets"])"),
            R"([{"alice1":[]}])");
  EXPECT_TRUE(before_saw.empty());
  EXPECT_TRUE(after_saw.empty());
}

TEST_F(hooks_test, the_context_tells_of_local_calls_and_bypassed_permissions) {
  proves("7.20");
  hook(command::room_get_owner);
  asked("execUserCommand", R"([{"userName":"bob","bypassPermissions":true},"roomGetOwner","r",5])");
  EXPECT_EQ(before_saw, strings{R"(roomGetOwner bob  ["r"][5] local permissions)"});
  EXPECT_EQ(after_saw, strings{R"(roomGetOwner bob  ["r"][5] results["alice"] local permissions)"});
}

TEST_F(hooks_test, idempotency_is_decided_in_the_append_after_the_before_hook) {
  proves("7.18");
  run("alice1", "roomJoin", R"(["r"])");
  hook(command::room_message);
  before_says.args = read_list(R"(["r",{"clean":true}])");
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"n":1},{"idempotencyKey":"k"}])"), "[1]");
  forget_events();
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{"n":2},{"idempotencyKey":"k"}])"), "[1]");
  EXPECT_TRUE(take("alice1").empty());
  EXPECT_EQ(before_saw.size(), 2U);  // the repeat is asked about, too
  EXPECT_EQ(after_saw.size(), 2U);
}

TEST_F(hooks_test, other_commands_run_while_a_hook_takes_its_time) {
  completion<hook_answer> answer;
  hooks.before[command::room_get_owner] = [answer](const hook_context&) { return later(answer); };
  chat.set_hooks(hooks);
  auto waiting = begin("alice1", "roomGetOwner", R"(["r"])");
  EXPECT_EQ(run("alice1", "listOwnSockets", "[]"), R"([{"alice1":[]}])");
  EXPECT_EQ(outcome(waiting), "running");
  answer.complete(hook_answer());
  EXPECT_EQ(outcome(waiting), R"(["alice"])");
}

TEST_F(hooks_test, any_object_that_a_checker_accepts_is_a_message) {
  proves("7.33");
  chat_options texts = all_on();
  texts.format = message_format::text;
  service strict(texts, chat_limits{}, "i", service::environment{*data, time, random, timers, log, metrics});
  const auto send = [&strict](const char* args) {
    call c;
    c.bypass_permissions = true;
    c.command = "roomMessage";
    c.args = read_list(args);
    auto pending = strict.execute(std::move(c));
    return shown(pending.take());
  };
  EXPECT_EQ(send(R"(["r",{"html":"<b>"}])"), R"(badArgument[1,{"html":"<b>"}])");
  EXPECT_EQ(send(R"(["r",{"textMessage":""}])"), "[1]");
  hooks.room_messages_checker = [](value message) {
    result<void> verdict;
    if (message.if_map()->find("html") == nullptr) verdict = chat_error(errc::bad_argument, {value(1), message});
    return at_once(verdict);
  };
  strict.set_hooks(hooks);
  EXPECT_EQ(send(R"(["r",{"html":"<b>"}])"), "[2]");
  EXPECT_EQ(send(R"(["r",{"textMessage":""}])"), R"(badArgument[1,{"textMessage":""}])");
  EXPECT_EQ(send(R"(["r",7])"), "badArgument[1,7]");  // objects still
}

TEST_F(hooks_test, direct_messages_have_a_checker_of_their_own) {
  proves("7.34");
  strings checked;
  hooks.direct_messages_checker = [&checked](value message) {
    checked.push_back(json::write(message));
    return at_once(result<void>{});
  };
  chat.set_hooks(hooks);
  run("alice1", "roomMessage", R"(["r",{"room":1}])");
  EXPECT_EQ(run("alice1", "directMessage", R"(["bob",{"direct":1}])"),
            R"([{"direct":1,"author":"alice","timestamp":1000}])");
  EXPECT_EQ(checked, strings{R"({"direct":1})"});
}

TEST_F(hooks_test, a_checker_that_throws_refuses) {
  hooks.room_messages_checker = [](value) -> task<result<void>> { throw std::runtime_error("no"); };
  chat.set_hooks(hooks);
  EXPECT_EQ(run("alice1", "roomMessage", R"(["r",{}])"), R"(internalError["internal fault"])");
  EXPECT_EQ(log.lines.size(), 1U);
}

}  // namespace
}  // namespace roombus::test
