#include "adapters/socketio/engine_server.hpp"

#include "tests/adapters/socketio/engine_fixture.hpp"

namespace roombus::socketio {
namespace {

using engine_server_test = engine_fixture;

TEST_F(engine_server_test, opens_sessions_of_both_revisions) {
  const auto v4 = client.get("EIO=4&transport=polling");
  EXPECT_EQ(v4->body(), "0{\"sid\":\"" + session().sid() +
                            "\",\"upgrades\":[\"websocket\"],\"pingInterval\":300,\"pingTimeout\":200,"
                            "\"maxPayload\":1000000}");
  const auto v3 = client.get("EIO=3&transport=polling");
  EXPECT_EQ(v3->body().find(":0{"), 3U);
  EXPECT_EQ(server.session_count(), 2U);
}

struct refused {
  const char* name;
  const char* method;
  const char* query;
  const char* body;
};
const std::vector<refused> refusals = {
    {"no_transport", "GET", "EIO=4", R"({"code":0,"message":"Transport unknown"})"},
    {"unknown_transport", "GET", "EIO=4&transport=x", R"({"code":0,"message":"Transport unknown"})"},
    {"unknown_sid", "GET", "EIO=4&transport=polling&sid=x", R"({"code":1,"message":"Session ID unknown"})"},
    {"post", "POST", "EIO=4&transport=polling", R"({"code":2,"message":"Bad handshake method"})"},
    {"no_upgrade", "GET", "EIO=4&transport=websocket", R"({"code":3,"message":"Bad request"})"},
    {"no_eio", "GET", "transport=polling", R"({"code":5,"message":"Unsupported protocol version"})"},
    {"eio_2", "GET", "EIO=2&transport=polling", R"({"code":5,"message":"Unsupported protocol version"})"},
    {"eio_blank", "GET", "EIO=4+&transport=polling", R"({"code":5,"message":"Unsupported protocol version"})"},
};

TEST_F(engine_server_test, refuses_bad_handshakes_as_node_does) {
  for (const auto& c : refusals) {
    SCOPED_TRACE(c.name);
    const auto answer = client.request(c.method, c.query);
    EXPECT_EQ(answer->status(), 400U);
    EXPECT_EQ(answer->body(), c.body);
    const auto ws = client.upgrade(std::string(c.method) == "POST" ? "EIO=4" : c.query);
    EXPECT_EQ(ws->rejected.has_value(), std::string(c.name) != "no_upgrade");
  }
  EXPECT_EQ(server.session_count(), 0U);
  EXPECT_GT(count(bad_input::handshake), 0U);
  EXPECT_GT(count(bad_input::unknown_sid), 0U);
}

TEST_F(engine_server_test, refuses_another_revision_and_method_on_a_session) {
  const auto query = open_polling("4");
  const auto sid = session().sid();
  EXPECT_EQ(client.get("EIO=3&transport=polling&sid=" + sid)->status(), 400U);
  EXPECT_EQ(client.request("PUT", query)->status(), 400U);
  EXPECT_TRUE(session().is_open());
}

TEST_F(engine_server_test, sessions_that_show_nothing_make_room_oldest_first) {
  for (int i = 0; i < 4; ++i)
    open_polling("4");
  timers.run_posted();
  EXPECT_EQ(receivers[0]->ends, std::vector{session_end::overload});
  EXPECT_TRUE(sessions[1]->is_open());
  sessions[1]->set_established(true);
  for (int i = 0; i < 10; ++i)
    open_polling("4");
  EXPECT_TRUE(sessions[1]->is_open()) << "it has shown itself";
  EXPECT_FALSE(sessions[2]->is_open());
  EXPECT_EQ(server.session_count(), 4U);
  EXPECT_EQ(count(bad_input::overload), 10U);
}

TEST_F(engine_server_test, sessions_are_bounded) {
  for (int i = 0; i < 4; ++i) {
    open_polling("4");
    session().set_established(true);
  }
  EXPECT_EQ(client.get("EIO=4&transport=polling")->status(), 503U);
  EXPECT_EQ(client.upgrade("EIO=4&transport=websocket")->rejected->status, 503U);
  EXPECT_EQ(count(bad_input::overload), 2U);
  timers.advance(ms(600));
  EXPECT_EQ(server.session_count(), 0U);
  open_polling("4");
}

TEST_F(engine_server_test, websockets_that_open_later_are_bounded_too) {
  std::vector<std::shared_ptr<test::fake_upgrade>> waiting;
  for (int i = 0; i < 5; ++i)
    waiting.push_back(client.upgrade("EIO=4&transport=websocket"));
  for (int i = 0; i < 4; ++i) {
    waiting[i]->open();
    session().set_established(true);
  }
  waiting[4]->open();
  EXPECT_EQ(server.session_count(), 4U);
  EXPECT_EQ(waiting[4]->connection->close_code, 1013);
}

TEST_F(engine_server_test, a_websocket_that_went_before_it_opened_leaves_nothing) {
  const auto ws = client.upgrade("EIO=4&transport=websocket");
  ws->gone();
  ws->open();
  EXPECT_EQ(server.session_count(), 0U);
}

TEST_F(engine_server_test, answers_preflights) {
  const auto answer = client.request("OPTIONS", "EIO=4&transport=polling", {}, {{"origin", "http://a"}});
  EXPECT_EQ(answer->status(), 204U);
}

TEST_F(engine_server_test, close_all_ends_sessions_and_refuses_new_ones) {
  const auto polling = open_polling("4");
  const auto waiting = client.get(polling);
  const auto ws = open_websocket("4");
  server.close_all();
  timers.run_posted();
  EXPECT_EQ(waiting->body(), "1");
  EXPECT_EQ(ws->connection->close_code, 1000);
  for (const auto& r : receivers)
    EXPECT_EQ(r->ends, std::vector{session_end::server_close});
  EXPECT_EQ(server.session_count(), 0U);
  EXPECT_EQ(client.get("EIO=4&transport=polling")->status(), 503U);
}

class eio4_only : public engine_fixture {
 protected:
  eio4_only() : engine_fixture(without_eio3()) {}
  static engine_options without_eio3() {
    auto options = small();
    options.allow_eio3 = false;
    return options;
  }
};

TEST_F(eio4_only, refuses_eio_3) {
  EXPECT_EQ(client.get("EIO=3&transport=polling")->body(), R"({"code":5,"message":"Unsupported protocol version"})");
  EXPECT_EQ(client.get("EIO=4&transport=polling")->status(), 200U);
}

class addresses_test : public engine_fixture {
 protected:
  addresses_test() : engine_fixture(few()) {}
  static engine_options few() {
    engine_options options = small();
    options.max_sessions = 100;
    options.max_half_open = 100;
    options.max_sessions_per_address = 2;
    return options;
  }
};

TEST_F(addresses_test, an_address_has_so_many_sessions_whether_it_holds_connections_or_not) {
  const std::string first = open_polling("4");
  open_websocket("3");
  EXPECT_EQ(client.get("EIO=4&transport=polling")->status(), 503U);
  EXPECT_TRUE(client.upgrade("EIO=4&transport=websocket")->rejected);
  EXPECT_EQ(count(bad_input::overload), 2U);
  client.address = "192.0.2.7";
  open_polling("4");
  client.address = "127.0.0.1";
  client.post(first, "1");  // close
  timers.advance(ms(10'000));
  open_polling("4");
}

TEST_F(engine_fixture, little_is_kept_for_strangers) {
  engine_options options = small();
  options.max_pending_half_open = 500;
  engine_server strict(std::move(options), engine_environment{timers, time, random, registry},
                       [this](const std::shared_ptr<engine_session>& session) {
                         sessions.push_back(session);
                         receivers.push_back(std::make_shared<recording_receiver>());
                         return receivers.back();
                       });
  test::fake_client to_strict(strict);
  for (const bool known : {false, true}) {
    SCOPED_TRACE(known);
    EXPECT_EQ(to_strict.get("EIO=4&transport=polling")->status(), 200U);
    session().set_established(known);
    for (int i = 0; i < 10; ++i)
      session().send(make_text_message(std::string(20, 'x')));
    EXPECT_EQ(session().is_open(), known);
    const auto ws = to_strict.upgrade("EIO=3&transport=websocket");
    ws->open();
    session().set_established(known);
    ws->connection->queued = 501;  // it does not read
    ws->text("2");
    EXPECT_EQ(session().is_open(), known);
    EXPECT_EQ(ws->connection->close_code.has_value(), !known);
  }
}

}  // namespace
}  // namespace roombus::socketio
