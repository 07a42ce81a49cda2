#include "adapters/http/ws_session.hpp"

#include <algorithm>
#include <deque>

#include <boost/asio/post.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>

namespace roombus::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

namespace {

constexpr std::size_t compress_from = 1024;  // shorter payloads are not worth it
constexpr std::size_t kept_read_buffer = 16 * 1024;

/// What Beast reads from and writes to: the socket one way, the link's queue the other. Each write of Beast's is one
/// unit in the queue (a control frame, the handshake, a fragment of a compressed message), never split, and complete
/// once it is queued.
class frame_queue {
 public:
  using executor_type = io_executor;

  frame_queue(std::shared_ptr<tcp_link> link, std::string leftover)
      : link_(std::move(link)), leftover_(std::move(leftover)) {}

  [[nodiscard]] executor_type get_executor() { return link_->socket().get_executor(); }
  [[nodiscard]] tcp_link& link() { return *link_; }

  /// Queues a close frame, after which nothing more goes out. The first one wins, whoever sends it.
  void push_close(std::string_view frame) {
    if (std::exchange(closing_, true)) return;
    link_->push_copy(frame);
  }
  [[nodiscard]] bool closing() const { return closing_; }

  template <class Buffers, class Handler>
  auto async_read_some(const Buffers& buffers, Handler&& handler) {
    return asio::async_initiate<Handler, void(error_code, std::size_t)>(
        [this](auto done, const Buffers& to) {
          if (leftover_.empty()) return link_->socket().async_read_some(to, std::move(done));
          const std::size_t n = asio::buffer_copy(to, asio::buffer(leftover_));
          leftover_.erase(0, n);
          if (leftover_.empty()) leftover_.shrink_to_fit();
          asio::post(get_executor(), beast::bind_handler(std::move(done), error_code(), n));
        },
        handler, buffers);
  }

  template <class Buffers, class Handler>
  auto async_write_some(const Buffers& buffers, Handler&& handler) {
    return asio::async_initiate<Handler, void(error_code, std::size_t)>(
        [this](auto done, const Buffers& from) {
          const std::size_t n = asio::buffer_size(from);
          write_unit(beast::buffers_to_string(from));
          const error_code error = link_->open() ? error_code() : error_code(asio::error::operation_aborted);
          asio::post(get_executor(), beast::bind_handler(std::move(done), error, error ? 0 : n));
        },
        handler, buffers);
  }

  void close() { link_->fail(); }
  void finish() { link_->finish(); }

 private:
  void write_unit(std::string unit) {
    constexpr unsigned char close_frame = 0x88;
    if (unit.empty() || closing_) return;
    if (static_cast<unsigned char>(unit.front()) == close_frame) return push_close(unit);
    link_->push(std::move(unit));
  }

  std::shared_ptr<tcp_link> link_;
  std::string leftover_;  // read behind the upgrade request
  bool closing_ = false;
};

// found by Beast through their argument
void beast_close_socket(frame_queue& queue) {
  queue.close();
}

[[maybe_unused]] void teardown(beast::role_type, frame_queue& queue, error_code& error) {
  queue.finish();
  error = {};
}

template <class Handler>
void async_teardown(beast::role_type, frame_queue& queue, Handler&& handler) {
  queue.finish();
  asio::post(queue.get_executor(), beast::bind_handler(std::forward<Handler>(handler), error_code()));
}

class ws_session final : public link_owner, public ws_connection, public std::enable_shared_from_this<ws_session> {
 public:
  ws_session(std::shared_ptr<server_core> core, std::shared_ptr<tcp_link> link, beast_request request,
             std::string leftover, std::shared_ptr<ws_handler> to,
             std::function<void(std::shared_ptr<ws_connection>)> on_open)
      : core_(std::move(core)),
        link_(link.get()),
        stream_(std::move(link), std::move(leftover)),
        request_(std::move(request)),
        handler_(std::move(to)),
        on_open_(std::move(on_open)) {}

  void start();

  void send(shared_frame frame) override;
  [[nodiscard]] std::size_t queued_bytes() const override { return link_->queued() + pending_bytes_; }
  void close(std::uint16_t code, std::string_view reason) override;
  void abort() override { link_->fail(); }

  void on_drained() override;
  void on_failed() override { ended(1006); }
  void on_dropped() override {
    on_open_ = nullptr;
    handler_ = nullptr;
  }
  void on_check(std::int64_t now_ms) override;
  void on_server_close() override { close(1001, "server shutdown"); }

 private:
  void opened();
  void read();
  void on_read(const error_code& error);
  void write_compressed();
  void ended(std::uint16_t code);

  std::shared_ptr<server_core> core_;
  tcp_link* link_;  // owned by stream_
  websocket::stream<frame_queue> stream_;
  beast::flat_buffer buffer_;
  beast_request request_;
  std::shared_ptr<ws_handler> handler_;  // shared: it is the caller's, too; null once on_close ran
  std::function<void(std::shared_ptr<ws_connection>)> on_open_;
  std::unique_ptr<std::deque<shared_frame>> pending_;  // to be compressed, in order; only where negotiated
  std::size_t pending_bytes_ = 0;
  std::string close_after_pending_;
  std::int64_t deadline_ms_ = 0;  // of the handshake, then of a close; 0: none
  bool close_called_ = false;
};

void ws_session::start() {
  deadline_ms_ = server_core::now_ms() + core_->bounds.request_timeout_ms;
  if (core_->bounds.compression) {
    websocket::permessage_deflate compression;
    compression.server_enable = true;
    compression.msg_size_threshold = compress_from;
    compression.compLevel = 6;
    compression.memLevel = 4;
    stream_.set_option(compression);
  }
  stream_.set_option(websocket::stream_base::decorator([this](websocket::response_type& response) {
    response.set(beast::http::field::server, "roombus");
    if (response.count(beast::http::field::sec_websocket_extensions) > 0) {
      pending_ = std::make_unique<std::deque<shared_frame>>();
    }
  }));
  stream_.read_message_max(core_->bounds.max_ws_message);
  stream_.async_accept(request_, [self = shared_from_this()](const error_code& error) {
    if (error) return self->link_->fail();
    self->core_->metrics.count_status(101);
    self->request_ = {};
    self->link_->notify_drained();
  });
}

void ws_session::on_drained() {
  // a turn after the kernel took the 101 response, so nothing that is sent now shares its segment
  asio::post(core_->context, [self = shared_from_this()] { self->opened(); });
}

void ws_session::opened() {
  if (!handler_ || core_->dead || !link_->open()) return;
  deadline_ms_ = 0;
  core_->metrics.ws_opened.add();
  link_->bound_queue(core_->bounds.max_queue);
  if (auto open = std::exchange(on_open_, nullptr)) open(shared_from_this());
  read();
}

void ws_session::read() {
  stream_.async_read(buffer_,
                     [self = shared_from_this()](const error_code& error, std::size_t) { self->on_read(error); });
}

void ws_session::on_read(const error_code& error) {
  if (error) {
    if (error == websocket::error::closed) {
      const auto code = stream_.reason().code;
      return ended(code == websocket::close_code::none ? 1005 : static_cast<std::uint16_t>(code));
    }
    const bool too_big = error == websocket::error::message_too_big || error == websocket::error::buffer_overflow;
    if (error.category() == websocket::make_error_code(websocket::error::closed).category()) {
      core_->metrics.bad_requests.add();
    }
    // after a protocol violation Beast has sent a close frame and the link is finishing; else the socket is broken
    if (link_->open()) link_->fail();
    return ended(too_big ? 1009 : 1006);
  }
  core_->metrics.ws_received.add();
  core_->metrics.bytes_received.add(buffer_.size());
  if (handler_ && !close_called_ && !core_->dead) {
    const auto kind = stream_.got_text() ? frame_kind::text : frame_kind::binary;
    const auto handler = handler_;
    handler->on_message(kind, {static_cast<const char*>(buffer_.data().data()), buffer_.size()});
  }
  buffer_.consume(buffer_.size());
  if (buffer_.capacity() > kept_read_buffer) buffer_.shrink_to_fit();
  read();
}

void ws_session::send(shared_frame frame) {
  if (close_called_ || stream_.next_layer().closing() || !link_->open()) return;
  core_->metrics.ws_sent.add();
  if (pending_ && (!pending_->empty() || frame->payload().size() >= compress_from)) {
    pending_bytes_ += frame->payload().size();
    pending_->push_back(std::move(frame));
    if (queued_bytes() > core_->bounds.max_queue) {
      core_->metrics.slow_consumers.add();
      core_->log.write(log_level::warning, "slow_consumer",
                       link_->remote_address() + " reads too slowly, the connection is ended");
      return link_->fail();
    }
    if (pending_->size() == 1) write_compressed();
    return;
  }
  const std::string* bytes = &frame->bytes();
  link_->push(shared_buffer(std::move(frame), bytes));
}

/// Sends the first pending frame through Beast, which compresses it.
void ws_session::write_compressed() {
  const ws_frame& frame = *pending_->front();
  stream_.text(frame.kind() == frame_kind::text);
  stream_.async_write(asio::buffer(frame.payload()), [self = shared_from_this()](const error_code& error, std::size_t) {
    self->pending_bytes_ -= self->pending_->front()->payload().size();
    self->pending_->pop_front();
    if (error) {
      self->pending_->clear();
      self->pending_bytes_ = 0;
    }
    if (!self->pending_->empty()) return self->write_compressed();
    if (!self->close_after_pending_.empty()) self->stream_.next_layer().push_close(self->close_after_pending_);
  });
}

void ws_session::close(std::uint16_t code, std::string_view reason) {
  constexpr std::size_t longest_reason = 123;  // a control frame's payload is at most 125 bytes
  if (std::exchange(close_called_, true)) return;
  deadline_ms_ = server_core::now_ms() + core_->bounds.close_wait_ms;
  std::string frame;
  std::size_t length = std::min(reason.size(), longest_reason);
  // not in the middle of a character: the peer would refuse the frame
  while (length < reason.size() && length > 0 && (static_cast<unsigned char>(reason[length]) & 0xc0) == 0x80)
    --length;
  reason = reason.substr(0, length);
  frame += static_cast<char>(0x88);
  frame += static_cast<char>(2 + reason.size());
  frame += static_cast<char>(code >> 8);
  frame += static_cast<char>(code & 0xff);
  frame += reason;
  if (pending_ && !pending_->empty()) {
    close_after_pending_ = std::move(frame);
  } else {
    stream_.next_layer().push_close(frame);
  }
}

void ws_session::on_check(std::int64_t now_ms) {
  if (deadline_ms_ == 0 || now_ms < deadline_ms_) return;
  core_->metrics.timeouts.add();
  link_->fail();
}

void ws_session::ended(std::uint16_t code) {
  on_open_ = nullptr;
  const auto handler = std::exchange(handler_, nullptr);
  if (handler && !core_->dead) handler->on_close(code);
}

}  // namespace

void start_ws_session(std::shared_ptr<server_core> core, std::shared_ptr<tcp_link> link, beast_request request,
                      std::string leftover, std::shared_ptr<ws_handler> handler,
                      std::function<void(std::shared_ptr<ws_connection>)> on_open) {
  auto session = std::make_shared<ws_session>(std::move(core), link, std::move(request), std::move(leftover),
                                              std::move(handler), std::move(on_open));
  link->set_owner(session);
  session->start();
}

}  // namespace roombus::http
