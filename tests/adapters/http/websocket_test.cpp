#include <gtest/gtest.h>

#include "tests/adapters/http/test_server.hpp"
#include "tests/support/http_client.hpp"

namespace roombus::test {
namespace {

constexpr int text = 1;
constexpr int binary = 2;
constexpr int continuation = 0;
constexpr int close_frame = 8;
constexpr int ping = 9;
constexpr int pong = 10;

TEST(websocket, messages_go_both_ways) {
  test_server server;
  http_client client(server.port);
  const auto answer = client.upgrade("/ws/echo");
  ASSERT_EQ(answer->status, 101);
  EXPECT_EQ(answer->headers.at("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_FALSE(answer->headers.contains("sec-websocket-extensions"));
  for (const std::size_t size : {0, 1, 125, 126, 511, 512, 65535, 65536, 1'000'000}) {
    for (const int opcode : {text, binary}) {
      const std::string payload(size, 'm');
      client.send_frame(opcode, payload);
      const auto back = client.read_frame();
      ASSERT_TRUE(back) << size;
      EXPECT_EQ(back->opcode, opcode);
      EXPECT_TRUE(back->fin);
      EXPECT_EQ(back->payload, payload);
    }
  }
  EXPECT_EQ(server.metric("roombus_ws_messages_received_total"), 18);
  EXPECT_EQ(server.metric("roombus_ws_messages_sent_total"), 18);
}

TEST(websocket, fragments_become_one_message_with_a_ping_between) {
  test_server server;
  http_client client(server.port);
  ASSERT_EQ(client.upgrade("/ws/echo")->status, 101);
  client.send_frame(text, "one ", false);
  client.send_frame(ping, "still there?");
  client.send_frame(continuation, "two ", false);
  client.send_frame(continuation, "three");
  const auto reply = client.read_frame();
  EXPECT_EQ(reply->opcode, pong);
  EXPECT_EQ(reply->payload, "still there?");
  EXPECT_EQ(client.read_frame()->payload, "one two three");
}

TEST(websocket, bytes_sent_behind_the_upgrade_request_are_the_first_frames) {
  test_server server;
  http_client client(server.port);
  client.send(
      "GET /echo HTTP/1.1\r\nHost: t\r\n\r\n"
      "GET /ws/echo HTTP/1.1\r\nHost: t\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
      http_client::frame(text, "early") + http_client::frame(text, std::string(3000, 'e')));
  EXPECT_EQ(client.read_answer()->status, 200);
  EXPECT_EQ(client.read_answer()->status, 101);
  EXPECT_EQ(client.read_frame()->payload, "early");
  EXPECT_EQ(client.read_frame()->payload, std::string(3000, 'e'));
}

TEST(websocket, an_upgrade_behind_a_waiting_request_comes_after_its_answer) {
  test_server server;
  http_client client(server.port);
  client.send(
      "GET /hold HTTP/1.1\r\nHost: t\r\n\r\n"
      "GET /ws/echo HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("held"));
  server.on_loop([&] { server.held.at(0)->send({}); });
  EXPECT_EQ(client.read_answer()->status, 200);
  EXPECT_EQ(client.read_answer()->status, 101);
  client.send_frame(text, "works");
  EXPECT_EQ(client.read_frame()->payload, "works");
}

struct refused_case {
  const char* name;
  std::string request;
  int status;
};

TEST(websocket, broken_handshakes_are_refused) {
  const std::string start = "GET /ws/echo HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const refused_case cases[] = {
      {"no key", start + "Sec-WebSocket-Version: 13\r\n\r\n", 400},
      {"short key", start + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: abc\r\n\r\n", 400},
      {"no version", start + key + "\r\n", 426},
      {"other version", start + key + "Sec-WebSocket-Version: 8\r\n\r\n", 426},
  };
  test_server server;
  for (const refused_case& c : cases) {
    http_client client(server.port);
    client.send(c.request);
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer) << c.name;
    EXPECT_EQ(answer->status, c.status) << c.name;
    if (c.status == 426) {
      EXPECT_EQ(answer->headers.at("sec-websocket-version"), "13") << c.name;
    }
    EXPECT_TRUE(client.at_end()) << c.name;
  }
  EXPECT_EQ(server.seen.count("open"), 0u);
  EXPECT_EQ(server.metric("roombus_http_bad_requests_total"), 4);
}

TEST(websocket, handlers_may_refuse) {
  test_server server;
  EXPECT_EQ(http_client(server.port).upgrade("/ws/refuse")->status, 403);
  EXPECT_EQ(http_client(server.port).upgrade("/echo")->status, 400);  // the default of a handler
  EXPECT_EQ(http_client(server.port).upgrade("/nowhere")->status, 404);
}

struct violation_case {
  const char* name;
  std::string bytes;
  int code;          // in the close frame
  const char* seen;  // by the handler
};

TEST(websocket, violations_close_with_the_right_code_and_are_counted) {
  http::limits bounds;
  bounds.max_ws_message = 1000;
  const auto f = [](int opcode, std::string_view payload, bool fin = true) {
    return http_client::frame(opcode, payload, fin);
  };
  const violation_case cases[] = {
      {"unmasked", http_client::frame(text, "bare", true, false), 1002, "close 1006"},
      {"reserved opcode", f(3, "x"), 1002, "close 1006"},
      {"reserved bit", http_client::frame(text, "x", true, true, true), 1002, "close 1006"},
      {"continuation of nothing", f(continuation, "x"), 1002, "close 1006"},
      {"message within a message", f(text, "a", false) + f(text, "b"), 1002, "close 1006"},
      {"fragmented ping", f(ping, "x", false), 1002, "close 1006"},
      {"long ping", f(ping, std::string(126, 'p')), 1002, "close 1006"},
      {"too large", f(binary, std::string(1001, 'b')), 1009, "close 1009"},
      {"too large in sum", f(binary, std::string(600, 'b'), false) + f(continuation, std::string(600, 'b')), 1009,
       "close 1009"},
      {"invalid UTF-8", f(text, "\xc3\x28"), 1007, "close 1006"},
      {"cut UTF-8", f(text, "ab\xe2\x82"), 1007, "close 1006"},
      {"close code 1005 on the wire", f(close_frame, "\x03\xed"), 1002, "close 1006"},
      {"close frame of one byte", f(close_frame, "\x03"), 1002, "close 1006"},
  };
  for (const violation_case& c : cases) {
    test_server server(bounds);
    http_client client(server.port);
    ASSERT_EQ(client.upgrade("/ws/manual")->status, 101);
    client.send(c.bytes);
    const auto last = client.read_frame();
    ASSERT_TRUE(last) << c.name;
    EXPECT_EQ(last->opcode, close_frame) << c.name;
    EXPECT_EQ(last->close_code(), c.code) << c.name;
    EXPECT_TRUE(client.at_end()) << c.name;
    EXPECT_TRUE(server.seen.wait_for(c.seen)) << c.name;
    EXPECT_EQ(server.metric("roombus_http_bad_requests_total"), 1) << c.name;
  }
}

TEST(websocket, the_peers_close_is_answered_and_its_code_told) {
  test_server server;
  {
    http_client client(server.port);
    client.upgrade("/ws/echo");
    client.send_frame(close_frame, "\x0f\xa0 own code");
    EXPECT_EQ(client.read_frame()->close_code(), 4000);
    EXPECT_TRUE(client.at_end());
    EXPECT_TRUE(server.seen.wait_for("close 4000"));
  }
  http_client client(server.port);
  client.upgrade("/ws/echo");
  client.send_frame(close_frame, "");
  EXPECT_EQ(client.read_frame()->opcode, close_frame);
  EXPECT_TRUE(server.seen.wait_for("close 1005"));
}

TEST(websocket, our_close_follows_what_was_queued_and_waits_for_the_peers) {
  test_server server;
  http_client client(server.port);
  client.upgrade("/ws/manual");
  ASSERT_TRUE(server.seen.wait_for("open"));
  std::string long_reason(122, 'r');
  long_reason += "\xc3\xa9";  // would be cut in the middle
  server.on_loop([&] {
    server.connection->send(http::ws_frame::make(http::frame_kind::text, "last words"));
    server.connection->close(4001, long_reason);
    server.connection->send(http::ws_frame::make(http::frame_kind::text, "too late"));
    server.connection->close(4002, "");
  });
  EXPECT_EQ(client.read_frame()->payload, "last words");
  const auto last = client.read_frame();
  EXPECT_EQ(last->close_code(), 4001);
  EXPECT_EQ(last->payload.substr(2), std::string(122, 'r'));
  client.send_frame(text, "not delivered");
  client.send_frame(close_frame, "\x0f\xa1");
  EXPECT_TRUE(client.at_end());
  EXPECT_TRUE(server.seen.wait_for("close 4001"));
  EXPECT_EQ(server.seen.count("message not delivered"), 0u);
}

TEST(websocket, a_peer_that_does_not_answer_our_close_is_cut) {
  http::limits bounds;
  bounds.close_wait_ms = 100;
  test_server server(bounds);
  http_client client(server.port);
  client.upgrade("/ws/manual");
  ASSERT_TRUE(server.seen.wait_for("open"));
  server.on_loop([&] { server.connection->close(1000, ""); });
  EXPECT_EQ(client.read_frame()->close_code(), 1000);
  EXPECT_TRUE(client.at_end());
  EXPECT_TRUE(server.seen.wait_for("close 1006"));
}

TEST(websocket, abort_and_reset_end_with_1006_once) {
  test_server server;
  {
    http_client client(server.port);
    client.upgrade("/ws/manual");
    ASSERT_TRUE(server.seen.wait_for("open"));
    server.on_loop([&] {
      server.connection->send(http::ws_frame::make(http::frame_kind::text, "dropped"));
      server.connection->abort();
      server.connection->abort();
      EXPECT_EQ(server.seen.count("close 1006"), 0u);  // never from within the call
    });
    EXPECT_TRUE(client.at_end());
    EXPECT_TRUE(server.seen.wait_for("close 1006"));
  }
  http_client client(server.port);
  client.upgrade("/ws/echo");
  client.send_frame(text, std::string(900'000, 'x'), false);
  client.reset();
  while (server.metric("roombus_http_connections{") > 0)
    std::this_thread::yield();
  EXPECT_EQ(server.seen.count("close 1006"), 2u);
}

TEST(websocket, frames_of_one_turn_arrive_in_order_in_one_segment_apart_from_the_handshake) {
  test_server server;
  std::string expected;
  for (int i = 0; i < 300; ++i)
    expected += http::ws_frame::make(http::frame_kind::text, std::to_string(i))->bytes();
  server.on_open = [](http::ws_connection& c) {
    for (int i = 0; i < 300; ++i)
      c.send(http::ws_frame::make(http::frame_kind::text, std::to_string(i)));
  };
  http_client client(server.port);
  ASSERT_EQ(client.upgrade("/ws/echo")->status, 101);
  std::string got;
  while (got.size() < expected.size()) {
    const std::string more = client.read_some();
    ASSERT_FALSE(more.empty());
    got += more;
  }
  EXPECT_EQ(got, expected);
  EXPECT_EQ(client.data_segments(), 2u);
}

TEST(websocket, frames_of_all_sizes_keep_their_order) {
  test_server server;
  http_client client(server.port, 4096);  // small, so that the server's writes are cut anywhere
  client.upgrade("/ws/manual");
  ASSERT_TRUE(server.seen.wait_for("open"));
  const auto payload = [](int i) {
    return std::to_string(i) + ':' +
           std::string(static_cast<std::size_t>((i * 7919) % 5000), static_cast<char>('a' + i % 26));
  };
  constexpr int count = 1000;
  server.on_loop([&] {
    for (int i = 0; i < count; ++i)
      server.connection->send(http::ws_frame::make(http::frame_kind::binary, payload(i)));
    EXPECT_GT(server.connection->queued_bytes(), 1'000'000u);
  });
  for (int i = 0; i < count; ++i) {
    const auto frame = client.read_frame();
    ASSERT_TRUE(frame) << i;
    ASSERT_EQ(frame->payload, payload(i)) << i;
  }
  server.on_loop([&] { EXPECT_EQ(server.connection->queued_bytes(), 0u); });
}

TEST(websocket, one_frame_is_shared_by_many_connections) {
  test_server server;
  std::vector<std::shared_ptr<http::ws_connection>> all;
  const auto frame = http::ws_frame::make(http::frame_kind::text, std::string(5000, 's'));
  std::vector<std::unique_ptr<http_client>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<http_client>(server.port));
    clients.back()->upgrade("/ws/manual");
    clients.back()->send_frame(text, "ready " + std::to_string(i));
    ASSERT_TRUE(server.seen.wait_for("message ready " + std::to_string(i)));
    server.on_loop([&] { all.push_back(server.connection); });
  }
  server.on_loop([&] {
    for (const auto& connection : all)
      connection->send(frame);
  });
  for (const auto& client : clients)
    EXPECT_EQ(client->read_frame()->payload, frame->payload());
  server.on_loop([&] { all.clear(); });
}

TEST(websocket, a_peer_that_never_reads_is_ended_at_the_queue_bound) {
  http::limits bounds;
  bounds.max_queue = 100'000;
  test_server server(bounds);
  http_client client(server.port, 4096);
  client.upgrade("/ws/manual");
  ASSERT_TRUE(server.seen.wait_for("open"));
  const auto frame = http::ws_frame::make(http::frame_kind::text, std::string(10'000, 'x'));
  std::size_t most = 0;
  // the kernel takes some megabytes before it stops
  for (int i = 0; i < 100'000 && server.seen.count("close 1006") == 0; ++i) {
    server.on_loop([&] {
      server.connection->send(frame);
      most = std::max(most, server.connection->queued_bytes());
    });
  }
  EXPECT_TRUE(server.seen.wait_for("close 1006"));
  EXPECT_LE(most, bounds.max_queue);
  EXPECT_EQ(server.seen.count("log slow_consumer"), 1u);
  EXPECT_EQ(server.metric("roombus_http_slow_consumers_total"), 1);
  EXPECT_EQ(server.metric("roombus_http_connections{"), 0);
}

TEST(websocket, a_peer_that_sends_and_never_reads_is_ended_too) {
  for (const int opcode : {text, ping}) {
    http::limits bounds;
    bounds.max_queue = 100'000;
    test_server server(bounds);
    http_client client(server.port, 4096);
    client.upgrade("/ws/echo");
    const std::string frame = http_client::frame(opcode, std::string(120, 'e'));
    std::string many;
    for (int i = 0; i < 500; ++i)
      many += frame;
    while (client.send(many)) {
    }
    EXPECT_TRUE(server.seen.wait_for("close 1006"));
    EXPECT_EQ(server.metric("roombus_http_slow_consumers_total"), 1);
  }
}

TEST(websocket, a_server_may_go_while_connections_are_open) {
  test_server server;
  http_client socket(server.port);
  http_client waiting(server.port);
  socket.upgrade("/ws/manual");
  ASSERT_TRUE(server.seen.wait_for("open"));
  waiting.send("GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("held"));
  server.on_loop([&] { server.server.reset(); });
  EXPECT_TRUE(socket.at_end());
  EXPECT_TRUE(waiting.at_end());
  server.on_loop([&] {
    server.held.at(0)->send({});
    server.connection->send(http::ws_frame::make(http::frame_kind::text, "into the void"));
    server.connection->close(1000, "");
  });
  EXPECT_EQ(server.seen.count("aborted"), 0u);
  EXPECT_EQ(server.metric("roombus_http_connections{"), 0);
}

}  // namespace
}  // namespace roombus::test
