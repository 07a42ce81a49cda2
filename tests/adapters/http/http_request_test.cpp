#include <gtest/gtest.h>

#include "tests/adapters/http/test_server.hpp"
#include "tests/support/http_client.hpp"

namespace roombus::test {
namespace {

TEST(http_request, connections_are_kept_alive) {
  test_server server;
  http_client client(server.port);
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.get("/echo/a%20b?x=1");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "GET /echo/a%20b?x=1\n");
    EXPECT_FALSE(answer->headers.contains("connection"));
    EXPECT_EQ(answer->headers.at("date").size(), 29u);
  }
  EXPECT_EQ(server.metric("roombus_http_connections_accepted_total"), 1);
  EXPECT_EQ(server.metric("roombus_http_requests_total{listener=\"http\",status=\"2xx\"}"), 3);
  EXPECT_EQ(server.metric("roombus_http_connections{"), 1);
}

TEST(http_request, a_handler_cannot_split_the_response) {
  test_server server;
  http_client client(server.port);
  const auto answer = client.get("/echo");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->headers.at("x-split"), "a  X-Injected: b");
  EXPECT_FALSE(answer->headers.contains("x-injected"));
}

TEST(http_request, http_1_0_closes) {
  test_server server;
  http_client client(server.port);
  client.send("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto answer = client.read_answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->headers.at("connection"), "close");
  EXPECT_TRUE(client.at_end());
}

TEST(http_request, pipelined_requests_are_answered_in_order) {
  test_server server;
  http_client client(server.port);
  std::string all;
  for (int i = 0; i < 200; ++i) {
    all += "POST /echo?" + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc";
  }
  client.send(all);
  for (int i = 0; i < 200; ++i) {
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer) << i;
    ASSERT_EQ(answer->body, "POST /echo?" + std::to_string(i) + "\nabc");
  }
}

TEST(http_request, a_pipelined_request_waits_for_the_answer_before_it) {
  test_server server;
  http_client client(server.port);
  client.send("GET /hold HTTP/1.1\r\nHost: t\r\n\r\nGET /echo HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("held"));
  server.on_loop([&] {
    http::response r;
    r.body = "first";
    server.held.at(0)->send(r);
    r.body = "never seen: a request has one answer";
    server.held.at(0)->send(r);
  });
  EXPECT_EQ(client.read_answer()->body, "first");
  EXPECT_EQ(client.read_answer()->body, "GET /echo?\n");
  EXPECT_EQ(server.seen.count("aborted"), 0u);
}

TEST(http_request, bodies_may_come_in_chunks_and_bytes) {
  test_server server;
  http_client client(server.port);
  const std::string request =
      "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\nA;name=x\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n";
  for (char c : request)
    ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.read_answer()->body, "POST /echo?\nabc0123456789");
  client.send(request);
  EXPECT_EQ(client.read_answer()->body, "POST /echo?\nabc0123456789");
}

TEST(http_request, expect_100_continue_is_answered_before_the_body) {
  test_server server;
  http_client client(server.port);
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_answer()->status, 100);
  client.send("hi");
  EXPECT_EQ(client.read_answer()->body, "POST /echo?\nhi");
}

TEST(http_request, head_has_no_body) {
  test_server server;
  http_client client(server.port);
  client.send("HEAD /echo HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto answer = client.read_answer(true);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->headers.at("content-length"), "12");
  EXPECT_EQ(client.get("/echo")->status, 200);
}

TEST(http_request, unknown_paths_are_404_and_prefixes_end_at_a_slash) {
  test_server server;
  http_client client(server.port);
  for (const char* path : {"/", "/echoes", "/ech", "/ws"})
    EXPECT_EQ(client.get(path)->status, 404) << path;
  EXPECT_EQ(client.get("/echo/below")->status, 200);
  EXPECT_EQ(client.get("http://test/echo?abs")->body, "GET /echo?abs\n");
}

struct bad_case {
  const char* name;
  std::string request;
  int status;
};

TEST(http_request, malformed_requests_are_refused_counted_and_end_the_connection) {
  http::limits bounds;
  bounds.max_body = 1000;
  bounds.max_header = 1000;
  const bad_case cases[] = {
      {"no request line", "hello\r\n\r\n", 400},
      {"control bytes", std::string("\x16\x03\x01\x02\x00\x01\r\n\r\n", 10), 400},
      {"unknown version", "GET / HTTP/3.7\r\nHost: t\r\n\r\n", 400},
      {"space in a header name", "GET / HTTP/1.1\r\nHo st: t\r\n\r\n", 400},
      {"no host", "GET /echo HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"relative target", "GET echo HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"length is no number", "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2x\r\n\r\nab", 400},
      {"two lengths", "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab", 400},
      {"length and chunked",
       "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"broken chunk", "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
      {"endless chunk header",
       "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(20000, 'e'), 400},
      {"announced body too large", "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\n\r\n", 413},
      {"chunked body too large",
       "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'b'), 413},
      {"header too large", "GET /echo HTTP/1.1\r\nHost: t\r\nX: " + std::string(1000, 'h') + "\r\n\r\n", 431},
      {"endless header", "GET /echo HTTP/1.1\r\nX: " + std::string(100000, 'h'), 431},
  };
  test_server server(bounds);
  int counted = 0;
  for (const bad_case& c : cases) {
    http_client client(server.port);
    client.send(c.request);
    const auto answer = client.read_answer();
    ASSERT_TRUE(answer) << c.name;
    EXPECT_EQ(answer->status, c.status) << c.name;
    EXPECT_EQ(answer->headers.at("connection"), "close") << c.name;
    EXPECT_TRUE(client.at_end()) << c.name;
    EXPECT_EQ(server.metric("roombus_http_bad_requests_total"), ++counted) << c.name;
  }
  http_client client(server.port);
  EXPECT_EQ(client.get("/echo")->status, 200);
}

TEST(http_request, a_body_at_the_limit_is_taken) {
  http::limits bounds;
  bounds.max_body = 1000;
  test_server server(bounds);
  http_client client(server.port);
  client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'b'));
  EXPECT_EQ(client.read_answer()->body.size(), 1012u);
}

TEST(http_request, an_answer_may_come_later) {
  test_server server;
  http_client client(server.port);
  client.send("GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("held"));
  server.on_loop([&] {
    http::response r;
    r.body = "later";
    server.held.at(0)->send(r);
  });
  EXPECT_EQ(client.read_answer()->body, "later");
  EXPECT_EQ(client.get("/echo")->status, 200);
  EXPECT_EQ(server.seen.count("aborted"), 0u);
}

TEST(http_request, a_peer_that_leaves_while_it_waits_is_noticed_at_once) {
  for (const bool reset : {false, true}) {
    test_server server;
    http_client client(server.port);
    client.send("GET /hold HTTP/1.1\r\nHost: t\r\n\r\nGET /pipelined HTTP/1.1\r\n");
    ASSERT_TRUE(server.seen.wait_for("held"));
    reset ? client.reset() : client.shut_down();
    EXPECT_TRUE(server.seen.wait_for("aborted"));
    server.on_loop([&] { server.held.at(0)->send({}); });  // too late, and harmless
    EXPECT_EQ(server.metric("roombus_http_connections{"), 0);
  }
}

TEST(http_request, a_responder_that_goes_unanswered_means_500) {
  test_server server;
  http_client client(server.port);
  EXPECT_EQ(client.get("/drop")->status, 500);
  EXPECT_EQ(client.get("/echo")->status, 200);
}

TEST(http_request, a_large_answer_reaches_a_slow_reader_whole) {
  test_server server;
  http_client client(server.port, 4096);
  client.send("GET /big HTTP/1.1\r\nHost: t\r\n\r\nGET /echo HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(client.read_answer()->body, std::string(8 * 1024 * 1024, 'x'));
  EXPECT_EQ(client.read_answer()->status, 200);
}

TEST(http_request, resets_in_the_middle_of_everything_hurt_nobody) {
  test_server server;
  const std::string requests[] = {
      "",
      "GET /ec",
      "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nab",
      "GET /big HTTP/1.1\r\nHost: t\r\n\r\n",
      "GET /big HTTP/1.0\r\n\r\n",
      "GET /hold HTTP/1.1\r\nHost: t\r\n\r\n",
      "nonsense\r\n\r\n",
  };
  for (int round = 0; round < 20; ++round) {
    for (const std::string& request : requests) {
      http_client client(server.port, 4096);
      client.send(request);
      client.reset();
    }
  }
  http_client client(server.port);
  EXPECT_EQ(client.get("/echo")->status, 200);
}

}  // namespace
}  // namespace roombus::test
