// Connections of one user, direct messages and their rules (contract §2, §4, §5).

#include "tests/support/service_fixture.hpp"

namespace roombus::test {
namespace {

using events = std::vector<std::string>;

class service_users : public service_fixture {
 protected:
  void SetUp() override {
    connect("alice1");
    connect("alice2");
    connect("bob1");
    forget_events();
  }
};

TEST_F(service_users, connections_hear_of_each_other) {
  connect("alice3");
  EXPECT_EQ(take("alice1"), (events{R"(socketConnectEcho["alice3",3])"}));
  EXPECT_EQ(take("alice3"), events{});
  EXPECT_EQ(take("bob1"), events{});
  disconnect("alice3");
  EXPECT_EQ(take("alice2"), (events{R"(socketConnectEcho["alice3",3])", R"(socketDisconnectEcho["alice3",2])"}));
  disconnect("alice3");
  EXPECT_EQ(take("alice2"), events{});
}

TEST_F(service_users, bad_names_and_too_many_connections_are_refused) {
  auto connect_as = [&](const char* user, const char* id) {
    auto done = chat.connect(user_name(user), connection_id(id), std::make_shared<recording_sink>());
    const auto outcome = done.take();
    return outcome ? std::string("ok") : std::string(outcome.error().code_name());
  };
  EXPECT_EQ(connect_as("a:b", "x"), "invalidName");
  EXPECT_EQ(connect_as("", "x"), "invalidName");
  EXPECT_EQ(connect_as("carol", "bob1"), "invalidSocket") << "an id is one connection's";
}

TEST_F(service_users, system_messages_go_to_the_other_connections) {
  EXPECT_EQ(run("alice1", "systemMessage", R"([{"sync":[1,null]}])"), "[null]");
  EXPECT_EQ(take("alice1"), events{});
  EXPECT_EQ(take("alice2"), (events{R"(systemMessage[{"sync":[1,null]}])"}));
  EXPECT_EQ(take("bob1"), events{});
}

TEST_F(service_users, direct_message_reaches_all_and_is_echoed) {
  EXPECT_EQ(run("bob1", "directMessage", R"(["alice",{"textMessage":"hi","author":"eve"}])"),
            R"([{"textMessage":"hi","author":"bob","timestamp":1000}])");
  const events got{R"(directMessage[{"textMessage":"hi","author":"bob","timestamp":1000}])"};
  EXPECT_EQ(take("alice1"), got);
  EXPECT_EQ(take("alice2"), got);
  EXPECT_EQ(take("bob1"), events{});
  run("alice1", "directMessage", R"(["bob",{}])");
  EXPECT_EQ(take("alice2"), (events{R"(directMessageEcho["bob",{"author":"alice","timestamp":1000}])"}));
}

TEST_F(service_users, direct_message_checks_in_order) {
  connect("carol1");
  disconnect("carol1");
  EXPECT_EQ(run("bob1", "directMessage", R"(["nobody",{}])"), R"(noUser["nobody"])");
  EXPECT_EQ(run("bob1", "directMessage", R"(["bob",{}])"), "notAllowed[]");
  EXPECT_EQ(run("bob1", "directMessage", R"(["carol",{}])"), R"(noUserOnline["carol"])");
  run("alice1", "directAddToList", R"(["blacklist",["bob"]])");
  EXPECT_EQ(run("bob1", "directMessage", R"(["alice",{}])"), "notAllowed[]");
  run("alice1", "directRemoveFromList", R"(["blacklist",["bob"]])");
  run("alice1", "directSetWhitelistMode", "[true]");
  EXPECT_EQ(run("alice1", "directGetWhitelistMode", "[]"), "[true]");
  EXPECT_EQ(run("bob1", "directMessage", R"(["alice",{}])"), "notAllowed[]");
  run("alice1", "directAddToList", R"(["whitelist",["bob"]])");
  EXPECT_EQ(run("alice1", "directGetAccessList", R"(["whitelist"])"), R"([["bob"]])");
  EXPECT_EQ(run("bob1", "directMessage", R"(["alice",{}])").front(), '[');
}

TEST_F(service_users, direct_lists_refuse_own_name_and_unknown_lists) {
  EXPECT_EQ(run("alice1", "directAddToList", R"(["blacklist",["alice"]])"), "notAllowed[]");
  EXPECT_EQ(run("alice1", "directRemoveFromList", R"(["blacklist",["alice"]])"), "notAllowed[]");
  EXPECT_EQ(run("alice1", "directAddToList", R"(["adminlist",["bob"]])"), R"(noList["adminlist"])");
  EXPECT_EQ(run("alice1", "directGetAccessList", R"(["userlist"])"), R"(noList["userlist"])");
}

TEST_F(service_users, direct_messages_are_off_by_default) {
  service strict(chat_options{}, chat_limits{}, "i", service::environment{*data, time, random, timers, log, metrics});
  call c;
  c.user = user_name("bob");
  c.command = "directMessage";
  c.args = {value("nobody"), value(value_map{})};
  auto done = strict.execute(std::move(c));
  EXPECT_EQ(shown(done.take()), "notAllowed[]") << "the option is checked before the user";
}

TEST_F(service_users, own_sockets_with_their_rooms) {
  add_room("r", room_settings());
  run("alice2", "roomJoin", R"(["r"])");
  EXPECT_EQ(run("alice1", "listOwnSockets", "[]"), R"([{"alice1":[],"alice2":["r"]}])");
}

TEST_F(service_users, local_calls_echo_to_all_connections) {
  call c;
  c.user = user_name("alice");
  c.id = connection_id("alice1");
  c.local = true;
  c.command = "systemMessage";
  c.args = {value(1)};
  run(std::move(c));
  EXPECT_EQ(take("alice1"), (events{"systemMessage[1]"}));
  EXPECT_EQ(take("alice2"), (events{"systemMessage[1]"}));
}

TEST_F(service_users, closing_refuses_closes_and_waits_for_the_ends) {
  auto closing = chat.close();
  EXPECT_EQ(sinks["alice1"]->closed, std::vector<close_reason>{close_reason::server_shutdown});
  EXPECT_EQ(run("alice1", "listOwnSockets", "[]"), "unavailable[]");
  auto refused = chat.connect(user_name("zoe"), connection_id("z"), std::make_shared<recording_sink>());
  EXPECT_EQ(refused.take().error().code(), errc::unavailable);
  for (const char* id : {"alice1", "alice2", "bob1"}) {
    EXPECT_FALSE(closing.done());
    disconnect(id);
  }
  timers.run_posted();
  ASSERT_TRUE(closing.done());
  EXPECT_TRUE(closing.take().has_value());
}

TEST_F(service_users, closing_gives_up_on_connections_that_do_not_end) {
  auto closing = chat.close();
  timers.advance(std::chrono::milliseconds(14999));
  EXPECT_FALSE(closing.done());
  timers.advance(std::chrono::milliseconds(1));
  ASSERT_TRUE(closing.done());
  EXPECT_EQ(closing.take().error().code(), errc::timeout);
}

}  // namespace
}  // namespace roombus::test
