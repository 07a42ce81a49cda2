// What a login may do at most (core/login_rights.hpp), on every transport and through hooks and the server API.

#include "core/login_rights.hpp"
#include "tests/support/service_fixture.hpp"

namespace roombus::test {
namespace {

login_rights limited(std::optional<std::vector<std::string>> join, std::optional<std::vector<std::string>> publish) {
  const auto rooms = [](const std::optional<std::vector<std::string>>& names) {
    std::optional<std::vector<room_name>> out;
    if (names) out.emplace(names->begin(), names->end());
    return out;
  };
  login_rights rights;
  rights.join = rooms(join);
  rights.publish = rooms(publish);
  return rights;
}

login_rights admin() {
  login_rights rights;
  rights.admin = true;
  return rights;
}

class rights_of_logins : public service_fixture {
 protected:
  explicit rights_of_logins(chat_options options = all_on()) : service_fixture(options) {
    for (const char* room : {"a", "b", "c"}) {
      room_settings settings;
      settings.owner = user_name("owner");
      add_room(room, std::move(settings));
    }
  }

  void connect_with(const std::string& id, login_rights rights) {
    sinks[id] = std::make_shared<recording_sink>();
    auto done = chat.connect(user_name(user_of(id)), connection_id(id), sinks[id], false, std::move(rights));
    ASSERT_TRUE(done.take().has_value());
  }

  std::string run_locally(const std::string& id, const std::string& command, const std::string& args, bool bypass) {
    call c;
    c.id = connection_id(id);
    c.user = user_name(user_of(id));
    c.command = command;
    c.args = *json::read(args, codec_limits{})->if_list();
    c.local = true;
    c.bypass_permissions = bypass;
    return shown(run(std::move(c)));
  }
  using service_fixture::run;
};

TEST_F(rights_of_logins, rooms_outside_of_join_are_out_of_reach_with_every_command) {
  connect_with("bob1", limited({{"a", "b"}}, std::nullopt));
  EXPECT_EQ(run("bob1", "roomJoin", R"(["a"])"), "[1]");
  EXPECT_EQ(run("bob1", "roomMessage", R"(["a",{"x":1}])"), "[1]");
  for (const command_descriptor& cmd : all_commands()) {
    if (!cmd.name.starts_with("room") || cmd.id == command::room_leave) continue;
    value_list args;
    for (const argument_descriptor& argument : cmd.arguments) {
      switch (argument.type) {
        case argument_type::text:
          args.emplace_back(args.empty() ? "c" : "blacklist");
          break;
        case argument_type::text_list:
          args.emplace_back(value_list());
          break;
        case argument_type::boolean:
          args.emplace_back(false);
          break;
        case argument_type::message:
        case argument_type::anything:
          args.emplace_back(value_map());
          break;
        case argument_type::from_zero:
        case argument_type::from_one:
          args.emplace_back(1);
          break;
      }
    }
    EXPECT_EQ(run("bob1", std::string(cmd.name), json::write(value(args))), "notAllowed[]") << cmd.name;
  }
  EXPECT_EQ(run("bob1", "roomJoin", R"(["none"])"), "notAllowed[]") << "whether a room exists is not told either";
  EXPECT_EQ(run("bob1", "roomLeave", R"(["c"])"), "[0]");
  EXPECT_EQ(run("bob1", "roomJoin", R"(["A"])"), "notAllowed[]") << "byte for byte";
  EXPECT_EQ(run("bob1", "roomJoin", R"(["a "])"), "notAllowed[]");
}

TEST_F(rights_of_logins, publish_limits_messages_only) {
  connect_with("bob1", limited(std::nullopt, {{"a"}}));
  for (const char* room : {R"(["a"])", R"(["b"])"})
    EXPECT_EQ(run("bob1", "roomJoin", room), "[1]");
  EXPECT_EQ(run("bob1", "roomMessage", R"(["a",{"x":1}])"), "[1]");
  EXPECT_EQ(run("bob1", "roomMessage", R"(["b",{"x":1}])"), "notAllowed[]");
  EXPECT_EQ(run("bob1", "roomRecentHistory", R"(["b"])"), "[[]]");
}

TEST_F(rights_of_logins, an_empty_list_is_nothing_and_publish_needs_join) {
  connect_with("bob1", limited(std::vector<std::string>{}, std::nullopt));
  connect_with("carol1", limited({{"a"}}, {{"b"}}));
  EXPECT_EQ(run("bob1", "roomJoin", R"(["a"])"), "notAllowed[]");
  EXPECT_EQ(run("carol1", "roomJoin", R"(["a"])"), "[1]");
  EXPECT_EQ(run("carol1", "roomMessage", R"(["a",{"x":1}])"), "notAllowed[]");
  EXPECT_EQ(run("carol1", "roomMessage", R"(["b",{"x":1}])"), "notAllowed[]");
  EXPECT_EQ(run("bob1", "listOwnSockets", "[]"), R"([{"bob1":[]}])") << "what is about no room is not limited";
}

TEST_F(rights_of_logins, another_connection_of_the_user_gives_nothing) {
  connect("bob1");
  connect_with("bob2", limited({{"b"}}, std::nullopt));
  EXPECT_EQ(run("bob1", "roomJoin", R"(["a"])"), "[1]");
  EXPECT_EQ(run("bob2", "roomMessage", R"(["a",{"x":1}])"), "notAllowed[]");
  EXPECT_EQ(run("bob2", "roomRecentHistory", R"(["a"])"), "notAllowed[]");
}

TEST_F(rights_of_logins, without_the_connection_there_is_nothing_that_would_be_allowed) {
  connect("bob1");
  EXPECT_EQ(run("bob1", "roomJoin", R"(["a"])"), "[1]");
  EXPECT_EQ(run("bob2", "roomMessage", R"(["a",{"x":1}])"), R"(invalidSocket["bob2"])");
}

TEST_F(rights_of_logins, they_end_with_the_connection) {
  connect_with("bob1", limited({{"a"}}, std::nullopt));
  disconnect("bob1");
  connect("bob1");
  EXPECT_EQ(run("bob1", "roomJoin", R"(["c"])"), "[1]");
}

TEST_F(rights_of_logins, a_hook_that_names_another_room_does_not_pass_them) {
  service_hooks hooks;
  hooks.before[command::room_join] = [](const hook_context&) -> task<hook_answer> {
    hook_answer answer;
    answer.args = value_list{value("c")};
    co_return answer;
  };
  chat.set_hooks(std::move(hooks));
  connect_with("bob1", limited({{"a"}}, std::nullopt));
  EXPECT_EQ(run("bob1", "roomJoin", R"(["a"])"), "notAllowed[]");
}

TEST_F(rights_of_logins, the_server_api_passes_them_with_bypass_only_and_never_joins) {
  connect_with("bob1", limited({{"a"}}, std::nullopt));
  EXPECT_EQ(run_locally("bob1", "roomGetOwner", R"(["c"])", false), "notAllowed[]");
  EXPECT_EQ(run_locally("bob1", "roomGetOwner", R"(["c"])", true), R"(["owner"])");
  EXPECT_EQ(run_locally("bob1", "roomJoin", R"(["c"])", true), "notAllowed[]");
  EXPECT_EQ(run_locally("bob1", "roomJoin", R"(["a"])", false), "[1]");
}

TEST_F(rights_of_logins, a_connection_may_be_closed_by_its_id) {
  connect("bob1");
  connect("bob2");
  EXPECT_TRUE(chat.close_connection(connection_id("bob1"), close_reason::disconnected));
  EXPECT_FALSE(chat.close_connection(connection_id("bob3"), close_reason::disconnected));
  EXPECT_EQ(sinks["bob1"]->closed, std::vector<close_reason>{close_reason::disconnected});
  EXPECT_TRUE(sinks["bob2"]->closed.empty());
}

class rights_of_admins : public rights_of_logins {
 protected:
  rights_of_admins() : rights_of_logins(chat_options()) {}
};

TEST_F(rights_of_admins, they_manage_rooms_that_are_not_theirs) {
  connect_with("root1", admin());
  connect("bob1");
  EXPECT_EQ(run("root1", "roomCreate", R"(["new",true])"), "[null]");
  EXPECT_EQ(run("bob1", "roomCreate", R"(["other",true])"), "notAllowed[]");
  EXPECT_EQ(run("root1", "roomAddToList", R"(["a","adminlist",["bob"]])"), "[null]");
  EXPECT_EQ(run("root1", "roomGetAccessList", R"(["a","adminlist"])"), R"([["bob"]])");
  EXPECT_EQ(run("root1", "roomMessage", R"(["a",{"x":1}])"), "[1]");
  EXPECT_EQ(run("root1", "roomDelete", R"(["a"])"), "[null]");
  EXPECT_EQ(run("root1", "directMessage", R"(["bob",{"x":1}])"), "notAllowed[]") << "rooms only";
}

TEST_F(rights_of_admins, they_join_like_everybody) {
  room_settings settings;
  settings.whitelist_only = true;
  add_room("closed", std::move(settings));
  connect_with("root1", admin());
  EXPECT_EQ(run("root1", "roomJoin", R"(["closed"])"), "notAllowed[]");
}

TEST_F(rights_of_admins, they_stay_within_join_and_publish) {
  login_rights rights = limited({{"a"}}, std::vector<std::string>{});
  rights.admin = true;
  connect_with("root1", std::move(rights));
  EXPECT_EQ(run("root1", "roomGetOwner", R"(["a"])"), R"(["owner"])");
  EXPECT_EQ(run("root1", "roomMessage", R"(["a",{"x":1}])"), "notAllowed[]");
  EXPECT_EQ(run("root1", "roomDelete", R"(["b"])"), "notAllowed[]");
  EXPECT_EQ(run("root1", "roomCreate", R"(["new",false])"), "notAllowed[]");
}

TEST_F(rights_of_admins, the_histories_they_read_are_as_long_as_for_everybody) {
  connect_with("root1", admin());
  for (int i = 0; i < 101; ++i)
    run("root1", "roomMessage", R"(["a",{"x":1}])");
  call c;
  c.user = user_name("root");
  c.id = connection_id("root1");
  c.command = "roomHistoryGet";
  c.args = *json::read(R"(["a",0,1000])", codec_limits{})->if_list();
  const reply answer = run(std::move(c));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->front().if_list()->size(), 100U);
}

}  // namespace
}  // namespace roombus::test
