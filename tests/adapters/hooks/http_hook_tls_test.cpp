// Hooks over https. The server is OpenSSL on blocking sockets and shares no code with the client.

#include <gtest/gtest.h>

#include <array>
#include <future>
#include <semaphore>

#include "adapters/hooks/http_hook_caller.hpp"
#include "schemas/codec/json.hpp"
#include "tests/adapters/hooks/raw_server.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/live_loop.hpp"

namespace roombus::test {
namespace {

class http_hook_tls_test : public ::testing::Test {
 protected:
  hooks::http_hook_options options_for(std::uint16_t port, const std::string& host = "127.0.0.1") {
    hooks::http_hook_options options;
    options.url = *hooks::hook_url::parse("https://" + host + ":" + std::to_string(port) + "/hooks");
    options.timeout = std::chrono::seconds(10);
    net::opened_tls_context opened = net::open_tls_context({authority.ca_file(), {}, {}});
    EXPECT_EQ(opened.error, "");
    options.tls = opened.context;
    return options;
  }
  void use(const hooks::http_hook_options& options) {
    caller = std::make_unique<hooks::http_hook_caller>(options,
                                                       hooks::http_hook_caller::environment{live.loop, time, metrics});
  }
  /// The answer as JSON, or why there is none.
  std::string ask() {
    value_map body{{"n", value(++count)}};
    auto asked = caller->call("onJoin", std::move(body));
    if (!live.run_until([&asked] { return asked.done(); })) return "never";
    hook_outcome outcome = asked.take();
    if (outcome.answer) return json::write(value(std::move(*outcome.answer)));
    detail = outcome.detail;
    return std::string(to_text(outcome.failure));
  }
  bool all_closed() {
    return live.run_until(
        [this] { return metrics.render().find("roombus_hook_http_connections 0") != std::string::npos; });
  }

  test_authority authority;
  const certificate_files own = authority.issue("IP:127.0.0.1");
  live_loop live;
  fake_clock time;
  metrics_registry metrics;
  std::unique_ptr<hooks::http_hook_caller> caller;
  std::string detail;
  int count = 0;
};

TEST_F(http_hook_tls_test, asks_and_keeps_the_connection) {
  raw_request seen;
  raw_server server(
      [&seen](raw_connection& c) {
        while (auto asked = c.read()) {
          seen = *asked;
          c.answer(R"({"x":1})");
        }
      },
      own);
  use(options_for(server.port));
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(ask(), R"({"x":1})") << detail;
  EXPECT_EQ(server.connections(), 1U);
  EXPECT_EQ(seen.body, R"({"n":50})");
}

TEST_F(http_hook_tls_test, the_server_is_told_which_name_is_wanted) {
  std::string wanted = "nothing";
  raw_server server(
      [&wanted](raw_connection& c) {
        wanted = c.wanted_host();
        while (c.read())
          c.answer("{}");
      },
      authority.issue("DNS:localhost,IP:127.0.0.1"));
  use(options_for(server.port, "localhost"));
  EXPECT_EQ(ask(), "{}") << detail;
  EXPECT_EQ(wanted, "localhost");
  use(options_for(server.port));
  EXPECT_EQ(ask(), "{}") << detail;
  EXPECT_EQ(wanted, "") << "addresses are not told";
}

TEST_F(http_hook_tls_test, session_tickets_are_no_end_of_the_rest) {
  std::counting_semaphore<> answered(0);
  std::counting_semaphore<> sent(0);
  const auto soon = std::chrono::seconds(10);
  raw_server server(
      [&](raw_connection& c) {
        while (c.read()) {
          c.answer("{}");
          if (!answered.try_acquire_for(soon)) return;
          for (int i = 0; i < 3; ++i)
            c.send_session_ticket();
          sent.release();
        }
      },
      own);
  use(options_for(server.port));
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(ask(), "{}") << detail;
    answered.release();
    ASSERT_TRUE(sent.try_acquire_for(soon));
    if (i % 2 == 0) continue;  // they are in the socket, and the loop has not looked since
    bool turned = false;
    const timer_handle later = live.loop.after(std::chrono::milliseconds(5), [&turned] { turned = true; });
    ASSERT_TRUE(live.run_until([&turned] { return turned; }));  // a rest in which they are read
  }
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(http_hook_tls_test, who_cannot_show_a_good_certificate_is_told_nothing) {
  test_authority other;
  struct row {
    certificate_files own;
    std::string host;
    const char* why;
  };
  const std::array rows = {
      row{other.issue("IP:127.0.0.1"), "127.0.0.1", "unable to get local issuer"},
      row{authority.self_signed("IP:127.0.0.1"), "127.0.0.1", "self-signed"},
      row{authority.issue("IP:127.0.0.1", test_authority::validity::over), "127.0.0.1", "certificate has expired"},
      row{authority.issue("IP:127.0.0.2,DNS:localhost"), "127.0.0.1", "IP address mismatch"},
      row{authority.issue("IP:127.0.0.1,DNS:other.test"), "localhost", "hostname mismatch"},
  };
  for (const row& r : rows) {
    std::atomic<int> served = 0;
    raw_server server([&served](raw_connection& c) { served += c.read() ? 1 : 0; }, r.own);
    use(options_for(server.port, r.host));
    EXPECT_EQ(ask(), "unreachable") << r.why;
    EXPECT_NE(detail.find("the certificate is not accepted"), std::string::npos) << detail;
    EXPECT_NE(detail.find(r.why), std::string::npos) << detail;
    EXPECT_EQ(served, 0) << r.why;
    EXPECT_EQ(server.connections(), 1U) << "once";
  }
}

TEST_F(http_hook_tls_test, without_a_context_the_systems_trust_store_decides) {
  raw_server server([](raw_connection& c) { c.wait_for_end(); }, own);
  hooks::http_hook_options options = options_for(server.port);
  options.tls = nullptr;
  use(options);
  EXPECT_EQ(ask(), "unreachable");
  EXPECT_NE(detail.find("unable to get local issuer"), std::string::npos) << detail;
}

TEST_F(http_hook_tls_test, a_handshake_that_does_not_end_is_given_up) {
  raw_server server([](raw_connection& c) { c.wait_for_end(); });  // reads, and says nothing
  hooks::http_hook_options options = options_for(server.port);
  options.timeout = std::chrono::milliseconds(200);
  use(options);
  EXPECT_EQ(ask(), "timeout");
  EXPECT_EQ(detail, "after 200 ms, still in the TLS handshake");
  EXPECT_TRUE(all_closed());
}

TEST_F(http_hook_tls_test, a_server_without_tls_is_told_so) {
  raw_server server([](raw_connection& c) { c.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"); });
  use(options_for(server.port));
  EXPECT_EQ(ask(), "unreachable");
  EXPECT_NE(detail.find("no TLS is spoken there"), std::string::npos) << detail;
}

TEST_F(http_hook_tls_test, an_answer_without_a_length_ends_with_tls_only) {
  raw_server server(
      [](raw_connection& c) {
        c.ends_tls = c.number == 1;
        if (c.read()) c.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"x\":1}");
      },
      own);
  use(options_for(server.port));
  EXPECT_EQ(ask(), R"({"x":1})") << detail;
  EXPECT_EQ(ask(), "unreachable") << "anybody on the way can cut a connection";
  EXPECT_NE(detail.find("cut off"), std::string::npos) << detail;
}

TEST_F(http_hook_tls_test, an_answer_with_its_length_is_whole_however_the_connection_ends) {
  raw_server server(
      [](raw_connection& c) {
        c.ends_tls = false;
        if (c.read()) c.answer("{}");
      },
      own);
  use(options_for(server.port));
  EXPECT_EQ(ask(), "{}") << detail;
  EXPECT_TRUE(all_closed()) << "and the end is seen while it rests";
}

TEST_F(http_hook_tls_test, a_long_answer_arrives_whole) {
  const std::string text(500'000, 'x');
  raw_server server(
      [&text](raw_connection& c) {
        while (c.read())
          c.answer("{\"x\":\"" + text + "\"}");
      },
      own);
  use(options_for(server.port));
  EXPECT_EQ(ask().size(), text.size() + 8) << detail;
  EXPECT_EQ(ask().size(), text.size() + 8) << detail;
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(http_hook_tls_test, a_connection_that_was_closed_while_idle_is_replaced) {
  std::atomic<int> requests = 0;
  raw_server server(
      [&requests](raw_connection& c) {
        if (!c.read()) return;
        ++requests;
        c.answer("{}");
      },
      own);
  use(options_for(server.port));
  for (int i = 0; i < 20; ++i)
    ASSERT_NE(ask(), "timeout");  // the close may be on its way still, then it is a failure, never a second call
  EXPECT_LE(requests, 20);
  const int before = requests;
  ASSERT_TRUE(all_closed());
  EXPECT_EQ(ask(), "{}");
  EXPECT_EQ(requests, before + 1);
}

TEST_F(http_hook_tls_test, an_end_that_lies_in_the_socket_is_seen_before_a_request_goes_out) {
  std::promise<void> closed;
  raw_server server(
      [&closed](raw_connection& c) {
        if (c.number == 2) {
          while (c.read())
            c.answer("{}");
          return;
        }
        if (c.read()) c.answer("{}");
        c.end();
        closed.set_value();
        c.wait_for_end();
      },
      own);
  use(options_for(server.port));
  EXPECT_EQ(ask(), "{}") << detail;
  ASSERT_EQ(closed.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  // without a turn of the loop in between
  EXPECT_EQ(ask(), "{}") << detail;
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(http_hook_tls_test, a_request_that_was_read_is_never_sent_again) {
  std::atomic<int> requests = 0;
  raw_server server(
      [&requests](raw_connection& c) {
        c.ends_tls = c.number % 4 < 2;
        while (c.read()) {
          if (++requests % 2 == 0) return;  // as a server that dies at work
          c.answer("{}");
        }
      },
      own);
  use(options_for(server.port));
  for (int i = 1; i <= 10; ++i) {
    EXPECT_EQ(ask(), i % 2 == 1 ? "{}" : "unreachable");
    EXPECT_EQ(requests, i);
  }
}

TEST_F(http_hook_tls_test, a_close_for_idleness_that_crosses_the_request_is_repeated_once) {
  std::atomic<int> requests = 0;
  raw_server server(
      [&requests](raw_connection& c) {
        while (c.read()) {
          const int n = ++requests;
          if (n == 2 || n == 5 || n == 6) return;
          c.answer("{}");
        }
      },
      own);
  use(options_for(server.port));
  EXPECT_EQ(ask(), "{}");
  time.advance(1500);
  EXPECT_EQ(ask(), "{}") << "the second connection";
  EXPECT_EQ(requests, 3);
  EXPECT_EQ(ask(), "{}");
  time.advance(1500);
  EXPECT_EQ(ask(), "unreachable") << "once";
  EXPECT_EQ(requests, 6);
}

}  // namespace
}  // namespace roombus::test
