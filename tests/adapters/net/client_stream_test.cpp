#include "adapters/net/client_stream.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <future>

#include "tests/adapters/hooks/raw_server.hpp"
#include "tests/support/live_loop.hpp"

namespace roombus::test {
namespace {

using boost::system::error_code;

class client_stream_test : public ::testing::TestWithParam<bool> {
 protected:
  [[nodiscard]] bool with_tls() const { return GetParam(); }
  std::unique_ptr<raw_server> serve(std::function<void(raw_connection&)> what) {
    std::optional<certificate_files> own;
    if (with_tls()) own = authority.issue("IP:127.0.0.1");
    return std::make_unique<raw_server>(std::move(what), own);
  }
  std::unique_ptr<net::client_stream> connect(std::uint16_t port) {
    std::shared_ptr<net::tls_context> trust;
    if (with_tls()) trust = net::open_tls_context({authority.ca_file(), {}, {}}).context;
    auto out = std::make_unique<net::client_stream>(live.loop, trust, 16'384);
    std::optional<std::string> trouble;
    out->connect("127.0.0.1", port, [&trouble](std::string text) { trouble = std::move(text); });
    EXPECT_TRUE(live.run_until([&trouble] { return trouble.has_value(); }));
    EXPECT_EQ(trouble.value_or("nothing"), "");
    return out;
  }

  test_authority authority;
  live_loop live;
};

TEST_P(client_stream_test, carries_bytes_both_ways) {
  const auto server = serve([](raw_connection& c) {
    while (auto asked = c.read())
      c.send(asked->body);
  });
  const auto stream = connect(server->port);
  const std::string body(100'000, 'x');
  std::string got;
  std::function<void(const error_code&, std::string_view)> take = [&](const error_code& error, std::string_view bytes) {
    ASSERT_FALSE(error) << error.message();
    got += bytes;
    if (got.size() < body.size()) stream->read(take);
  };
  stream->read(take);
  bool written = false;
  stream->write(std::make_shared<const std::string>("X\r\nContent-Length: 100000\r\n\r\n" + body),
                [&written](const error_code& error, bool) { written = !error; });
  EXPECT_TRUE(live.run_until([&] { return written && got.size() == body.size(); }));
  EXPECT_EQ(got, body);
}

TEST_P(client_stream_test, a_write_that_fails_half_way_may_have_left) {
  const auto server = serve([](raw_connection&) {});  // closes with bytes unread
  const auto stream = connect(server->port);
  std::optional<bool> may_have_left;
  stream->write(std::make_shared<const std::string>(50'000'000, 'x'), [&](const error_code& error, bool left) {
    EXPECT_TRUE(error);
    may_have_left = left;
  });
  ASSERT_TRUE(live.run_until([&] { return may_have_left.has_value(); }));
  EXPECT_EQ(may_have_left, true);
}

TEST_P(client_stream_test, tells_an_end_that_was_meant_from_one_that_was_not) {
  const auto server = serve([](raw_connection& c) { c.ends_tls = c.number == 1; });
  for (const bool meant : {true, false}) {
    const auto stream = connect(server->port);
    std::string told;
    stream->read([&told](const error_code& error, std::string_view) { told = net::text_of(error); });
    ASSERT_TRUE(live.run_until([&told] { return !told.empty(); }));
    EXPECT_EQ(told, meant || !with_tls() ? "End of file" : "cut off (TLS was not ended)");
  }
}

TEST_P(client_stream_test, nothing_is_called_after_it_was_closed) {
  const auto server = serve([](raw_connection& c) { c.wait_for_end(); });
  auto stream = connect(server->port);
  auto held = std::make_shared<int>();
  const std::weak_ptr<int> alive = held;
  stream->read([held](const error_code&, std::string_view) { ADD_FAILURE(); });
  stream->write(std::make_shared<const std::string>("x"), [held](const error_code&, bool) { ADD_FAILURE(); });
  held.reset();
  stream->close();
  stream.reset();
  EXPECT_TRUE(live.run_until([&alive] { return alive.expired(); })) << "and what handlers hold is let go";
}

TEST(client_stream_tls_test, it_can_be_closed_in_the_handshake) {
  std::promise<void> begun;
  std::promise<void> ended;
  raw_server server([&](raw_connection& c) {  // without TLS: reads the client's first words, and answers nothing
    begun.set_value();
    c.wait_for_end();
    ended.set_value();
  });
  live_loop live;
  net::client_stream stream(live.loop, net::default_tls_context(), 16'384);
  auto held = std::make_shared<int>();
  const std::weak_ptr<int> alive = held;
  stream.connect("127.0.0.1", server.port, [held](const std::string&) { ADD_FAILURE(); });
  held.reset();
  EXPECT_TRUE(live.run_until([&stream] { return stream.step() == "in the TLS handshake"; }));
  ASSERT_EQ(begun.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready);
  stream.close();
  EXPECT_EQ(ended.get_future().wait_for(std::chrono::seconds(10)), std::future_status::ready) << "without waiting";
  EXPECT_TRUE(live.run_until([&alive] { return alive.expired(); }));
}

INSTANTIATE_TEST_SUITE_P(over, client_stream_test, ::testing::Bool(),
                         [](const auto& kind) { return kind.param ? "tls" : "tcp"; });

TEST(tls_context_test, files_that_cannot_be_used_are_told) {
  test_authority authority;
  const certificate_files own = authority.issue("DNS:roombus.test");
  const certificate_files other = authority.issue("DNS:other.test");
  const std::string text = authority.file("text");
  std::ofstream(text) << "no certificate\n";
  struct row {
    net::tls_options files;
    net::tls_part part;
    std::string error;
  };
  using enum net::tls_part;
  const std::vector<row> rows = {
      {{"/nowhere", {}, {}}, trust, "cannot use the certificates in \"/nowhere\": No such file or directory"},
      {{text, {}, {}}, trust, "cannot use the certificates in \"" + text + "\": TLS: no certificate or crl found"},
      {{{}, "/nowhere", {}}, certificate, "cannot use the certificate in \"/nowhere\": No such file or directory"},
      {{{}, text, {}}, certificate, "cannot use the certificate in \"" + text + "\": TLS: no start line"},
      {{{}, own.cert, {}}, key, "cannot use the key in \"" + own.cert + "\": "},
      {{{}, own.cert, "/nowhere"}, key, "cannot use the key in \"/nowhere\": No such file or directory"},
      {{{}, own.cert, other.key}, key, "cannot use the key in \"" + other.key + "\": TLS: key values mismatch"},
  };
  for (const row& r : rows) {
    const net::opened_tls_context opened = net::open_tls_context(r.files);
    EXPECT_FALSE(opened.context) << r.error;
    EXPECT_EQ(opened.part, r.part) << r.error;
    EXPECT_EQ(opened.error.substr(0, r.error.size()), r.error);
  }
  EXPECT_TRUE(net::open_tls_context({authority.ca_file(), own.cert, own.key}).context);
}

}  // namespace
}  // namespace roombus::test
