// The only file of the hooks that knows Beast.

#include "adapters/hooks/hook_connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "adapters/loop/event_loop.hpp"

namespace roombus::hooks {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

constexpr std::uint32_t max_header = 16 * 1024;

/// `timeout=5` of a Keep-Alive header, as ms.
std::int64_t keep_alive_ms(std::string_view text) {
  constexpr std::string_view name = "timeout=";
  const std::size_t at = text.find(name);
  if (at == std::string_view::npos) return INT64_MAX;
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data() + at + name.size(), text.data() + text.size(), seconds);
  (void)end;
  return error == std::errc{} ? std::int64_t{seconds} * 1000 : INT64_MAX;
}

class beast_connection final : public hook_connection, public std::enable_shared_from_this<beast_connection> {
 public:
  beast_connection(event_loop& loop, std::string host, std::uint16_t port, std::size_t max_body)
      : resolver_(loop.context()), socket_(loop.context()), host_(std::move(host)), port_(port), max_body_(max_body) {}

  void exchange(std::shared_ptr<const std::string> request, std::function<void(exchange_result)> done) override {
    request_ = std::move(request);
    done_ = std::move(done);
    ended_ = nullptr;
    if (!connected_) return connect();
    // a peer that closed in the meantime has said so already; then nothing is written and another connection may be
    // used
    char byte = 0;
    const ssize_t peeked = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (peeked >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK)) {
      asio::post(socket_.get_executor(), [self = shared_from_this()] { self->fail_early("closed while it was idle"); });
      return;
    }
    write();
  }

  void rest(std::function<void()> ended) override {
    ended_ = std::move(ended);
    if (watched_) return;
    watched_ = true;
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const error_code&) {
      self->watched_ = false;
      if (auto tell = std::exchange(self->ended_, nullptr)) tell();
    });
  }

  void close() override {
    done_ = nullptr;
    ended_ = nullptr;
    error_code ignored;
    resolver_.cancel();
    socket_.close(ignored);
  }

 private:
  void connect() {
    // numeric addresses are not asked of anybody
    error_code not_numeric;
    const auto address = asio::ip::make_address(host_, not_numeric);
    if (!not_numeric) {
      socket_.async_connect(tcp::endpoint(address, port_),
                            [self = shared_from_this()](const error_code& error) { self->on_connected(error); });
      return;
    }
    resolver_.async_resolve(
        host_, std::to_string(port_), tcp::resolver::numeric_service,
        [self = shared_from_this()](const error_code& error, const tcp::resolver::results_type& all) {
          if (!self->done_) return;
          if (error) return self->fail_early("cannot find the host: " + error.message());
          asio::async_connect(self->socket_, all,
                              [self](const error_code& failed, const tcp::endpoint&) { self->on_connected(failed); });
        });
  }

  void on_connected(const error_code& error) {
    if (!done_) return;
    if (error) return fail_early("cannot connect: " + error.message());
    connected_ = true;
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    write();
  }

  void write() {
    asio::async_write(socket_, asio::buffer(*request_),
                      [self = shared_from_this()](const error_code& error, std::size_t written) {
                        if (!self->done_) return;
                        if (!error) return self->read();
                        exchange_result out;
                        out.detail = "cannot send: " + error.message();
                        out.nothing_sent = written == 0;
                        out.nothing_answered = true;
                        self->finish(std::move(out));
                      });
  }

  void read() {
    parser_.emplace();
    parser_->header_limit(max_header);
    parser_->body_limit(max_body_);
    beast::http::async_read(
        socket_, buffer_, *parser_,
        [self = shared_from_this()](const error_code& error, std::size_t) { self->on_answer(error); });
  }

  void on_answer(const error_code& error) {
    if (!done_) return;
    exchange_result out;
    if (error) {
      out.nothing_answered = !parser_->got_some();
      out.detail = error.message();
      if (error == beast::http::error::body_limit || error == beast::http::error::header_limit) {
        out.failure = hook_failure::too_large;
        out.detail = "an answer of more than " + std::to_string(max_body_) + " bytes";
      } else if (error == beast::http::error::end_of_stream) {
        out.detail = "closed without an answer";
      } else if (error.category() == beast::http::make_error_code(beast::http::error::bad_version).category()) {
        out.failure = hook_failure::malformed;
      }
      return finish(std::move(out));
    }
    auto message = parser_->release();
    out.answered = true;
    out.status = message.result_int();
    out.content_type = std::string(message[beast::http::field::content_type]);
    out.keep = message.keep_alive() && buffer_.size() == 0;
    out.keep_ms = keep_alive_ms(std::string_view(message[beast::http::field::keep_alive]));
    out.body = std::move(message.body());
    finish(std::move(out));
  }

  void fail_early(std::string detail) {
    exchange_result out;
    out.detail = std::move(detail);
    out.nothing_sent = true;
    out.nothing_answered = true;
    finish(std::move(out));
  }

  void finish(exchange_result out) {
    parser_.reset();
    request_.reset();
    if (auto done = std::exchange(done_, nullptr)) done(std::move(out));
  }

  tcp::resolver resolver_;
  tcp::socket socket_;
  const std::string host_;
  const std::uint16_t port_;
  const std::size_t max_body_;
  bool connected_ = false;
  bool watched_ = false;  // somebody waits for the socket to be readable
  std::shared_ptr<const std::string> request_;
  std::function<void(exchange_result)> done_;
  std::function<void()> ended_;
  beast::flat_buffer buffer_;
  std::optional<beast::http::response_parser<beast::http::string_body>> parser_;
};

}  // namespace

std::shared_ptr<hook_connection> make_hook_connection(event_loop& loop, std::string host, std::uint16_t port,
                                                      std::size_t max_body) {
  return std::make_shared<beast_connection>(loop, std::move(host), port, max_body);
}

}  // namespace roombus::hooks
