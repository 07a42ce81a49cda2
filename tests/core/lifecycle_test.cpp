// Start, heartbeats and close. Source: contract §7 (onStart, onClose), §8 (Recovery, events).

#include <stdexcept>

#include "tests/support/hooked_fixture.hpp"

namespace roombus::test {
namespace {

using strings = std::vector<std::string>;
using ms = std::chrono::milliseconds;

class lifecycle_test : public hooked_fixture {
 protected:
  void SetUp() override {
    observe();
    data->before = [this](std::string operation) {
      operations.push_back(operation);
      result<void> answer;
      if (operation == failing) answer = chat_error(errc::unavailable);
      return at_once(answer);
    };
  }
  std::string start() {
    auto starting = chat.start(value_map{{"admin", value("127.0.0.1:1")}});
    result<void> started = starting.take();
    return started ? "started" : std::string(started.error().code_name());
  }
  [[nodiscard]] std::size_t heartbeats() const {
    return static_cast<std::size_t>(std::count(operations.begin(), operations.end(), "heartbeat"));
  }
  /// A connection that an instance which is gone has left in the store, joined to `room`.
  void leave_behind(const std::string& other, const std::string& id, const std::string& room) {
    connection_record record;
    record.user = user_name(user_of(id));
    record.id = connection_id(id);
    record.instance = other;
    real->connect(record, 10).take();
    join_request request;
    request.room = room_name(room);
    request.user = record.user;
    request.id = record.id;
    real->confirm_join(request, history_request()).take();
  }

  service_hooks hooks;
  strings operations;
  std::string failing;
};

TEST_F(lifecycle_test, onStart_completes_before_the_start_does_and_gets_what_the_program_tells) {
  proves("7.30", "8.40");
  completion<result<void>> answer;
  value_map info;
  hooks.on_start = [&info, answer](value_map given) {
    info = std::move(given);
    return later(answer);
  };
  chat.set_hooks(hooks);
  auto starting = chat.start(value_map{{"admin", value("127.0.0.1:1")}});
  EXPECT_FALSE(starting.done());
  EXPECT_TRUE(operations.empty());
  EXPECT_TRUE(observed.empty());
  EXPECT_EQ(json::write(value(info)), R"({"admin":"127.0.0.1:1"})");
  answer.complete(result<void>{});
  EXPECT_TRUE(starting.done());
  EXPECT_EQ(observed, strings{R"(ready{"instance":"instance"})"});
}

TEST_F(lifecycle_test, a_failing_onStart_ends_the_start_with_closed_and_nothing_is_served) {
  proves("7.31", "8.41");
  hooks.on_start = [](value_map) {
    result<void> answer = chat_error::custom("notToday");
    return at_once(answer);
  };
  chat.set_hooks(hooks);
  EXPECT_EQ(start(), "notToday");
  EXPECT_EQ(observed, strings{R"(closed{"error":"notToday"})"});
  EXPECT_EQ(asked("hasRoom", R"(["r"])"), "unavailable[]");
  EXPECT_EQ(run("alice1", "listOwnSockets", "[]"), "unavailable[]");
  auto connecting = chat.connect(user_name("alice"), connection_id("a"), std::make_shared<recording_sink>());
  EXPECT_EQ(connecting.take().error().code(), errc::unavailable);
  timers.advance(ms(60000));
  EXPECT_EQ(heartbeats(), 0U);
}

TEST_F(lifecycle_test, an_onStart_that_throws_ends_the_start) {
  hooks.on_start = [](value_map) -> task<result<void>> { throw std::runtime_error("no"); };
  chat.set_hooks(hooks);
  EXPECT_EQ(start(), "internalError");
  EXPECT_EQ(observed, strings{R"(closed{"error":"internalError"})"});
}

TEST_F(lifecycle_test, a_start_without_a_store_fails) {
  failing = "heartbeat";
  EXPECT_EQ(start(), "unavailable");
  EXPECT_EQ(observed, strings{R"(closed{"error":"unavailable"})"});
}

TEST_F(lifecycle_test, a_heartbeat_is_written_at_the_start_and_every_heartbeat_rate) {
  proves("8.37");
  start();
  EXPECT_EQ(heartbeats(), 1U);
  EXPECT_EQ(asked("getInstanceHeartbeat", "null"), "[1000]");
  timers.advance(ms(9999));
  EXPECT_EQ(heartbeats(), 1U);
  timers.advance(ms(1));
  EXPECT_EQ(heartbeats(), 2U);
  EXPECT_EQ(asked("getInstanceHeartbeat", "[]"), "[11000]");
  EXPECT_EQ(asked("getInstanceHeartbeat", R"(["instance"])"), "[11000]");
  EXPECT_EQ(asked("getInstanceHeartbeat", R"(["other"])"), "[null]");
  failing = "heartbeat";
  timers.advance(ms(10000));
  failing = "";
  timers.advance(ms(10000));
  EXPECT_EQ(heartbeats(), 4U);  // one that fails does not end them
}

TEST_F(lifecycle_test, a_dead_instance_is_recovered_without_being_asked_and_its_users_leave_once) {
  proves("8.38", "8.39");
  start();
  add_room("r", chat.default_room_settings());
  real->heartbeat("other", 0).take();
  leave_behind("other", "carol1", "r");
  connect("bob1");
  run("bob1", "roomJoin", R"(["r"])");
  forget_events();
  EXPECT_EQ(asked("getInstanceSockets", R"(["other"])"), R"([{"carol1":"carol"}])");
  EXPECT_EQ(asked("getInstanceSockets", "null"), R"([{"bob1":"bob"}])");
  timers.advance(ms(20000));
  EXPECT_TRUE(take("bob1").empty());  // 21 s without a sign of life
  timers.advance(ms(10000));
  EXPECT_EQ(take("bob1"), strings{R"(roomUserLeft["r","carol"])"});
  EXPECT_EQ(asked("getInstanceSockets", R"(["other"])"), "[{}]");
  EXPECT_EQ(asked("getInstanceHeartbeat", R"(["other"])"), "[null]");
  timers.advance(ms(60000));
  EXPECT_TRUE(take("bob1").empty());
}

TEST_F(lifecycle_test, a_recovery_that_fails_half_way_is_gone_on_with) {
  start();
  add_room("r", chat.default_room_settings());
  real->heartbeat("other", 0).take();
  leave_behind("other", "carol1", "r");
  leave_behind("other", "dave1", "r");
  connect("bob1");
  run("bob1", "roomJoin", R"(["r"])");
  forget_events();
  int allowed = 1;
  data->before = [&allowed](std::string operation) {
    result<void> answer;
    if (operation == "disconnect" && allowed-- <= 0) answer = chat_error(errc::unavailable);
    return at_once(answer);
  };
  timers.advance(ms(30000));
  EXPECT_EQ(take("bob1"), strings{R"(roomUserLeft["r","carol"])"});
  data->before = nullptr;
  timers.advance(ms(10000));
  EXPECT_EQ(take("bob1"), strings{R"(roomUserLeft["r","dave"])"});
}

TEST_F(lifecycle_test, an_instance_first_ends_what_its_earlier_life_left_behind) {
  add_room("r", chat.default_room_settings());
  leave_behind("instance", "carol1", "r");
  EXPECT_EQ(start(), "started");
  EXPECT_EQ(asked("execUserCommand", R"([{"bypassPermissions":true},"roomGetAccessList","r","userlist"])"), "[[]]");
  EXPECT_EQ(asked("getInstanceSockets", "[]"), "[{}]");
}

TEST_F(lifecycle_test, close_ends_connections_and_emits_closed) {
  proves("7.32", "8.41");
  start();
  connect("alice1");
  std::optional<std::string> close_said;
  hooks.on_close = [&close_said](std::optional<chat_error> error) {
    close_said = error ? std::string(error->code_name()) : "clean";
    return at_once(result<void>{});
  };
  chat.set_hooks(hooks);
  auto closing = chat.close();
  EXPECT_EQ(sinks["alice1"]->closed, std::vector<close_reason>{close_reason::server_shutdown});
  EXPECT_FALSE(closing.done());
  EXPECT_FALSE(close_said.has_value());
  disconnect("alice1");
  timers.run_posted();
  ASSERT_TRUE(closing.done());
  EXPECT_TRUE(closing.take().has_value());
  EXPECT_EQ(close_said, "clean");
  EXPECT_EQ(observed.back(), "closed{}");
  const std::size_t written = heartbeats();
  timers.advance(ms(60000));
  EXPECT_EQ(heartbeats(), written);
}

TEST_F(lifecycle_test, close_waits_for_running_commands_and_their_replies_still_reach_their_clients) {
  start();
  connect("alice1");
  completion<hook_answer> answer;
  hooks.before[command::list_own_sockets] = [answer](const hook_context&) { return later(answer); };
  chat.set_hooks(hooks);
  auto running = begin("alice1", "listOwnSockets", "[]");
  auto closing = chat.close();
  EXPECT_EQ(run("alice1", "roomGetOwner", R"(["r"])"), "unavailable[]");
  timers.advance(ms(14000));
  EXPECT_TRUE(sinks["alice1"]->closed.empty());
  answer.complete(hook_answer());
  EXPECT_EQ(outcome(running), R"([{"alice1":[]}])");
  EXPECT_TRUE(sinks["alice1"]->closed.empty());  // the reply goes out in this turn
  timers.run_posted();
  EXPECT_EQ(sinks["alice1"]->closed.size(), 1U);
  disconnect("alice1");
  timers.run_posted();
  EXPECT_TRUE(closing.take().has_value());
}

TEST_F(lifecycle_test, close_waits_no_longer_than_close_timeout) {
  start();
  connect("alice1");
  completion<hook_answer> answer;
  hooks.before[command::list_own_sockets] = [answer](const hook_context&) { return later(answer); };
  std::string close_said;
  hooks.on_close = [&close_said](std::optional<chat_error> error) {
    close_said = error ? std::string(error->code_name()) : "clean";
    return at_once(result<void>{});
  };
  chat.set_hooks(hooks);
  auto running = begin("alice1", "listOwnSockets", "[]");
  auto closing = chat.close();
  timers.advance(ms(15000));
  EXPECT_EQ(sinks["alice1"]->closed.size(), 1U);
  ASSERT_TRUE(closing.done());
  EXPECT_EQ(closing.take().error().code(), errc::timeout);
  EXPECT_EQ(close_said, "timeout");
  EXPECT_EQ(observed.back(), R"(closed{"error":"timeout"})");
  answer.complete(hook_answer());  // late answers harm nobody
  EXPECT_EQ(outcome(running), R"([{"alice1":[]}])");
}

TEST_F(lifecycle_test, an_onClose_that_fails_or_throws_is_the_outcome) {
  proves("7.32");
  start();
  hooks.on_close = [](std::optional<chat_error>) {
    result<void> answer = chat_error::custom("notNow");
    return at_once(answer);
  };
  chat.set_hooks(hooks);
  auto closing = chat.close();
  EXPECT_EQ(closing.take().error().code_name(), "notNow");
  EXPECT_EQ(observed.back(), R"(closed{"error":"notNow"})");
}

TEST_F(lifecycle_test, an_onClose_that_throws_is_an_internal_error) {
  hooks.on_close = [](std::optional<chat_error>) -> task<result<void>> { throw std::runtime_error("no"); };
  chat.set_hooks(hooks);
  auto closing = chat.close();
  EXPECT_EQ(closing.take().error().code(), errc::internal_error);
}

}  // namespace
}  // namespace roombus::test
