#include "adapters/socketio/chat_namespace.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "adapters/auth/dev_authenticator.hpp"
#include "adapters/memory/memory_store.hpp"
#include "adapters/socketio/socketio_server.hpp"
#include "tests/adapters/socketio/fake_http.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::socketio {
namespace {

using strings = std::vector<std::string>;

/// Answers when the test says so.
struct slow_authenticator final : authenticator {
  task<result<login>> authenticate(connection_id, handshake) override {
    result<login> answer = co_await decision;
    co_return answer;
  }
  completion<result<login>> decision;
};

class chat_namespace_test : public ::testing::Test {
 protected:
  explicit chat_namespace_test(chat_options options = {})
      : chat(std::move(options), {}, "instance", service::environment{*data, time, random, timers, log, metrics}) {
    server_.add_namespace("/chat-service", nsp);
    room_settings settings;
    settings.enable_userlist_updates = true;
    auto added = chat.add_room(room_name("r"), std::move(settings));
    EXPECT_TRUE(added.take().has_value());
  }

  /// A client that asked to log in by query; what it was sent is taken, up to the answer.
  std::shared_ptr<test::fake_upgrade> connect(const std::string& eio, const std::string& user) {
    auto ws = client.upgrade("EIO=" + eio + "&transport=websocket" + (user.empty() ? "" : "&user=" + user));
    ws->open();
    ws->connection->take();
    ws->text("40/chat-service,");
    ws->connection->frames.erase(ws->connection->frames.begin());
    return ws;
  }
  strings ask(test::fake_upgrade& ws, const std::string& text) {
    ws.connection->take();
    ws.text("42/chat-service," + text);
    timers.run_posted();
    return ws.connection->take();
  }

  test::fake_clock time;
  test::fake_scheduler timers{time};
  test::fake_random random;
  test::recording_log log;
  metrics_registry metrics;
  std::unique_ptr<store> data = make_memory_store(time);
  service chat;
  dev_authenticator auth{network_list::loopback(), log};
  chat_namespace nsp{chat_environment{chat, auth, metrics, log, timers, time}};
  server server_{{}, engine_environment{timers, time, random, metrics}};
  test::fake_client client{server_.requests()};
};

TEST_F(chat_namespace_test, confirms_a_login) {
  const auto ws = connect("3", "alice");
  const auto frames = ws->connection->take();
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].find(R"(42/chat-service,["loginConfirmed","alice",{"id":"/chat-service#)"), 0U) << frames[0];
  EXPECT_EQ(chat.connection_count(), 1U);
  ws->gone();
  timers.run_posted();
  EXPECT_EQ(chat.connection_count(), 0U);
}

TEST_F(chat_namespace_test, rejects_a_login_and_leaves_the_namespace) {
  const auto ws = connect("4", "");
  EXPECT_EQ(
      ws->connection->take(),
      (strings{R"(42/chat-service,["loginRejected","ChatServiceError: No login provided"])", "41/chat-service,"}));
  EXPECT_FALSE(ws->connection->close_code);
  EXPECT_EQ(chat.connection_count(), 0U);
}

TEST_F(chat_namespace_test, rejects_a_name_that_is_none) {
  const auto ws = connect("4", "a%3Ab");
  const auto frames = ws->connection->take();
  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].find(R"(42/chat-service,["loginRejected","ChatServiceError: String a:b)"), 0U) << frames[0];
}

TEST_F(chat_namespace_test, answers_commands) {
  const auto ws = connect("4", "alice");
  EXPECT_EQ(ask(*ws, R"(1["roomJoin","nowhere"])"),
            strings{R"(43/chat-service,1["ChatServiceError: No such room nowhere",null])"});
  EXPECT_EQ(ask(*ws, R"(2["roomJoin","r"])"),
            (strings{R"(42/chat-service,["roomUserJoined","r","alice"])", "43/chat-service,2[null,1]"}));
  EXPECT_EQ(ask(*ws, R"(3["systemMessage",1])"), strings{"43/chat-service,3[null,null]"});
  EXPECT_EQ(ask(*ws, R"(4["nonsense",1])"),
            strings{R"(43/chat-service,4["ChatServiceError: No such command nonsense",null])"});
  EXPECT_EQ(ask(*ws, R"(["roomLeave","r"])"), strings()) << "no ack was asked for";
}

TEST_F(chat_namespace_test, answers_with_more_than_one_result) {
  const auto ws = connect("4", "alice");
  ask(*ws, R"(1["roomJoin","r"])");
  const auto frames = ask(*ws, R"(2["roomRecentHistory","r",{}])");
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].find(R"(43/chat-service,2[null,[],{"gap":false,)"), 0U) << frames[0];
}

TEST_F(chat_namespace_test, binary_messages_reach_both_protocols) {
  const auto sender = connect("4", "alice");
  const auto reader = connect("3", "bob");
  ask(*sender, R"(["roomJoin","r"])");
  ask(*reader, R"(["roomJoin","r"])");
  sender->connection->take();
  sender->text(R"(451-/chat-service,9["roomMessage","r",{"data":{"_placeholder":true,"num":0}}])");
  sender->binary("\x01\x02");
  const auto at_sender = sender->connection->take();
  ASSERT_EQ(at_sender.size(), 3U);
  EXPECT_EQ(at_sender[0].find(R"(451-/chat-service,["roomMessage","r",{"data":{"_placeholder":true,"num":0},)"), 0U);
  EXPECT_EQ(at_sender[1], "bin:\x01\x02");
  EXPECT_EQ(at_sender[2], "43/chat-service,9[null,1]");
  const auto at_reader = reader->connection->take();
  ASSERT_EQ(at_reader.size(), 2U);
  EXPECT_EQ(at_reader[0], at_sender[0]);
  EXPECT_EQ(at_reader[1], "bin:\x04\x01\x02");
}

TEST_F(chat_namespace_test, a_shutdown_closes_connections_so_that_clients_come_back) {
  const auto ws = connect("4", "alice");
  ws->connection->take();
  auto closing = chat.close();
  EXPECT_EQ(ws->connection->take(), strings()) << "no disconnect packet";
  EXPECT_TRUE(ws->connection->close_code);
  timers.run_posted();
  EXPECT_TRUE(closing.done());
}

TEST_F(chat_namespace_test, an_operators_disconnect_leaves_the_namespace) {
  const auto ws = connect("4", "alice");
  ws->connection->take();
  chat.call_api("disconnectUserSockets", value(value_list{value("alice")})).detach();
  EXPECT_EQ(ws->connection->take(), strings{"41/chat-service,"});
  timers.run_posted();
  EXPECT_EQ(chat.connection_count(), 0U);
}

TEST_F(chat_namespace_test, running_requests_are_bounded) {
  chat_namespace_options none;
  none.max_pending_requests = 0;
  chat_namespace busy{chat_environment{chat, auth, metrics, log, timers, time}, none};
  server_.add_namespace("/busy", busy);
  const auto ws = client.upgrade("EIO=4&transport=websocket&user=alice");
  ws->open();
  ws->text("40/busy,");
  ws->connection->take();
  ws->text(R"(42/busy,1["listOwnSockets"])");
  EXPECT_EQ(ws->connection->take(), strings{R"(43/busy,1["ChatServiceError: rateLimited",null])"});
  EXPECT_NE(metrics.render().find("roombus_socketio_rate_limited_total 1"), std::string::npos);
}

class raw_errors_test : public chat_namespace_test {
 protected:
  raw_errors_test() : chat_namespace_test(raw()) {}
  static chat_options raw() {
    chat_options options;
    options.use_raw_error_objects = true;
    return options;
  }
};

TEST_F(raw_errors_test, errors_are_objects) {
  const auto ws = connect("4", "alice");
  EXPECT_EQ(ask(*ws, R"(1["roomJoin","x"])"),
            strings{R"(43/chat-service,1[{"name":"ChatServiceError","code":"noRoom","args":["x"]},null])"});
}

class slow_login_test : public chat_namespace_test {
 protected:
  slow_login_test() {
    server_.add_namespace("/slow", slow);
    ws = client.upgrade("EIO=4&transport=websocket");
    ws->open();
    ws->text("40/slow,");
    ws->connection->take();
  }
  static result<login> alice() {
    login who;
    who.user = user_name("alice");
    return who;
  }
  slow_authenticator waiting;
  chat_namespace slow{chat_environment{chat, waiting, metrics, log, timers, time}};
  std::shared_ptr<test::fake_upgrade> ws;
};

TEST_F(slow_login_test, commands_before_the_login_are_answered) {
  ws->text(R"(42/slow,1["listOwnSockets"])");
  ws->text(R"(42/slow,["listOwnSockets"])");
  EXPECT_EQ(ws->connection->take(), strings{R"(43/slow,1["ChatServiceError: No login provided",null])"});
  waiting.decision.complete(alice());
  EXPECT_EQ(ws->connection->take().at(0).find(R"(42/slow,["loginConfirmed","alice")"), 0U);
}

TEST_F(slow_login_test, a_client_that_goes_before_its_login_leaves_nothing) {
  ws->gone();
  timers.run_posted();
  waiting.decision.complete(alice());
  EXPECT_EQ(chat.connection_count(), 0U);
}

/// Keeps each question until the test answers it.
struct queueing_authenticator final : authenticator {
  task<result<login>> authenticate(connection_id, handshake) override { return wait(asked.emplace_back()); }
  static task<result<login>> wait(completion<result<login>> of) {
    result<login> answer = co_await of;
    co_return answer;
  }
  std::deque<completion<result<login>>> asked;
};

class login_bounds_test : public chat_namespace_test {
 protected:
  login_bounds_test() { server_.add_namespace("/q", bounded); }
  static chat_namespace_options few() {
    chat_namespace_options options;
    options.logins.running = 2;
    options.logins.running_per_address = 2;
    options.logins.waiting = 1;
    return options;
  }
  static result<login> who(const char* user) {
    login out;
    out.user = user_name(user);
    return out;
  }
  std::shared_ptr<test::fake_upgrade> open(const std::string& eio = "4") {
    auto ws = client.upgrade("EIO=" + eio + "&transport=websocket");
    ws->open();
    ws->text("40/q,");
    ws->connection->take();
    return ws;
  }
  queueing_authenticator logins;
  chat_namespace bounded{chat_environment{chat, logins, metrics, log, timers, time}, few()};
};

TEST_F(login_bounds_test, a_client_that_joins_and_leaves_has_one_login_under_way) {
  const auto ws = open();
  for (int i = 0; i < 5000; ++i) {
    ws->text("41/q,");
    ws->text("40/q,");
  }
  timers.run_posted();
  EXPECT_EQ(logins.asked.size(), 1U);
  EXPECT_FALSE(ws->connection->close_code);
  logins.asked[0].complete(who("alice"));
  timers.run_posted();
  ASSERT_EQ(logins.asked.size(), 2U) << "the last CONNECT waited";
  EXPECT_EQ(ws->connection->take().size(), 1U);
  logins.asked[1].complete(who("alice"));
  EXPECT_EQ(ws->connection->take().at(0).find(R"(42/q,["loginConfirmed","alice")"), 0U);
  EXPECT_EQ(chat.connection_count(), 1U);
}

TEST_F(login_bounds_test, a_client_of_protocol_4_may_leave_and_come_back_at_once) {
  for (const bool logged_in : {true, false}) {
    SCOPED_TRACE(logged_in);
    logins.asked.clear();
    const auto ws = open("3");
    if (logged_in) logins.asked[0].complete(who("alice"));
    ws->connection->take();
    ws->text("41/q,");
    ws->text("40/q,");
    if (!logged_in) logins.asked[0].complete(who("alice"));
    timers.run_posted();
    ASSERT_EQ(logins.asked.size(), 2U);
    logins.asked[1].complete(who("alice"));
    const auto frames = ws->connection->take();
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0], "40/q,");
    EXPECT_EQ(frames[1].find(R"(42/q,["loginConfirmed","alice")"), 0U) << frames[1] << ": its id is the same";
    ws->gone();
    timers.run_posted();
    EXPECT_EQ(chat.connection_count(), 0U);
  }
}

TEST_F(login_bounds_test, more_logins_wait_and_more_than_that_are_rejected) {
  const auto one = open();
  const auto two = open();
  const auto three = open();
  EXPECT_EQ(logins.asked.size(), 2U);
  EXPECT_NE(metrics.render().find("roombus_socketio_logins_waiting 1"), std::string::npos);
  auto late = client.upgrade("EIO=4&transport=websocket");
  late->open();
  late->connection->take();
  late->text("40/q,");
  EXPECT_EQ(late->connection->take().at(1), R"(42/q,["loginRejected","ChatServiceError: unavailable"])");
  EXPECT_NE(metrics.render().find("roombus_socketio_logins_crowded_out_total 1"), std::string::npos);
  logins.asked[0].complete(chat_error(errc::no_login));
  timers.run_posted();
  ASSERT_EQ(logins.asked.size(), 3U);
  logins.asked[2].complete(who("carol"));
  EXPECT_EQ(three->connection->take().at(0).find(R"(42/q,["loginConfirmed","carol")"), 0U);
}

TEST_F(login_bounds_test, a_client_that_goes_while_it_waits_leaves_its_place) {
  const auto one = open();
  const auto two = open();
  const auto three = open();
  three->gone();
  timers.run_posted();
  const auto four = open();
  logins.asked[0].complete(chat_error(errc::no_login));
  timers.run_posted();
  ASSERT_EQ(logins.asked.size(), 3U);
  logins.asked[2].complete(who("dave"));
  EXPECT_EQ(four->connection->take().at(0).find(R"(42/q,["loginConfirmed","dave")"), 0U);
}

TEST_F(login_bounds_test, renewals_take_their_turn) {
  const auto alice = open();
  logins.asked[0].complete(who("alice"));
  alice->connection->take();
  const auto one = open();
  const auto two = open();
  alice->text(R"(42/q,1["renewLogin","t"])");
  EXPECT_EQ(logins.asked.size(), 3U);
  alice->text(R"(42/q,2["listOwnSockets"])");
  timers.run_posted();
  EXPECT_EQ(alice->connection->take().size(), 1U) << "commands go on";
  logins.asked[1].complete(chat_error(errc::no_login));
  timers.run_posted();
  ASSERT_EQ(logins.asked.size(), 4U);
  logins.asked[3].complete(who("alice"));
  EXPECT_EQ(alice->connection->take(), strings{R"(43/q,1[null,{"expiresAt":null}])"});
}

/// Answers each time what the test set.
struct scripted_authenticator final : authenticator {
  task<result<login>> authenticate(connection_id, handshake given) override {
    shown.push_back(std::move(given));
    co_return answer;
  }
  result<login> answer = chat_error(errc::no_login);
  std::vector<handshake> shown;
};

class expiring_login_test : public chat_namespace_test {
 protected:
  explicit expiring_login_test() {
    server_.add_namespace("/e", nsp_);
    auth_.answer = who("alice", 60'000);
  }
  static result<login> who(const char* user, std::optional<std::int64_t> expires_at_ms) {
    login out;
    out.user = user_name(user);
    out.expires_at_ms = expires_at_ms;
    return out;
  }
  std::shared_ptr<test::fake_upgrade> open() {
    auto ws = client.upgrade("EIO=4&transport=websocket");
    ws->open();
    ws->text("40/e,");
    ws->connection->take();
    return ws;
  }
  strings say(test::fake_upgrade& ws, const std::string& text) {
    ws.text("42/e," + text);
    return ws.connection->take();
  }
  void advance(std::int64_t ms) {
    for (; ms > 0; ms -= 1000) {  // pings are answered meanwhile
      timers.advance(std::chrono::milliseconds(std::min<std::int64_t>(ms, 1000)));
      for (const auto& ws : open_) {
        for (const std::string& frame : ws->connection->take()) {
          if (frame == "2") {
            ws->text("3");
          } else {
            seen.push_back(frame);
          }
        }
      }
    }
  }
  scripted_authenticator auth_;
  chat_namespace nsp_{chat_environment{chat, auth_, metrics, log, timers, time}};
  std::vector<std::shared_ptr<test::fake_upgrade>> open_;
  strings seen;
};

TEST_F(expiring_login_test, ends_the_socket_with_a_reason) {
  const auto ws = open();
  open_ = {ws};
  advance(59'000);
  EXPECT_EQ(seen, strings{});
  EXPECT_EQ(chat.connection_count(), 1U);
  advance(1'000);
  EXPECT_EQ(seen, (strings{R"(42/e,["loginRejected","ChatServiceError: loginExpired"])", "41/e,"}));
  EXPECT_EQ(chat.connection_count(), 0U);
  EXPECT_NE(metrics.render().find("roombus_socketio_logins_expired_total 1"), std::string::npos);
}

TEST_F(expiring_login_test, ends_also_when_the_clock_was_set) {
  const auto ws = open();
  time.wall += 120'000;  // no timer runs
  EXPECT_EQ(say(*ws, R"(1["listOwnSockets"])").at(0), R"(42/e,["loginRejected","ChatServiceError: loginExpired"])");
}

TEST_F(expiring_login_test, is_renewed_in_place) {
  const auto ws = open();
  open_ = {ws};
  advance(50'000);
  auth_.answer = who("alice", 200'000);
  EXPECT_EQ(say(*ws, R"(1["renewLogin","new"])"), strings{R"(43/e,1[null,{"expiresAt":200000}])"});
  ASSERT_EQ(auth_.shown.size(), 2U);
  EXPECT_EQ(auth_.shown[1].auth, value(value_map{{"token", value("new")}}));
  EXPECT_EQ(auth_.shown[1].address, auth_.shown[0].address);
  EXPECT_TRUE(auth_.shown[1].query.empty());
  advance(149'000);
  EXPECT_EQ(seen, strings{});
  advance(1'000);
  EXPECT_EQ(seen.size(), 2U);
}

TEST_F(expiring_login_test, may_become_one_without_end) {
  const auto ws = open();
  open_ = {ws};
  auth_.answer = who("alice", std::nullopt);
  EXPECT_EQ(say(*ws, R"(1["renewLogin","new"])"), strings{R"(43/e,1[null,{"expiresAt":null}])"});
  advance(3'600'000);
  EXPECT_EQ(seen, strings{});
}

TEST_F(expiring_login_test, a_bad_renewal_changes_nothing) {
  const auto ws = open();
  open_ = {ws};
  const std::string refused = R"(43/e,1["ChatServiceError: Action is not allowed",null])";
  auth_.answer = who("bob", 200'000);
  EXPECT_EQ(say(*ws, R"(1["renewLogin","of bob"])"), strings{refused});
  auth_.answer = chat_error(errc::not_allowed);
  EXPECT_EQ(say(*ws, R"(1["renewLogin","wrong"])"), strings{refused});
  login more;
  more.user = user_name("alice");
  more.rights.admin = true;
  auth_.answer = more;
  EXPECT_EQ(say(*ws, R"(1["renewLogin","more rights"])"), strings{refused});
  EXPECT_EQ(say(*ws, R"(1["renewLogin"])"), strings{R"(43/e,1["ChatServiceError: Expected 1 arguments, got 0",null])"});
  EXPECT_EQ(say(*ws, R"(1["renewLogin",7])"),
            strings{R"(43/e,1["ChatServiceError: Bad argument at position 0, value 7",null])"});
  EXPECT_EQ(say(*ws, R"(2["systemMessage",1])"), strings{"43/e,2[null,null]"}) << "still alice, still there";
  advance(60'000);
  EXPECT_EQ(seen.size(), 2U) << "and still ends at its time";
}

TEST_F(expiring_login_test, rights_limit_what_is_done_in_rooms) {
  login limited;
  limited.user = user_name("alice");
  limited.rights.join = {room_name("r"), room_name("quiet")};
  limited.rights.publish = std::vector<room_name>{};
  auth_.answer = limited;
  const auto ws = open();
  const std::string refused = R"(["ChatServiceError: Action is not allowed",null])";
  EXPECT_EQ(say(*ws, R"(1["roomJoin","other"])"), strings{"43/e,1" + refused});
  EXPECT_EQ(say(*ws, R"(2["roomRecentHistory","other"])"), strings{"43/e,2" + refused});
  EXPECT_EQ(say(*ws, R"(3["roomJoin","r"])").back(), "43/e,3[null,1]");
  EXPECT_EQ(say(*ws, R"(4["roomMessage","r",{"a":1}])"), strings{"43/e,4" + refused});
  EXPECT_EQ(say(*ws, R"(5["roomLeave","r"])").back(), "43/e,5[null,0]");
  EXPECT_EQ(say(*ws, R"(6["roomJoin","quiet"])"), strings{R"(43/e,6["ChatServiceError: No such room quiet",null])"});
  EXPECT_EQ(say(*ws, R"(7["systemMessage",1])"), strings{"43/e,7[null,null]"});
}

}  // namespace
}  // namespace roombus::socketio
