#include "adapters/http/http_session.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "adapters/http/response_head.hpp"
#include "adapters/http/tcp_link.hpp"
#include "adapters/http/ws_session.hpp"

namespace roombus::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

namespace {

constexpr std::size_t read_size = 8 * 1024;
constexpr std::size_t answered_ahead = 64 * 1024;  // queued bytes up to which the next pipelined request is taken

class http_session final : public link_owner, public std::enable_shared_from_this<http_session> {
 public:
  http_session(std::shared_ptr<server_core> core, std::shared_ptr<tcp_link> link)
      : core_(std::move(core)), link_(std::move(link)) {
    deadline_ms_ = server_core::now_ms() + core_->bounds.request_timeout_ms;
  }

  void start() { read(); }

  void on_drained() override { process(); }
  void on_failed() override;
  void on_dropped() override {
    phase_ = phase::done;
    on_abort_ = nullptr;
  }
  void on_check(std::int64_t now_ms) override;
  void on_server_close() override;

  /// Answers request number `number`, if it is still the one that waits.
  void answer(std::uint64_t number, response r);
  void set_on_abort(std::uint64_t number, std::function<void()> fn);
  /// Begins a streamed answer; false when there is nobody to write to.
  bool start_stream(std::uint64_t number, const response& head);
  [[nodiscard]] bool streams(std::uint64_t number) const { return number == number_ && phase_ == phase::streaming; }
  void write_stream(std::uint64_t number, std::string_view bytes);
  void close_stream(std::uint64_t number);
  void set_on_stream_close(std::uint64_t number, std::function<void()> fn);
  [[nodiscard]] std::size_t queued_bytes() const { return link_->queued(); }
  void accept(std::uint64_t number, std::shared_ptr<ws_handler> to,
              std::function<void(std::shared_ptr<ws_connection>)> on_open);
  [[nodiscard]] bool waits_for(std::uint64_t number) const {
    return number == number_ && (phase_ == phase::answering || phase_ == phase::upgrading);
  }

 private:
  using parser = bhttp::request_parser<bhttp::string_body>;
  enum class phase : std::uint8_t {
    reading,    // a request is awaited or comes in
    answering,  // a handler has it
    streaming,  // a handler writes the answer piece by piece; what the peer sends is dropped
    upgrading,  // a handler has an upgrade request; nothing is read
    done        // the link is somebody else's or gone
  };

  void read();
  void on_read(const boost::system::error_code& error, std::size_t n);
  void process();
  bool parse();
  void begin_request();
  void dispatch();
  void dispatch_upgrade();
  request convert(const beast_request& from);
  void refuse(response r, bool is_bad = true);
  void refuse(unsigned status, std::string_view text, bool is_bad = true);
  void refuse(const boost::system::error_code& error);
  void write(response r);
  void peer_went_away();
  void end(phase last);

  std::shared_ptr<server_core> core_;
  std::shared_ptr<tcp_link> link_;
  beast::flat_buffer buffer_;
  std::optional<parser> parser_;
  beast_request upgrade_request_;
  std::function<void()> on_abort_;
  std::uint64_t number_ = 0;
  std::int64_t deadline_ms_ = 0;  // 0: none
  phase phase_ = phase::reading;
  bool read_pending_ = false;
  bool upgrade_waits_ = false;  // for the pending read to end
  bool processing_ = false;
  bool keep_alive_ = true;
  bool head_only_ = false;
  bool continue_sent_ = false;
  bool is_http_1_1_ = true;
  bool chunked_ = false;  // the streamed answer
};

class http_response_stream final : public response_stream {
 public:
  http_response_stream(std::weak_ptr<http_session> session, std::uint64_t number)
      : session_(std::move(session)), number_(number) {}
  ~http_response_stream() override { http_response_stream::close(); }
  void write(std::string_view bytes) override {
    if (auto session = session_.lock()) session->write_stream(number_, bytes);
  }
  [[nodiscard]] std::size_t queued_bytes() const override {
    auto session = session_.lock();
    return session && session->streams(number_) ? session->queued_bytes() : 0;
  }
  void close() override {
    if (auto session = session_.lock()) session->close_stream(number_);
  }
  void on_close(std::function<void()> fn) override {
    if (auto session = session_.lock()) session->set_on_stream_close(number_, std::move(fn));
  }

 private:
  std::weak_ptr<http_session> session_;  // weak: a handler may hold the stream for long
  std::uint64_t number_;
};

class http_responder final : public responder {
 public:
  http_responder(std::weak_ptr<http_session> session, std::uint64_t number)
      : session_(std::move(session)), number_(number) {}
  ~http_responder() override {
    auto session = session_.lock();
    if (!session || !session->waits_for(number_)) return;
    response unanswered;
    unanswered.status = 500;
    session->answer(number_, std::move(unanswered));
  }
  void send(response r) override {
    if (auto session = session_.lock()) session->answer(number_, std::move(r));
  }
  void on_abort(std::function<void()> fn) override {
    if (auto session = session_.lock()) session->set_on_abort(number_, std::move(fn));
  }
  std::shared_ptr<response_stream> start_stream(response head) override {
    auto session = session_.lock();
    if (!session || !session->start_stream(number_, head)) return nullptr;
    return std::make_shared<http_response_stream>(session, number_);
  }

 private:
  std::weak_ptr<http_session> session_;  // weak: a handler may hold the responder for long
  std::uint64_t number_;
};

class http_upgrade_responder final : public upgrade_responder {
 public:
  http_upgrade_responder(std::weak_ptr<http_session> session, std::uint64_t number) : rest_(session, number) {
    session_ = std::move(session);
    number_ = number;
  }
  void accept(std::shared_ptr<ws_handler> to, std::function<void(std::shared_ptr<ws_connection>)> on_open) override {
    if (auto session = session_.lock()) session->accept(number_, std::move(to), std::move(on_open));
  }
  void reject(response r) override { rest_.send(std::move(r)); }

 private:
  http_responder rest_;  // answers 500 when neither is called
  std::weak_ptr<http_session> session_;
  std::uint64_t number_ = 0;
};

void http_session::read() {
  const std::size_t most = core_->bounds.max_header + read_size;
  const bool wanted = phase_ == phase::reading || phase_ == phase::answering || phase_ == phase::streaming;
  if (read_pending_ || !wanted || buffer_.size() >= most) return;
  read_pending_ = true;
  link_->socket().async_read_some(
      buffer_.prepare(read_size),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t n) { self->on_read(error, n); });
}

void http_session::on_read(const boost::system::error_code& error, std::size_t n) {
  read_pending_ = false;
  core_->metrics.bytes_received.add(n);
  if (phase_ == phase::done) return;
  buffer_.commit(n);
  if (std::exchange(upgrade_waits_, false)) {
    if (error && error != asio::error::operation_aborted) return link_->fail();
    return dispatch_upgrade();
  }
  if (error) return peer_went_away();
  if (phase_ == phase::reading) return process();
  if (phase_ == phase::streaming) buffer_.consume(buffer_.size());
  read();  // the answer is not there yet: keeps watching for the peer's end
}

void http_session::peer_went_away() {
  if (phase_ == phase::answering || phase_ == phase::streaming) return link_->fail();
  if (parser_ && parser_->got_some()) core_->metrics.bad_requests.add();
  end(phase::done);
}

void http_session::process() {
  if (processing_) return;
  processing_ = true;
  while (phase_ == phase::reading && link_->queued() <= answered_ahead && parse()) {
  }
  processing_ = false;
  if (phase_ == phase::reading && link_->queued() > answered_ahead) return link_->notify_drained();
  if (phase_ == phase::reading && !parser_ && buffer_.size() == 0 && buffer_.capacity() > 4 * read_size) {
    if (!read_pending_) buffer_.shrink_to_fit();
  }
  read();
}

void http_session::begin_request() {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(core_->bounds.max_header));
  parser_->body_limit(core_->bounds.max_body);
  parser_->eager(true);
  continue_sent_ = false;
  deadline_ms_ = server_core::now_ms() + core_->bounds.request_timeout_ms;
}

/// Feeds the parser. True when it made progress and may be called again.
bool http_session::parse() {
  if (buffer_.size() == 0) return false;
  if (!parser_) begin_request();
  boost::system::error_code error;
  const std::size_t used = parser_->put(buffer_.data(), error);
  buffer_.consume(used);
  if (error && error != bhttp::error::need_more) {
    refuse(error);
    return false;
  }
  if (parser_->is_done()) {
    dispatch();
    return true;
  }
  if (parser_->is_header_done() && !continue_sent_) {
    continue_sent_ = true;
    if (beast::iequals(parser_->get()[bhttp::field::expect], "100-continue") && parser_->get().version() == 11) {
      link_->push_copy("HTTP/1.1 100 Continue\r\n\r\n");
    }
  }
  if (used == 0 && buffer_.size() >= core_->bounds.max_header + read_size) {
    refuse(400, "Chunk header too long.\n");
    return false;
  }
  return used > 0;
}

request http_session::convert(const beast_request& from) {
  request to;
  to.method = from.method_string();
  std::string_view target = from.target();
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    // absolute form (RFC 9112 §3.2.2)
    target.remove_prefix(std::min(target.size(), target.find_first_of("/?", scheme.size())));
    break;
  }
  const std::size_t question = target.find('?');
  to.path = target.substr(0, question);
  if (question != std::string_view::npos) to.query = target.substr(question + 1);
  if (to.path.empty()) to.path = "/";
  for (const auto& field : from) {
    std::string name(field.name_string());
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    to.headers.emplace_back(std::move(name), std::string(field.value()));
  }
  to.remote_address = link_->remote_address();
  return to;
}

void http_session::dispatch() {
  beast_request message = parser_->release();
  parser_.reset();
  ++number_;
  keep_alive_ = message.version() == 11 && message.keep_alive() && !core_->closing;
  head_only_ = message.method() == bhttp::verb::head;
  is_http_1_1_ = message.version() == 11;
  if (message.version() == 11 && message.count(bhttp::field::host) != 1) return refuse(400, "Host is required.\n");
  const bool rooted = message.target().starts_with('/') || message.target().starts_with("http");
  if (!rooted && message.target() != "*") return refuse(400, "Invalid request target.\n");
  deadline_ms_ = 0;
  if (beast::websocket::is_upgrade(message)) {
    if (message[bhttp::field::sec_websocket_version] != "13") {
      core_->metrics.bad_requests.add();
      phase_ = phase::answering;
      keep_alive_ = false;
      response r;
      r.status = 426;
      r.headers = {{"Sec-WebSocket-Version", "13"}, {"Upgrade", "websocket"}};
      return write(std::move(r));
    }
    // 16 bytes in base64 (RFC 6455 §4.1)
    const auto key = message[bhttp::field::sec_websocket_key];
    if (key.size() != 24 || !key.ends_with("==")) return refuse(400, "Invalid Sec-WebSocket-Key.\n");
    phase_ = phase::upgrading;
    upgrade_request_ = std::move(message);
    if (!read_pending_) return dispatch_upgrade();
    // Beast will read from this socket: the read that watched for the peer's end must be over first
    upgrade_waits_ = true;
    boost::system::error_code ignored;
    link_->socket().cancel(ignored);
    return;
  }
  phase_ = phase::answering;
  request req = convert(message);
  req.body = std::move(message.body());
  auto answer = std::make_shared<http_responder>(weak_from_this(), number_);
  if (handler* to = core_->find(req.path)) return to->on_request(std::move(req), std::move(answer));
  response unknown;
  unknown.status = 404;
  unknown.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  unknown.body = "Nothing is here.\n";
  answer->send(std::move(unknown));
}

void http_session::dispatch_upgrade() {
  request req = convert(upgrade_request_);
  keep_alive_ = false;
  deadline_ms_ = server_core::now_ms() + core_->bounds.request_timeout_ms;
  auto answer = std::make_shared<http_upgrade_responder>(weak_from_this(), number_);
  if (handler* to = core_->find(req.path)) return to->on_upgrade(std::move(req), std::move(answer));
  response unknown;
  unknown.status = 404;
  answer->reject(std::move(unknown));
}

void http_session::accept(std::uint64_t number, std::shared_ptr<ws_handler> to,
                          std::function<void(std::shared_ptr<ws_connection>)> on_open) {
  if (!waits_for(number) || phase_ != phase::upgrading || !link_->open()) {
    // the peer went away before: the handler hears of it all the same
    asio::post(core_->context, [core = core_, to = std::move(to)] {
      if (!core->dead) to->on_close(1006);
    });
    return;
  }
  std::string leftover(static_cast<const char*>(buffer_.data().data()), buffer_.size());
  auto link = link_;
  phase_ = phase::done;
  start_ws_session(core_, std::move(link), std::move(upgrade_request_), std::move(leftover), std::move(to),
                   std::move(on_open));
}

void http_session::answer(std::uint64_t number, response r) {
  if (!waits_for(number)) return;
  write(std::move(r));
}

void http_session::set_on_abort(std::uint64_t number, std::function<void()> fn) {
  if (waits_for(number)) on_abort_ = std::move(fn);
}

bool http_session::start_stream(std::uint64_t number, const response& head) {
  if (!waits_for(number) || phase_ != phase::answering || !link_->open()) return false;
  on_abort_ = nullptr;
  keep_alive_ = false;
  core_->metrics.count_status(head.status);
  chunked_ = is_http_1_1_;
  link_->push(stream_head(head, core_->date(), chunked_));
  if (head_only_ || core_->closing) {
    end(phase::done);
    return false;
  }
  link_->bound_queue(core_->bounds.max_queue);
  phase_ = phase::streaming;
  buffer_.consume(buffer_.size());
  read();
  return true;
}

void http_session::write_stream(std::uint64_t number, std::string_view bytes) {
  if (!streams(number) || bytes.empty()) return;
  if (!chunked_) return link_->push_copy(bytes);
  std::array<char, 2 * sizeof(std::size_t)> digits{};
  const auto size = std::to_chars(digits.data(), digits.data() + digits.size(), bytes.size(), 16);
  std::string chunk;
  chunk.reserve(bytes.size() + digits.size() + 4);
  chunk.append(digits.data(), size.ptr).append("\r\n").append(bytes).append("\r\n");
  link_->push(std::move(chunk));
}

void http_session::close_stream(std::uint64_t number) {
  if (!streams(number)) return;
  if (chunked_) link_->push_copy("0\r\n\r\n");
  const auto dropped = std::exchange(on_abort_, nullptr);
  end(phase::done);
}

void http_session::set_on_stream_close(std::uint64_t number, std::function<void()> fn) {
  if (streams(number)) on_abort_ = std::move(fn);
}

void http_session::write(response r) {
  const auto dropped = std::exchange(on_abort_, nullptr);
  if (core_->closing) keep_alive_ = false;
  if (r.status < 200 || r.status > 599) r.status = 500;
  core_->metrics.count_status(r.status);
  const bool has_body = may_have_body(r.status) && !head_only_;
  const std::size_t body_size = r.shared_body ? r.shared_body->size() : r.body.size();
  std::string head = response_head(r, body_size, core_->date(), !keep_alive_);
  if (has_body && body_size < 1024) {
    head += r.shared_body ? std::string_view(*r.shared_body) : std::string_view(r.body);
    link_->push(std::move(head));
  } else {
    link_->push(std::move(head));
    if (has_body && r.shared_body) link_->push(std::move(r.shared_body));
    if (has_body && !r.shared_body) link_->push(std::move(r.body));
  }
  if (!keep_alive_) return end(phase::done);
  phase_ = phase::reading;
  deadline_ms_ = server_core::now_ms() + core_->bounds.idle_timeout_ms;
  // posted: the next request must not reach a handler from within its own call
  if (!processing_ && (buffer_.size() > 0 || !read_pending_)) {
    asio::post(core_->context, [self = shared_from_this()] { self->process(); });
  }
}

void http_session::end(phase last) {
  phase_ = last;
  link_->finish();
}

void http_session::refuse(response r, bool is_bad) {
  if (is_bad) core_->metrics.bad_requests.add();
  phase_ = phase::answering;
  keep_alive_ = false;
  head_only_ = false;
  write(std::move(r));
}

void http_session::refuse(unsigned status, std::string_view text, bool is_bad) {
  response r;
  r.status = status;
  r.headers = {{"Content-Type", "text/plain; charset=utf-8"}};
  r.body = text;
  refuse(std::move(r), is_bad);
}

void http_session::refuse(const boost::system::error_code& error) {
  if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow) {
    return refuse(431, "Header fields too large.\n");
  }
  if (error == bhttp::error::body_limit) {
    const request req = convert(parser_->get());
    handler* to = core_->find(req.path);
    return to != nullptr ? refuse(to->on_too_large(req)) : refuse(413, "Body too large.\n");
  }
  refuse(400, "Malformed request: " + error.message() + ".\n");
}

void http_session::on_failed() {
  const auto aborted = std::exchange(on_abort_, nullptr);
  const bool was_waiting = phase_ == phase::answering || phase_ == phase::streaming;
  phase_ = phase::done;
  if (was_waiting && aborted && !core_->dead) aborted();
}

void http_session::on_check(std::int64_t now_ms) {
  if (link_->queued() > 0 && now_ms - link_->progress_ms() > core_->bounds.request_timeout_ms) {
    core_->metrics.timeouts.add();
    return link_->fail();
  }
  if (deadline_ms_ == 0 || now_ms < deadline_ms_) return;
  if (phase_ == phase::upgrading) {
    core_->metrics.timeouts.add();
    return link_->fail();
  }
  if (phase_ != phase::reading) return;
  if (!parser_) return end(phase::done);  // idle
  core_->metrics.timeouts.add();
  refuse(408, "The request took too long.\n", false);
}

void http_session::on_server_close() {
  if (phase_ == phase::reading && !parser_ && buffer_.size() == 0) return link_->leave();
  if (phase_ == phase::streaming) {
    const auto closed = std::exchange(on_abort_, nullptr);
    close_stream(number_);
    if (closed && !core_->dead) closed();
    return;
  }
  keep_alive_ = false;
}

}  // namespace

void start_http_session(std::shared_ptr<server_core> core, std::shared_ptr<tcp_link> link) {
  auto session = std::make_shared<http_session>(std::move(core), link);
  link->set_owner(session);
  session->start();
}

}  // namespace roombus::http
