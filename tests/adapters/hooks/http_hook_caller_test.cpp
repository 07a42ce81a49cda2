#include "adapters/hooks/http_hook_caller.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <mutex>

#include "adapters/hooks/hook_signature.hpp"
#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"
#include "tests/adapters/hooks/raw_server.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/live_loop.hpp"
#include "tests/support/proves.hpp"

namespace roombus::test {
namespace {

class http_hook_caller_test : public ::testing::Test {
 protected:
  hooks::http_hook_options options_for(std::uint16_t port) {
    hooks::http_hook_options options;
    options.url = *hooks::hook_url::parse("http://127.0.0.1:" + std::to_string(port) + "/hooks");
    options.timeout = std::chrono::seconds(10);
    return options;
  }

  void use(const hooks::http_hook_options& options) {
    caller = std::make_unique<hooks::http_hook_caller>(options,
                                                       hooks::http_hook_caller::environment{live.loop, time, metrics});
  }

  task<hook_outcome> begin(const std::string& hook = "onJoin") {
    value_map body{{"n", value(++count)}};
    return caller->call(hook, std::move(body));
  }

  /// The answer as JSON, or why there is none.
  std::string finish(task<hook_outcome> asked) {
    if (!live.run_until([&asked] { return asked.done(); })) return "never";
    hook_outcome outcome = asked.take();
    if (outcome.answer) return json::write(value(std::move(*outcome.answer)));
    detail = outcome.detail;
    return std::string(to_text(outcome.failure));
  }

  std::string ask(const std::string& hook = "onJoin") { return finish(begin(hook)); }

  live_loop live;
  fake_clock time;
  metrics_registry metrics;
  std::unique_ptr<hooks::http_hook_caller> caller;
  std::string detail;
  int count = 0;
};

TEST_F(http_hook_caller_test, posts_the_body_and_reads_the_answer) {
  proves("7.36");
  raw_request seen;
  raw_server server([&seen](raw_connection& c) {
    seen = c.read().value();
    c.answer(R"({"x":1})");
  });
  use(options_for(server.port));
  EXPECT_EQ(ask("onJoin"), R"({"x":1})");
  EXPECT_TRUE(seen.head.starts_with("POST /hooks/onJoin HTTP/1.1\r\n")) << seen.head;
  EXPECT_EQ(seen.header("Host"), "127.0.0.1:" + std::to_string(server.port));
  EXPECT_EQ(seen.header("Content-Type"), "application/json");
  EXPECT_EQ(seen.header("X-Roombus-Signature"), "") << "no secret, no signature";
  EXPECT_EQ(seen.body, R"({"n":1})");
}

TEST_F(http_hook_caller_test, signs_with_the_secret) {
  raw_request seen;
  raw_server server([&seen](raw_connection& c) {
    seen = c.read().value();
    c.answer("{}");
  });
  hooks::http_hook_options options = options_for(server.port);
  options.secret = "s3cret";
  time.wall = 1234567890123;
  use(options);
  EXPECT_EQ(ask(), "{}");
  EXPECT_EQ(seen.header("X-Roombus-Timestamp"), "1234567890123");
  EXPECT_EQ(seen.header("X-Roombus-Signature"), hooks::hook_signature("s3cret", "1234567890123", seen.body));
}

TEST_F(http_hook_caller_test, speaks_cbor_when_told) {
  raw_request seen;
  raw_server server([&seen](raw_connection& c) {
    seen = c.read().value();
    c.send("HTTP/1.1 200 OK\r\nContent-Type: application/cbor\r\nContent-Length: 4\r\n\r\n\xa1\x61\x78\x01");
  });
  hooks::http_hook_options options = options_for(server.port);
  options.encoding = payload::encoding::cbor;
  use(options);
  EXPECT_EQ(ask(), R"({"x":1})");
  EXPECT_EQ(seen.header("Content-Type"), "application/cbor");
  EXPECT_EQ(seen.body, cbor::write(value_map{{"n", value(1)}}));
}

TEST_F(http_hook_caller_test, keeps_the_connection) {
  raw_server server([](raw_connection& c) {
    while (c.read())
      c.answer("{}");
  });
  use(options_for(server.port));
  for (int i = 0; i < 50; ++i)
    ASSERT_EQ(ask(), "{}");
  EXPECT_EQ(server.connections(), 1U);
}

TEST_F(http_hook_caller_test, opens_no_more_connections_than_it_may) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  raw_server server([&](raw_connection& c) {
    while (c.read()) {
      most = std::max<int>(most, ++running);
      // two calls are at work at a time: both are let go when the second has come
      while (running == 1 && most < 2)
        std::this_thread::yield();
      --running;
      c.answer("{}");
    }
  });
  hooks::http_hook_options options = options_for(server.port);
  options.max_connections = 2;
  use(options);
  std::vector<task<hook_outcome>> asked;
  for (int i = 0; i < 20; ++i)
    asked.push_back(begin());
  for (auto& one : asked)
    EXPECT_EQ(finish(std::move(one)), "{}");
  EXPECT_EQ(most, 2);
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(http_hook_caller_test, a_full_queue_fails_at_once) {
  raw_server server([](raw_connection& c) { c.wait_for_end(); });
  hooks::http_hook_options options = options_for(server.port);
  options.max_connections = 1;
  options.max_queue = 1;
  options.timeout = std::chrono::milliseconds(200);
  use(options);
  auto first = begin();
  auto second = begin();
  auto third = begin();
  ASSERT_TRUE(third.done());
  EXPECT_EQ(finish(std::move(third)), "overload");
  EXPECT_EQ(finish(std::move(first)), "timeout");
  EXPECT_EQ(finish(std::move(second)), "overload")
      << "waiting for a connection counts, but says nothing about the server";
}

TEST_F(http_hook_caller_test, strangers_use_at_most_half_of_connections_and_queue) {
  std::atomic<bool> let_go = false;
  raw_server server([&let_go](raw_connection& c) {
    while (auto asked = c.read()) {
      while (asked->head.find("/onConnect ") != std::string::npos && !let_go)
        std::this_thread::yield();
      c.answer("{}");
    }
  });
  hooks::http_hook_options options = options_for(server.port);
  options.max_connections = 4;
  options.max_queue = 4;
  use(options);
  std::vector<task<hook_outcome>> logins;
  for (int i = 0; i < 4; ++i)
    logins.push_back(begin("onConnect"));
  auto fifth = begin("onConnect");
  ASSERT_TRUE(fifth.done()) << "two run, two wait";
  EXPECT_EQ(finish(std::move(fifth)), "overload");
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(ask("roomMessageBefore"), "{}") << "others are asked all the same";
  EXPECT_EQ(server.connections(), 3U);
  for (const auto& one : logins)
    EXPECT_FALSE(one.done());
  let_go = true;
  for (auto& one : logins)
    EXPECT_EQ(finish(std::move(one)), "{}");
  EXPECT_EQ(ask("onConnect"), "{}") << "places come back";
}

TEST_F(http_hook_caller_test, with_one_connection_strangers_and_others_take_turns) {
  std::vector<std::string> order;
  std::mutex lock;
  raw_server server([&](raw_connection& c) {
    while (auto asked = c.read()) {
      {
        const std::lock_guard guard(lock);
        order.push_back(asked->body);
      }
      c.answer("{}");
    }
  });
  hooks::http_hook_options options = options_for(server.port);
  options.max_connections = 1;
  use(options);
  std::vector<task<hook_outcome>> asked;
  for (int i = 0; i < 6; ++i)
    asked.push_back(begin(i % 2 == 0 ? "onConnect" : "onJoin"));
  for (auto& one : asked)
    EXPECT_EQ(finish(std::move(one)), "{}");
  EXPECT_EQ(order, (std::vector<std::string>{R"({"n":1})", R"({"n":2})", R"({"n":3})", R"({"n":4})", R"({"n":5})",
                                             R"({"n":6})"}))
      << "as they came";
}

TEST_F(http_hook_caller_test, an_answer_that_comes_late_is_not_taken_for_the_next) {
  proves("7.17", "7.38");
  std::atomic<bool> answer_now = false;
  raw_server server([&answer_now](raw_connection& c) {
    while (auto asked = c.read()) {
      while (asked->body == R"({"n":1})" && !answer_now)
        std::this_thread::yield();
      c.answer(asked->body);
    }
  });
  hooks::http_hook_options options = options_for(server.port);
  options.timeout = std::chrono::milliseconds(200);
  use(options);
  EXPECT_EQ(ask(), "timeout");
  answer_now = true;
  EXPECT_EQ(ask(), R"({"n":2})");
}

TEST_F(http_hook_caller_test, nobody_there) {
  use(options_for(closed_port()));
  EXPECT_EQ(ask(), "unreachable");
  EXPECT_NE(detail.find("cannot connect"), std::string::npos) << detail;
}

TEST_F(http_hook_caller_test, liars_are_told_apart) {
  struct lie {
    const char* name;
    std::string bytes;
    const char* outcome;
  };
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::vector<lie> lies = {
      {"status_500", "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\n{}", "refused"},
      {"redirect", "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "refused"},
      {"no_content", "HTTP/1.1 204 No Content\r\n\r\n", "refused"},
      {"no_json", ok + "Content-Type: application/json\r\nContent-Length: 3\r\n\r\n{a}", "malformed"},
      {"html", ok + "Content-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>", "malformed"},
      {"empty", ok + "Content-Length: 0\r\n\r\n", "malformed"},
      {"a_list", ok + "Content-Length: 2\r\n\r\n[]", "malformed"},
      {"a_text", ok + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n\"\"", "malformed"},
      {"cbor_that_is_none", ok + "Content-Type: application/cbor\r\nContent-Length: 2\r\n\r\n{}", "malformed"},
      {"no_http", "hello\r\n\r\n", "malformed"},
      {"ends_early", ok + "Content-Length: 10\r\n\r\n{}", "malformed"},
      {"claims_too_much", ok + "Content-Length: 100000000\r\n\r\n{}", "too_large"},
      {"long_header", ok + "X: " + std::string(20'000, 'x') + "\r\nContent-Length: 2\r\n\r\n{}", "too_large"},
      {"nothing", "", "unreachable"},
  };
  for (const lie& one : lies) {
    raw_server server([&one](raw_connection& c) {
      if (c.read()) c.send(one.bytes);
    });
    use(options_for(server.port));
    EXPECT_EQ(ask(), one.outcome) << one.name << ": " << detail;
  }
}

TEST_F(http_hook_caller_test, a_body_without_end_is_cut_off) {
  std::promise<void> cut_off;
  raw_server server([&cut_off](raw_connection& c) {
    const bool chunked = c.number == 1;
    if (!c.read()) return;
    c.send(chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" : "HTTP/1.1 200 OK\r\n\r\n");
    const std::string block(10'000, ' ');
    while (c.send(chunked ? "2710\r\n" + block + "\r\n" : block)) {
    }
    if (chunked) cut_off.set_value();
  });
  use(options_for(server.port));
  EXPECT_EQ(ask(), "too_large");
  EXPECT_EQ(cut_off.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_EQ(ask(), "too_large");
}

TEST_F(http_hook_caller_test, a_connection_that_was_closed_while_idle_is_replaced) {
  std::atomic<int> requests = 0;
  raw_server server([&requests](raw_connection& c) {
    if (!c.read()) return;
    ++requests;
    c.answer("{}");
  });
  use(options_for(server.port));
  for (int i = 0; i < 20; ++i)
    ASSERT_NE(ask(), "timeout");  // the close may be on its way still, then it is a failure, never a second call
  EXPECT_LE(requests, 20);
  // now it has arrived for certain: nothing is lost any more
  const int before = requests;
  ASSERT_TRUE(
      live.run_until([this] { return metrics.render().find("roombus_hook_http_connections 0") != std::string::npos; }));
  EXPECT_EQ(ask(), "{}");
  EXPECT_EQ(requests, before + 1);
}

TEST_F(http_hook_caller_test, a_request_that_was_read_is_never_sent_again) {
  std::atomic<int> requests = 0;
  raw_server server([&requests](raw_connection& c) {
    while (c.read()) {
      if (++requests % 2 == 0) return;  // as a server that dies at work
      c.answer("{}");
    }
  });
  use(options_for(server.port));
  for (int i = 1; i <= 10; ++i) {
    EXPECT_EQ(ask(), i % 2 == 1 ? "{}" : "unreachable");
    EXPECT_EQ(requests, i);
  }
}

TEST_F(http_hook_caller_test, a_close_for_idleness_that_crosses_the_request_is_repeated_once) {
  std::atomic<int> requests = 0;
  raw_server server([&requests](raw_connection& c) {
    while (c.read()) {
      const int n = ++requests;
      if (n == 2 || n == 5 || n == 6) return;
      c.answer("{}");
    }
  });
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

TEST_F(http_hook_caller_test, a_connection_is_not_used_longer_than_the_server_keeps_it) {
  raw_server server([](raw_connection& c) {
    while (c.read())
      c.answer("{}", c.number == 1 ? "Keep-Alive: timeout=3\r\n" : "");
  });
  use(options_for(server.port));
  EXPECT_EQ(ask(), "{}");
  time.advance(1999);
  EXPECT_EQ(ask(), "{}");
  EXPECT_EQ(server.connections(), 1U);
  time.advance(2000);
  EXPECT_EQ(ask(), "{}");
  EXPECT_EQ(server.connections(), 2U);
  time.advance(4000);
  EXPECT_EQ(ask(), "{}") << "over the limit of our own";
  EXPECT_EQ(server.connections(), 3U);
}

TEST_F(http_hook_caller_test, a_server_that_wants_to_close_is_let_to) {
  raw_server server([](raw_connection& c) {
    while (c.read())
      c.answer("{}", "Connection: close\r\n");
  });
  use(options_for(server.port));
  EXPECT_EQ(ask(), "{}");
  EXPECT_EQ(ask(), "{}");
  EXPECT_EQ(server.connections(), 2U);
}

TEST_F(http_hook_caller_test, bytes_behind_the_answer_end_the_connection) {
  raw_server server([](raw_connection& c) {
    while (c.read())
      c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"x\":1}");
  });
  use(options_for(server.port));
  EXPECT_EQ(ask(), "{}");
  EXPECT_EQ(ask(), "{}");
  EXPECT_EQ(server.connections(), 2U);
}

}  // namespace
}  // namespace roombus::test
