// Permissions that act at once (contract §3).

#include "tests/support/service_fixture.hpp"

namespace roombus::test {
namespace {

using events = std::vector<std::string>;

class service_permissions : public service_fixture {
 protected:
  void SetUp() override {
    for (const char* id : {"owner1", "admin1", "bob1", "bob2", "carol1"})
      connect(id);
    run("owner1", "roomCreate", R"(["r",false])");
    run("owner1", "roomAddToList", R"(["r","adminlist",["admin"]])");
    for (const char* id : {"owner1", "admin1", "bob1", "bob2", "carol1"})
      run(id, "roomJoin", R"(["r"])");
    forget_events();
  }

  std::string users() { return run("owner1", "roomGetAccessList", R"(["r","userlist"])"); }
};

TEST_F(service_permissions, blacklisting_removes_all_connections_and_tells_everybody) {
  EXPECT_EQ(run("admin1", "roomAddToList", R"(["r","blacklist",["bob"]])"), "[null]");
  EXPECT_EQ(take("carol1"), (events{R"(roomAccessListAdded["r","blacklist",["bob"]])", R"(roomUserLeft["r","bob"])"}));
  EXPECT_EQ(take("bob1"), (events{R"(roomAccessRemoved["r"])"}));
  EXPECT_EQ(take("bob2"), (events{R"(roomAccessRemoved["r"])"}));
  EXPECT_EQ(users(), R"([["admin","carol","owner"]])");
  EXPECT_EQ(run("bob1", "roomMessage", R"(["r",{"x":1}])"), R"(notJoined["r"])");
  EXPECT_EQ(run("bob1", "roomJoin", R"(["r"])"), "notAllowed[]");
  EXPECT_EQ(run("carol1", "roomMessage", R"(["r",{"x":1}])"), "[1]");
  EXPECT_EQ(take("bob1"), events{});
  EXPECT_EQ(run("bob1", "listOwnSockets", "[]"), R"([{"bob1":[],"bob2":[]}])");
}

TEST_F(service_permissions, adding_what_is_there_tells_nobody) {
  run("admin1", "roomAddToList", R"(["r","whitelist",["zoe"]])");
  forget_events();
  EXPECT_EQ(run("admin1", "roomAddToList", R"(["r","whitelist",["zoe"]])"), "[null]");
  EXPECT_EQ(run("admin1", "roomRemoveFromList", R"(["r","whitelist",["nobody"]])"), "[null]");
  EXPECT_EQ(run("admin1", "roomAddToList", R"(["r","whitelist",[]])"), "[null]");
  EXPECT_EQ(take("carol1"), events{});
}

TEST_F(service_permissions, whitelist_mode_removes_who_is_not_listed_but_never_owner_or_admins) {
  run("admin1", "roomAddToList", R"(["r","whitelist",["carol"]])");
  forget_events();
  EXPECT_EQ(run("admin1", "roomSetWhitelistMode", R"(["r",true])"), "[null]");
  EXPECT_EQ(users(), R"([["admin","carol","owner"]])");
  EXPECT_EQ(take("carol1"), (events{R"(roomModeChanged["r",true])", R"(roomUserLeft["r","bob"])"}));
  EXPECT_EQ(take("bob1"), (events{R"(roomAccessRemoved["r"])"}));
  EXPECT_EQ(run("admin1", "roomRemoveFromList", R"(["r","whitelist",["carol"]])"), "[null]");
  EXPECT_EQ(users(), R"([["admin","owner"]])");
}

TEST_F(service_permissions, admins_are_immune_until_they_lose_the_right) {
  EXPECT_EQ(run("owner1", "roomAddToList", R"(["r","blacklist",["admin"]])"), "[null]");
  EXPECT_EQ(users(), R"([["admin","bob","carol","owner"]])");
  EXPECT_EQ(run("owner1", "roomRemoveFromList", R"(["r","adminlist",["admin"]])"), "[null]");
  EXPECT_EQ(users(), R"([["bob","carol","owner"]])");
}

struct edit_case {
  const char* who;
  const char* command;
  const char* args;
  const char* answer;
};

const edit_case edit_cases[] = {
    {"owner1", "roomAddToList", R"(["r","userlist",["x"]])", "notAllowed[]"},
    {"admin1", "roomAddToList", R"(["r","adminlist",["x"]])", "notAllowed[]"},
    {"admin1", "roomAddToList", R"(["r","blacklist",["owner"]])", "notAllowed[]"},
    {"admin1", "roomRemoveFromList", R"(["r","whitelist",["owner"]])", "notAllowed[]"},
    {"bob1", "roomAddToList", R"(["r","blacklist",["carol"]])", "notAllowed[]"},
    {"bob1", "roomSetWhitelistMode", R"(["r",true])", "notAllowed[]"},
    {"owner1", "roomAddToList", R"(["r","nolist",["x"]])", R"(noList["nolist"])"},
    {"owner1", "roomGetAccessList", R"(["r","nolist"])", R"(noList["nolist"])"},
    {"owner1", "roomAddToList", R"(["r","blacklist",["a:b"]])", R"(invalidName["a:b"])"},
    {"owner1", "roomAddToList", R"(["none","blacklist",["x"]])", R"(noRoom["none"])"},
};

TEST_F(service_permissions, refused_edits) {
  for (const edit_case& c : edit_cases)
    EXPECT_EQ(run(c.who, c.command, c.args), c.answer) << c.who << c.args;
  EXPECT_EQ(take("carol1"), events{});
}

TEST_F(service_permissions, reading_needs_to_be_joined_or_admin) {
  run("bob1", "roomLeave", R"(["r"])");
  run("bob2", "roomLeave", R"(["r"])");
  run("admin1", "roomLeave", R"(["r"])");
  const std::pair<const char*, const char*> reads[] = {{"roomRecentHistory", R"(["r"])"},
                                                       {"roomHistoryGet", R"(["r",0,1])"},
                                                       {"roomHistoryInfo", R"(["r"])"},
                                                       {"roomUserSeen", R"(["r","bob"])"},
                                                       {"roomGetAccessList", R"(["r","userlist"])"},
                                                       {"roomGetOwner", R"(["r"])"},
                                                       {"roomGetWhitelistMode", R"(["r"])"},
                                                       {"roomNotificationsInfo", R"(["r"])"}};
  for (const auto& [command, args] : reads) {
    EXPECT_EQ(run("bob1", command, args), R"(notJoined["r"])") << command;
    EXPECT_EQ(run("admin1", command, args).front(), '[') << command;
  }
  EXPECT_EQ(run("admin1", "roomMessage", R"(["r",{"x":1}])"), R"(notJoined["r"])");
}

TEST_F(service_permissions, a_list_over_its_limit_is_refused_whole) {
  chat_options options = all_on();
  options.room_list_size_limit = 2;
  service small(options, chat_limits{}, "i", service::environment{*data, time, random, timers, log, metrics});
  auto edit = [&](const char* args) {
    call c;
    c.user = user_name("owner");
    c.command = "roomAddToList";
    c.args = *json::read(args, codec_limits{})->if_list();
    auto done = small.execute(std::move(c));
    return shown(done.take());
  };
  EXPECT_EQ(edit(R"(["r","whitelist",["a","b","a"]])"), "[null]");
  EXPECT_EQ(edit(R"(["r","whitelist",["b","c"]])"), R"(listLimitExceeded["whitelist"])");
  EXPECT_EQ(edit(R"(["r","whitelist",["a","b"]])"), "[null]");
  EXPECT_EQ(run("owner1", "roomGetAccessList", R"(["r","whitelist"])"), R"([["a","b"]])");
}

}  // namespace
}  // namespace roombus::test
