#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <vector>

#include "tests/adapters/http/test_server.hpp"
#include "tests/support/http_client.hpp"

namespace roombus::test {
namespace {

using std::chrono::milliseconds;

http::limits short_times() {
  http::limits bounds;
  bounds.request_timeout_ms = 150;
  bounds.idle_timeout_ms = 150;
  bounds.close_wait_ms = 150;
  return bounds;
}

TEST(connection_limits, a_request_that_trickles_in_is_ended) {
  test_server server(short_times());
  http_client client(server.port);
  const auto start = std::chrono::steady_clock::now();
  client.send("GET /echo HTTP/1.1\r\nHost: t\r\nX: ");
  while (client.send("x") && std::chrono::steady_clock::now() - start < std::chrono::seconds(5)) {
    std::this_thread::yield();  // bytes keep coming, which must not move the deadline
    if (server.metric("roombus_http_timeouts_total") > 0) break;
  }
  EXPECT_EQ(server.metric("roombus_http_timeouts_total"), 1);
  EXPECT_EQ(client.read_answer()->status, 408);
  EXPECT_TRUE(client.at_end());
}

TEST(connection_limits, a_connection_that_sends_nothing_is_ended) {
  test_server server(short_times());
  http_client client(server.port);
  EXPECT_TRUE(client.at_end());
}

TEST(connection_limits, an_idle_kept_connection_is_ended) {
  test_server server(short_times());
  http_client client(server.port);
  EXPECT_EQ(client.get("/echo")->status, 200);
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(server.metric("roombus_http_timeouts_total"), 0);
}

TEST(connection_limits, a_waiting_answer_has_no_deadline_of_ours) {
  test_server server(short_times());
  http_client waiting(server.port);
  waiting.send("GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("held"));
  for (int i = 0; i < 3; ++i) {
    http_client idle(server.port);
    EXPECT_TRUE(idle.at_end());  // each of them lasts one timeout
  }
  server.on_loop([&] { server.held.at(0)->send({}); });
  EXPECT_EQ(waiting.read_answer()->status, 200);
}

TEST(connection_limits, a_peer_that_does_not_read_its_answer_is_ended) {
  test_server server(short_times());
  http_client client(server.port, 4096);
  client.send("GET /big HTTP/1.1\r\nHost: t\r\n\r\n");
  http_client other(server.port);
  EXPECT_TRUE(other.at_end());
  while (server.metric("roombus_http_connections{") > 0)
    std::this_thread::yield();
  EXPECT_EQ(server.metric("roombus_http_timeouts_total"), 1);
}

TEST(connection_limits, an_upgrade_that_nobody_decides_is_answered_500) {
  test_server server;
  http_client client(server.port);
  EXPECT_EQ(client.upgrade("/ws/drop")->status, 500);
  EXPECT_TRUE(client.at_end());
}

TEST(connection_limits, more_connections_than_allowed_are_closed_at_once) {
  http::limits bounds;
  bounds.max_connections = 2;
  test_server server(bounds);
  http_client first(server.port);
  auto second = std::make_unique<http_client>(server.port);
  EXPECT_TRUE(first.get("/echo"));
  EXPECT_TRUE(second->get("/echo"));
  http_client third(server.port);
  EXPECT_TRUE(third.at_end());
  EXPECT_EQ(server.metric("roombus_http_connections_refused_total"), 1);
  second.reset();
  while (server.metric("roombus_http_connections{") > 1)
    std::this_thread::yield();
  http_client fourth(server.port);
  EXPECT_TRUE(fourth.get("/echo"));
}

TEST(connection_limits, connections_are_counted_per_address) {
  http::limits bounds;
  bounds.max_connections_per_address = 1;
  test_server server(bounds);
  auto first = std::make_unique<http_client>(server.port);
  EXPECT_TRUE(first->get("/echo"));
  EXPECT_TRUE(http_client(server.port).at_end());
  first.reset();
  while (server.metric("roombus_http_connections{") > 0)
    std::this_thread::yield();
  EXPECT_TRUE(http_client(server.port).get("/echo"));
}

/// Leaves the process `left` free file descriptors, as long as it lives.
class few_descriptors {
 public:
  explicit few_descriptors(std::size_t left) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    before_ = limit;
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 512);
    setrlimit(RLIMIT_NOFILE, &limit);
    for (int fd = open_one(); fd >= 0; fd = open_one())
      fds_.push_back(fd);
    for (; left > 0 && !fds_.empty(); --left)
      close_one();
  }
  ~few_descriptors() {
    while (!fds_.empty())
      close_one();
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  few_descriptors(const few_descriptors&) = delete;
  few_descriptors& operator=(const few_descriptors&) = delete;

  void close_one() {
    ::close(fds_.back());
    fds_.pop_back();
  }

 private:
  static int open_one() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }
  std::vector<int> fds_;
  rlimit before_{};
};

TEST(connection_limits, without_descriptors_accepting_rests_and_goes_on_when_there_are_some) {
  test_server server(short_times());
  {
    few_descriptors none(1);
    const auto start = std::chrono::steady_clock::now();
    http_client waits(server.port);  // it has the last one
    waits.send("GET /echo HTTP/1.1\r\nHost: t\r\n\r\n");
    ASSERT_TRUE(server.seen.wait_for("log accept_failed"));
    while (std::chrono::steady_clock::now() - start < milliseconds(500))
      std::this_thread::yield();
    // it looks again each time the server's clock ticks, every 37 ms with these times
    EXPECT_LE(server.seen.count("log accept_failed"), 20U) << "it does not spin";
    none.close_one();
    EXPECT_EQ(waits.read_answer()->status, 200);
  }
  EXPECT_TRUE(http_client(server.port).get("/echo"));
}

TEST(connection_limits, an_address_in_use_is_an_error_that_names_it) {
  test_server server;
  server.on_loop([&] {
    event_loop loop;
    metrics_registry metrics;
    struct : log_sink {
      void write(log_level, std::string_view, std::string_view) override {}
    } quiet;
    http::server_options options;
    options.port = server.port;
    http::server second(loop, options, metrics, quiet);
    const auto bound = second.listen();
    EXPECT_FALSE(bound);
    EXPECT_EQ(bound.error, "cannot listen on 127.0.0.1:" + std::to_string(server.port) + ": Address already in use");
    options.address = "nowhere";
    EXPECT_FALSE(http::server(loop, options, metrics, quiet).listen());
  });
}

TEST(connection_limits, a_clean_close_ends_idle_lets_answers_out_and_closes_websockets) {
  test_server server;
  http_client idle(server.port);
  http_client waiting(server.port);
  http_client socket(server.port);
  EXPECT_TRUE(idle.get("/echo"));
  waiting.send("GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("held"));
  ASSERT_EQ(socket.upgrade("/ws/echo")->status, 101);
  ASSERT_TRUE(server.seen.wait_for("open"));
  server.on_loop([&] { server.server->close(milliseconds(10000), [&] { server.seen.add("closed"); }); });
  EXPECT_TRUE(idle.at_end());
  EXPECT_EQ(socket.read_frame()->close_code(), 1001);
  socket.send_frame(8, "\x03\xe9");
  EXPECT_TRUE(server.seen.wait_for("close 1001"));
  EXPECT_TRUE(socket.at_end());
  EXPECT_EQ(server.seen.count("closed"), 0u);
  server.on_loop([&] { server.held.at(0)->send({}); });
  EXPECT_EQ(waiting.read_answer()->headers.at("connection"), "close");
  EXPECT_TRUE(waiting.at_end());
  waiting.shut_down();
  socket.shut_down();
  idle.shut_down();
  EXPECT_TRUE(server.seen.wait_for("closed"));
  EXPECT_THROW(http_client{server.port}, std::runtime_error);
}

TEST(connection_limits, what_does_not_end_in_time_is_cut) {
  test_server server;
  http_client waiting(server.port);
  waiting.send("GET /hold HTTP/1.1\r\nHost: t\r\n\r\n");
  ASSERT_TRUE(server.seen.wait_for("held"));
  server.on_loop([&] { server.server->close(milliseconds(50), [&] { server.seen.add("closed"); }); });
  EXPECT_TRUE(waiting.at_end());
  EXPECT_TRUE(server.seen.wait_for("closed"));
  EXPECT_EQ(server.seen.count("aborted"), 1u);
}

}  // namespace
}  // namespace roombus::test
