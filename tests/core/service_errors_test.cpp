// What a command answers when things are missing or break.

#include <stdexcept>

#include "tests/support/service_fixture.hpp"

namespace roombus::test {
namespace {

class service_errors : public service_fixture {
 protected:
  void SetUp() override { connect("alice1"); }
};

TEST_F(service_errors, unknown_commands_are_answered) {
  EXPECT_EQ(run("alice1", "nosuch", "[1,2]"), R"(noCommand["nosuch"])");
  EXPECT_EQ(run("alice1", "", "[]"), R"(noCommand[""])");
}

TEST_F(service_errors, every_room_command_answers_noRoom_first) {
  for (const command_descriptor& cmd : all_commands()) {
    if (cmd.arguments.empty() || cmd.arguments[0].name != "room" || cmd.id == command::room_create) continue;
    value_list args;
    for (const argument_descriptor& a : cmd.arguments) {
      switch (a.type) {
        case argument_type::text:
          args.emplace_back("none");
          break;
        case argument_type::text_list:
          args.emplace_back(value_list{value("x")});
          break;
        case argument_type::boolean:
          args.emplace_back(true);
          break;
        case argument_type::from_zero:
        case argument_type::from_one:
          args.emplace_back(1);
          break;
        case argument_type::message:
          args.emplace_back(value_map{});
          break;
        case argument_type::anything:
          args.emplace_back();
          break;
      }
    }
    EXPECT_EQ(run("alice1", std::string(cmd.name), json::write(value(args))), R"(noRoom["none"])") << cmd.name;
  }
}

/// A clock that breaks whoever asks it.
class failing_clock final : public clock {
 public:
  [[nodiscard]] std::int64_t now_ms() const override { throw std::runtime_error("no time"); }
  [[nodiscard]] std::int64_t steady_ms() const override { return 0; }
};

TEST_F(service_errors, a_fault_inside_is_logged_and_answered) {
  add_room("r", room_settings());
  failing_clock broken;
  service faulty(all_on(), chat_limits{}, "i", service::environment{*data, broken, random, timers, log, metrics});
  call c;
  c.user = user_name("alice");
  c.command = "roomMessage";
  c.args = {value("r"), value(value_map{})};
  auto done = faulty.execute(std::move(c));
  EXPECT_EQ(shown(done.take()), R"(internalError["internal fault"])");
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_NE(log.lines[0].find("no time"), std::string::npos);
}

TEST_F(service_errors, failures_and_commands_are_counted) {
  run("alice1", "nosuch", "[]");
  run("alice1", "listOwnSockets", "[]");
  const std::string text = metrics.render();
  EXPECT_NE(text.find("roombus_command_errors_total 1\n"), std::string::npos) << text;
  EXPECT_NE(text.find("roombus_commands_total{command=\"listOwnSockets\"} 1\n"), std::string::npos);
}

}  // namespace
}  // namespace roombus::test
