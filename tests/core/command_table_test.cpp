#include "core/command_table.hpp"

#include <gtest/gtest.h>

#include <set>

#include "core/event.hpp"
#include "schemas/codec/json.hpp"

namespace roombus {
namespace {

TEST(command_table, has_the_contracts_24_commands_each_in_its_row) {
  ASSERT_EQ(all_commands().size(), 24U);
  std::set<std::string_view> names;
  for (const command_descriptor& cmd : all_commands()) {
    EXPECT_TRUE(names.insert(cmd.name).second) << cmd.name;
    EXPECT_EQ(&describe(cmd.id), &cmd);
    EXPECT_EQ(find_command(cmd.name), &cmd);
    EXPECT_FALSE(cmd.help.empty());
  }
  EXPECT_EQ(find_command("nosuch"), nullptr);
  EXPECT_EQ(find_command(""), nullptr);
}

TEST(notification_table, each_row_is_where_its_id_says) {
  EXPECT_EQ(all_notifications().size(), 16U);
  for (const notification_descriptor& n : all_notifications())
    EXPECT_EQ(&describe(n.id), &n) << n.name;
}

struct argument_case {
  const char* command;
  const char* args;
  const char* error;  // "" for none
};

const argument_case argument_cases[] = {
    {"roomJoin", R"(["r"])", ""},
    {"roomJoin", R"([])", "wrongArgumentsCount[1,0]"},
    {"roomJoin", R"([1])", "badArgument[0,1]"},
    {"roomJoin", R"([null])", "badArgument[0,null]"},
    {"roomCreate", R"(["r",true])", ""},
    {"roomCreate", R"(["r","true"])", R"(badArgument[1,"true"])"},
    {"roomHistoryGet", R"(["r",0,1])", ""},
    {"roomHistoryGet", R"(["r",2.5,1.5])", ""},
    {"roomHistoryGet", R"(["r",-1,1])", "badArgument[1,-1]"},
    {"roomHistoryGet", R"(["r",0,0])", "badArgument[2,0]"},
    {"roomHistoryGet", R"(["r",0,0.5])", "badArgument[2,0.5]"},
    {"roomHistoryGet", R"(["r","0",1])", R"(badArgument[1,"0"])"},
    {"roomAddToList", R"(["r","whitelist",["a","b"]])", ""},
    {"roomAddToList", R"(["r","whitelist",["a",1]])", R"(badArgument[2,["a",1]])"},
    {"roomAddToList", R"(["r","whitelist","a"])", R"(badArgument[2,"a"])"},
    {"roomMessage", R"(["r",{"any":[1]}])", ""},
    {"roomMessage", R"(["r",[1]])", "badArgument[1,[1]]"},
    {"systemMessage", R"([null])", ""},
    {"systemMessage", R"([])", "wrongArgumentsCount[1,0]"},
    {"listOwnSockets", R"([])", ""},
};

TEST(check_arguments, tells_count_then_position_and_value) {
  for (const argument_case& c : argument_cases) {
    const value args = *json::read(c.args, codec_limits{});
    auto checked = check_arguments(*find_command(c.command), *args.if_list(), message_format::object);
    std::string got;
    if (!checked) got = std::string(checked.error().code_name()) + json::write(value(checked.error().args()));
    EXPECT_EQ(got, c.error) << c.command << c.args;
  }
}

TEST(check_arguments, text_format_takes_textMessage_alone) {
  const command_descriptor& cmd = describe(command::room_message);
  const std::pair<const char*, bool> cases[] = {
      {R"({"textMessage":"hi"})", true},           {R"({"textMessage":""})", true}, {R"({"textMessage":1})", false},
      {R"({"textMessage":"hi","more":1})", false}, {R"({"other":"hi"})", false},    {R"({})", false}};
  for (const auto& [message, accepted] : cases) {
    value_list args{value("room"), *json::read(message, codec_limits{})};
    EXPECT_EQ(check_arguments(cmd, args, message_format::text).has_value(), accepted) << message;
  }
}

TEST(positional_arguments, by_name_in_any_order_with_options_behind) {
  auto args =
      positional_arguments(describe(command::room_history_get),
                           {{"limit", value(5)}, {"room", value("r")}, {"id", value(1)}, {"options", value_map{}}});
  ASSERT_TRUE(args);
  EXPECT_EQ(json::write(value(*args)), R"(["r",1,5,{}])");
}

TEST(positional_arguments, missing_ones_count_as_missing) {
  auto args = positional_arguments(describe(command::room_history_get), {{"room", value("r")}});
  ASSERT_TRUE(args);
  EXPECT_EQ(args->size(), 1U);
}

TEST(positional_arguments, unknown_names_are_refused) {
  auto args = positional_arguments(describe(command::room_join), {{"rom", value("r")}});
  ASSERT_FALSE(args);
  EXPECT_EQ(args.error().code(), errc::bad_argument);
}

}  // namespace
}  // namespace roombus
