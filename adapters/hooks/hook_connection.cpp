// The only file of the hooks that knows Beast.

#include "adapters/hooks/hook_connection.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "adapters/loop/event_loop.hpp"
#include "adapters/net/client_stream.hpp"

namespace roombus::hooks {

namespace asio = boost::asio;
namespace beast = boost::beast;
using boost::system::error_code;

namespace {

constexpr std::uint32_t max_header = 16 * 1024;
constexpr std::size_t input_bytes = 16UL * 1024;

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
  beast_connection(event_loop& loop, hook_server_address server, std::size_t max_body)
      : stream_(loop, server.tls, input_bytes), server_(std::move(server)), max_body_(max_body) {}

  void exchange(std::shared_ptr<const std::string> request, std::function<void(exchange_result)> done) override {
    request_ = std::move(request);
    done_ = std::move(done);
    if (!connected_) return connect();
    // a peer that closed in the meantime has said so already; then nothing is written and another connection may be
    // used
    stream_.resume([self = shared_from_this()](bool alive) {
      if (!self->done_) return;
      if (!alive) return self->fail_early("closed while it was idle");
      self->write();
    });
  }

  void rest(std::function<void()> ended) override { stream_.rest(std::move(ended)); }

  void close() override {
    done_ = nullptr;
    stream_.close();
  }

  [[nodiscard]] std::string_view step() const override { return connected_ ? "" : stream_.step(); }

 private:
  void connect() {
    stream_.connect(server_.host, server_.port, [self = shared_from_this()](std::string trouble) {
      if (!self->done_) return;
      if (!trouble.empty()) return self->fail_early(std::move(trouble));
      self->connected_ = true;
      self->write();
    });
  }

  void write() {
    stream_.write(request_, [self = shared_from_this()](const error_code& error, bool may_have_left) {
      if (!self->done_) return;
      if (!error) return self->read();
      exchange_result out;
      out.detail = "cannot send: " + net::text_of(error);
      out.nothing_sent = !may_have_left;
      out.nothing_answered = true;
      self->finish(std::move(out));
    });
  }

  void read() {
    parser_.emplace();
    parser_->eager(true);
    parser_->header_limit(max_header);
    parser_->body_limit(max_body_);
    read_more();
  }

  void read_more() {
    stream_.read([self = shared_from_this()](const error_code& error, std::string_view bytes) {
      if (self->done_) self->on_bytes(error, bytes);
    });
  }

  void on_bytes(error_code error, std::string_view bytes) {
    if (error == asio::error::eof) {
      error = beast::http::error::end_of_stream;
      // an answer without a length ends here
      if (parser_->got_some()) {
        error = {};
        parser_->put_eof(error);
      }
      return on_answer(error);
    }
    if (error) return on_answer(error);
    buffer_.commit(asio::buffer_copy(buffer_.prepare(bytes.size()), asio::buffer(bytes)));
    while (buffer_.size() > 0 && !parser_->is_done()) {
      buffer_.consume(parser_->put(buffer_.data(), error));
      if (error == beast::http::error::need_more) break;
      if (error) return on_answer(error);
    }
    if (parser_->is_done()) return on_answer({});
    read_more();
  }

  void on_answer(const error_code& error) {
    if (!done_) return;
    exchange_result out;
    if (error) {
      out.nothing_answered = !parser_->got_some();
      out.detail = net::text_of(error);
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

  net::client_stream stream_;
  const hook_server_address server_;
  const std::size_t max_body_;
  bool connected_ = false;
  std::shared_ptr<const std::string> request_;
  std::function<void(exchange_result)> done_;
  beast::flat_buffer buffer_;
  std::optional<beast::http::response_parser<beast::http::string_body>> parser_;
};

}  // namespace

std::shared_ptr<hook_connection> make_hook_connection(event_loop& loop, hook_server_address server,
                                                      std::size_t max_body) {
  return std::make_shared<beast_connection>(loop, std::move(server), max_body);
}

}  // namespace roombus::hooks
