#include "adapters/socketio/sio_connection.hpp"

#include <gtest/gtest.h>

#include "adapters/socketio/socketio_server.hpp"
#include "schemas/codec/json.hpp"
#include "tests/adapters/socketio/fake_http.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::socketio {
namespace {

using strings = std::vector<std::string>;
using ms = std::chrono::milliseconds;

struct recording_socket final : socket_handler {
  void on_event(std::string name, value_list args, std::optional<std::uint64_t> ack) override {
    got.push_back(name + json::write(value(std::move(args))) + (ack ? "#" + std::to_string(*ack) : ""));
  }
  void on_disconnect() override { ++ended; }
  strings got;
  int ended = 0;
};

struct recording_namespace final : nsp_handler {
  std::shared_ptr<socket_handler> on_connect(std::shared_ptr<nsp_socket> s, handshake h) override {
    sockets.push_back(s);
    if (keep_places) kept.push_back(s->keep_place());
    shown = std::move(h);
    handlers.push_back(std::make_shared<recording_socket>());
    if (refuse_all) s->disconnect();
    return handlers.back();
  }
  std::vector<std::shared_ptr<nsp_socket>> sockets;
  std::vector<std::shared_ptr<recording_socket>> handlers;
  handshake shown;
  [[nodiscard]] bool trusts_everybody() const override { return trusting; }
  bool refuse_all = false;
  bool trusting = true;
  bool keep_places = false;
  std::vector<std::shared_ptr<void>> kept;
};

class sio_connection_test : public ::testing::Test {
 protected:
  sio_connection_test() { server_.add_namespace("/chat", chat); }

  static socketio_options options() {
    socketio_options out;
    out.connect_timeout = ms(1000);
    return out;
  }
  std::shared_ptr<test::fake_upgrade> open(const std::string& eio, const std::string& more = "") {
    auto ws = client.upgrade("EIO=" + eio + "&transport=websocket" + more);
    ws->open();
    ws->connection->frames.erase(ws->connection->frames.begin());  // the open packet
    return ws;
  }
  /// A client that has joined /chat.
  std::shared_ptr<test::fake_upgrade> join(const std::string& eio) {
    auto ws = open(eio);
    ws->text("40/chat,");
    ws->connection->take();
    return ws;
  }

  test::fake_clock time;
  test::fake_scheduler timers{time};
  test::fake_random random;
  metrics_registry registry;
  recording_namespace chat;
  server server_{options(), engine_environment{timers, time, random, registry}};
  test::fake_client client{server_.requests()};
};

TEST_F(sio_connection_test, protocol_5_joins_when_asked) {
  const auto ws = open("4", "&user=alice");
  EXPECT_TRUE(ws->connection->frames.empty());
  ws->text(R"(40/chat,{"token":"x"})");
  ASSERT_EQ(chat.sockets.size(), 1U);
  EXPECT_EQ(ws->connection->take(), strings{"40/chat,{\"sid\":\"" + chat.sockets[0]->id() + "\"}"});
  EXPECT_EQ(json::write(chat.shown.auth), R"({"token":"x"})");
  EXPECT_EQ(*chat.shown.query.find("user")->if_text(), "alice");
  EXPECT_EQ(chat.shown.address, "127.0.0.1");
  EXPECT_EQ(chat.shown.transport, "socket.io");
}

TEST_F(sio_connection_test, protocol_4_joins_the_main_namespace_by_itself) {
  const auto ws = open("3", "&user=alice");
  EXPECT_EQ(ws->connection->take(), strings{"40"});
  ws->text("40/chat?user=bob&token=x,");
  ASSERT_EQ(chat.sockets.size(), 1U);
  EXPECT_EQ(ws->connection->take(), strings{"40/chat,"});
  EXPECT_EQ(chat.sockets[0]->id().substr(0, 6), "/chat#");
  EXPECT_EQ(*chat.shown.query.find("user")->if_text(), "alice") << "the request's own query wins, as in version 2";
  EXPECT_EQ(*chat.shown.query.find("token")->if_text(), "x");
}

TEST_F(sio_connection_test, refuses_unknown_namespaces_and_keeps_the_connection) {
  const auto v4 = open("4");
  v4->text("40/random");
  EXPECT_EQ(v4->connection->take(), strings{R"(44/random,{"message":"Invalid namespace"})"});
  EXPECT_FALSE(v4->connection->close_code);
  const auto v3 = open("3");
  v3->connection->take();
  v3->text("40/random");
  EXPECT_EQ(v3->connection->take(), strings{R"(44/random,"Invalid namespace")"});
}

TEST_F(sio_connection_test, hands_events_to_the_socket) {
  const auto ws = join("4");
  ws->text(R"(42/chat,7["a",1])");
  ws->text(R"(451-/chat,["b",{"_placeholder":true,"num":0}])");
  ws->binary("x");
  ws->text("42/chat,[5]");
  ws->text(R"(42/other,["ignored"])");
  EXPECT_EQ(chat.handlers[0]->got, (strings{"a[1]#7", R"(b[{"type":"Buffer","data":"eA=="}])", "5[]"}));
  EXPECT_FALSE(ws->connection->close_code);
}

TEST_F(sio_connection_test, sends_events_acks_and_shared_frames) {
  const auto ws = join("3");
  auto& socket = *chat.sockets[0];
  socket.emit("a", {value(byte_string{"x"})});
  EXPECT_EQ(ws->connection->take(), (strings{R"(451-/chat,["a",{"_placeholder":true,"num":0}])", "bin:\x04x"}));
  socket.acknowledge(7, {value(nullptr)});
  EXPECT_EQ(ws->connection->take(), strings{"43/chat,7[null]"});
}

TEST_F(sio_connection_test, bad_packets_close_the_connection_and_are_counted) {
  for (const char* bad : {"4abc", "42/chat,{}", R"(42/chat,["disconnect"])", R"(451-/chat,{})"}) {
    SCOPED_TRACE(bad);
    const auto ws = join("4");
    ws->text(bad);
    timers.run_posted();
    EXPECT_TRUE(ws->connection->close_code);
    EXPECT_EQ(chat.handlers.back()->ended, 1);
  }
  const auto ws = join("4");
  ws->binary("stray");
  EXPECT_TRUE(ws->connection->close_code);
  EXPECT_NE(registry.render().find("roombus_socketio_bad_input_total{reason=\"packet\"} 4"), std::string::npos)
      << registry.render();
  EXPECT_NE(registry.render().find("roombus_socketio_bad_input_total{reason=\"attachments\"} 1"), std::string::npos);
}

TEST_F(sio_connection_test, a_packet_before_any_connect_closes) {
  const auto ws = open("4");
  ws->text(R"(42["a"])");
  EXPECT_TRUE(ws->connection->close_code);
}

TEST_F(sio_connection_test, who_joins_nothing_in_time_is_closed) {
  const auto idle = open("4");
  const auto main_only = open("4");
  main_only->text("40");
  const auto joined = join("4");
  timers.advance(ms(1000));
  EXPECT_TRUE(idle->connection->close_code);
  EXPECT_TRUE(main_only->connection->close_code) << "nothing is served in the main namespace";
  EXPECT_FALSE(joined->connection->close_code);
  joined->text("41/chat,");
  timers.advance(ms(1000));
  EXPECT_TRUE(joined->connection->close_code);
}

TEST_F(sio_connection_test, a_socket_ends_once_whoever_ends_it) {
  const auto leaves = join("4");
  leaves->text("41/chat,");
  const auto thrown_out = join("4");
  chat.sockets[1]->disconnect();
  chat.sockets[1]->disconnect();
  EXPECT_EQ(thrown_out->connection->take(), strings{"41/chat,"});
  const auto gone = join("4");
  gone->gone();
  const auto closed = join("4");
  chat.sockets[3]->close_connection();
  for (const auto& handler : chat.handlers)
    EXPECT_EQ(handler->ended, 0) << "never within our call";
  timers.run_posted();
  for (const auto& handler : chat.handlers)
    EXPECT_EQ(handler->ended, 1);
  for (const auto& socket : chat.sockets) {
    EXPECT_FALSE(socket->is_connected());
    socket->emit("late", {});
  }
  EXPECT_TRUE(thrown_out->connection->take().empty());
}

TEST_F(sio_connection_test, a_socket_may_be_ended_while_it_connects) {
  chat.refuse_all = true;
  const auto ws = open("4");
  ws->text("40/chat,");
  timers.run_posted();
  EXPECT_EQ(ws->connection->take().back(), "41/chat,");
  EXPECT_EQ(chat.handlers[0]->ended, 1);
  chat.refuse_all = false;
  ws->text("40/chat,");
  EXPECT_EQ(chat.sockets.size(), 2U);
  EXPECT_NE(chat.sockets[0]->id(), chat.sockets[1]->id());
}

TEST_F(sio_connection_test, a_connect_waits_while_the_place_of_the_former_socket_is_kept) {
  chat.keep_places = true;
  const auto ws = join("4");
  for (int i = 1; i <= 100; ++i) {
    ws->text("41/chat,");
    ws->text("40/chat,{\"n\":" + std::to_string(i) + "}");
  }
  timers.run_posted();
  EXPECT_EQ(chat.sockets.size(), 1U) << "one at a time, however often the client asks";
  EXPECT_TRUE(ws->connection->take().empty());
  EXPECT_FALSE(ws->connection->close_code);
  chat.kept.clear();
  EXPECT_EQ(chat.sockets.size(), 1U) << "never within the call of who let go";
  timers.run_posted();
  ASSERT_EQ(chat.sockets.size(), 2U);
  EXPECT_EQ(json::write(chat.shown.auth), R"({"n":100})") << "the last one counts";
  EXPECT_EQ(ws->connection->take(), strings{"40/chat,{\"sid\":\"" + chat.sockets[1]->id() + "\"}"});
}

TEST_F(sio_connection_test, a_connect_that_waits_is_taken_back_by_a_disconnect_and_by_the_end) {
  chat.keep_places = true;
  const auto ws = join("4");
  ws->text("41/chat,");
  ws->text("40/chat,");
  ws->text("41/chat,");
  chat.kept.clear();
  timers.run_posted();
  EXPECT_EQ(chat.sockets.size(), 1U);
  ws->text("40/chat,");
  EXPECT_EQ(chat.sockets.size(), 2U) << "the place is free";
  ws->text("41/chat,");
  ws->text("40/chat,");
  ws->gone();
  timers.run_posted();
  chat.kept.clear();
  timers.run_posted();
  EXPECT_EQ(chat.sockets.size(), 2U);
}

TEST_F(sio_connection_test, who_joins_too_often_is_closed) {
  const auto slow = open("4");
  for (int i = 0; i < 24; ++i) {
    slow->text("40/chat,");
    slow->text("41/chat,");
    timers.advance(ms(999));
    time.advance(1);
  }
  EXPECT_FALSE(slow->connection->close_code) << "one a second";
  chat.sockets.clear();
  const auto fast = open("4");
  for (int i = 0; i < 100; ++i) {
    fast->text("40/chat,");
    fast->text("41/chat,");
  }
  EXPECT_TRUE(fast->connection->close_code);
  EXPECT_EQ(chat.sockets.size(), 20U);
  EXPECT_NE(registry.render().find("roombus_socketio_bad_input_total{reason=\"joins\"} 1"), std::string::npos);
}

TEST_F(sio_connection_test, a_namespace_may_tell_when_a_client_is_known) {
  recording_namespace careful;
  careful.trusting = false;
  server_.add_namespace("/careful", careful);
  const std::string large(70'000, 'x');
  for (const bool known : {false, true}) {
    SCOPED_TRACE(known);
    const auto ws = open("4");
    ws->text("40/careful,");
    if (known) careful.sockets.back()->set_known();
    ws->text(R"(451-/careful,["b",{"_placeholder":true,"num":0}])");
    ws->binary(large);
    EXPECT_EQ(ws->connection->close_code.has_value(), !known);
  }
  const auto trusted = join("4");
  trusted->text(R"(451-/chat,["b",{"_placeholder":true,"num":0}])");
  trusted->binary(large);
  EXPECT_FALSE(trusted->connection->close_code);
}

}  // namespace
}  // namespace roombus::socketio
