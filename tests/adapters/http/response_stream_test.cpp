#include <gtest/gtest.h>

#include "tests/adapters/http/test_server.hpp"
#include "tests/support/http_client.hpp"

namespace roombus::test {
namespace {

/// What the peer sends until it ends the stream.
std::string read_all(http_client& client) {
  std::string all;
  for (std::string more = client.read_some(); !more.empty(); more = client.read_some())
    all += more;
  return all;
}

std::string body_of(const std::string& response) {
  return response.substr(response.find("\r\n\r\n") + 4);
}

TEST(response_stream, pieces_go_out_as_chunks_and_the_end_is_told) {
  test_server server;
  http_client client(server.port);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("streaming"));
  server.on_loop([&] {
    server.stream->write("");
    server.stream->write("twenty bytes of text");
    server.stream->close();
    server.stream->write("too late");
  });
  const std::string all = read_all(client);
  EXPECT_TRUE(all.starts_with("HTTP/1.1 200 OK\r\n")) << all;
  EXPECT_NE(all.find("\r\nTransfer-Encoding: chunked\r\n"), std::string::npos) << all;
  EXPECT_NE(all.find("\r\nContent-Type: text/event-stream\r\n"), std::string::npos) << all;
  EXPECT_EQ(all.find("Content-Length"), std::string::npos) << all;
  EXPECT_EQ(body_of(all), "3\r\none\r\n14\r\ntwenty bytes of text\r\n0\r\n\r\n");
  EXPECT_EQ(server.seen.count("stream closed"), 0u);
}

TEST(response_stream, http_1_0_gets_the_bytes_up_to_the_end_of_the_connection) {
  test_server server;
  http_client client(server.port);
  client.send("GET /stream HTTP/1.0\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("streaming"));
  server.on_loop([&] { server.stream.reset(); });
  const std::string all = read_all(client);
  EXPECT_EQ(all.find("chunked"), std::string::npos) << all;
  EXPECT_EQ(body_of(all), "one");
}

TEST(response_stream, the_handler_hears_that_the_peer_has_gone) {
  test_server server;
  http_client client(server.port);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("streaming"));
  client.reset();
  EXPECT_TRUE(server.seen.wait_for("stream closed"));
  server.on_loop([&] {
    server.stream->write("to nobody");
    EXPECT_EQ(server.stream->queued_bytes(), 0u);
  });
}

TEST(response_stream, what_the_peer_sends_meanwhile_is_dropped) {
  test_server server;
  http_client client(server.port);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("streaming"));
  const std::string noise(100 * 1024, 'x');
  ASSERT_TRUE(client.send(noise));
  EXPECT_TRUE(client.send("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
  server.on_loop([&] { server.stream->close(); });
  EXPECT_TRUE(read_all(client).ends_with("3\r\none\r\n0\r\n\r\n"));
  EXPECT_EQ(server.seen.count("held"), 0u);
}

TEST(response_stream, a_peer_that_does_not_read_is_cut_off) {
  http::limits bounds;
  bounds.max_queue = 256 * 1024;
  test_server server(bounds);
  http_client client(server.port, 4096);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("streaming"));
  const std::string block(64 * 1024, 'x');
  // the kernel takes some megabytes at most
  for (int i = 0; i < 400 && server.seen.count("stream closed") == 0; ++i) {
    server.on_loop([&] {
      server.stream->write(block);
      EXPECT_LE(server.stream->queued_bytes(), bounds.max_queue);
    });
  }
  EXPECT_TRUE(server.seen.wait_for("stream closed"));
  EXPECT_EQ(server.metric("roombus_http_slow_consumers_total"), 1);
}

TEST(response_stream, the_server_ends_streams_when_it_closes) {
  test_server server;
  http_client client(server.port);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("streaming"));
  server.on_loop([&] { server.server->close(std::chrono::seconds(5), [&] { server.seen.add("server closed"); }); });
  EXPECT_TRUE(server.seen.wait_for("stream closed"));
  EXPECT_TRUE(read_all(client).ends_with("0\r\n\r\n"));
  EXPECT_TRUE(server.seen.wait_for("server closed"));
}

TEST(response_stream, a_head_request_gets_only_the_head) {
  test_server server;
  http_client client(server.port);
  client.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("no stream"));
  EXPECT_EQ(body_of(read_all(client)), "");
}

}  // namespace
}  // namespace roombus::test
