#pragma once

// HTTP and WebSocket as the other adapters see them: plain types, no Beast and no Asio. The Beast side is in
// http_server.cpp; everything here is called on the core's thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/value.hpp"

namespace roombus::http {

using header_list = std::vector<std::pair<std::string, std::string>>;

/// One request, read completely; its body is within the limit.
struct request {
  std::string method;   ///< "GET"
  std::string path;     ///< as sent (not decoded), up to `?`
  std::string query;    ///< as sent, behind `?`; empty when there is none
  header_list headers;  ///< names in lower case
  std::string body;
  std::string remote_address;  ///< the peer's IP address, without port
  bool secure = false;         ///< came over TLS

  /// First header called `name` (lower case), or "".
  [[nodiscard]] std::string_view header(std::string_view name) const;
};

struct response {
  unsigned status = 200;
  header_list headers;  ///< Content-Length, Date and Connection are added by the server
  std::string body;
  shared_buffer shared_body;  ///< sent instead of `body` when set
};

/// A response whose body is written piece by piece, for as long as both sides like (an event stream).
/// Ends with the connection; when the last copy goes without `close`, the body ends as if it had been called.
class response_stream {
 public:
  virtual ~response_stream() = default;
  /// Sends bytes; nothing happens when the stream has ended. A peer that reads too slowly (`limits::max_queue`) loses
  /// its connection.
  virtual void write(std::string_view bytes) = 0;
  /// Bytes written that the kernel has not taken yet.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  /// Ends the body and the connection; what was written before still goes out.
  virtual void close() = 0;
  /// `fn` runs if the peer or the server ends the stream first.
  virtual void on_close(std::function<void()> fn) = 0;
};

/// The one answer to a request. May be used later than the call that brought it (long-polling), once; when it goes
/// without an answer the server answers 500. Copies share the one answer.
class responder {
 public:
  virtual ~responder() = default;
  virtual void send(response r) = 0;
  /// `fn` runs if the client goes away before the answer.
  virtual void on_abort(std::function<void()> fn) = 0;
  /// Answers with a body that is written later: `head` without one. Null when there is nobody to write to (a HEAD
  /// request, or the client is gone). The default answers 501.
  virtual std::shared_ptr<response_stream> start_stream(response head);
};

enum class frame_kind : std::uint8_t { text, binary };

/// One WebSocket message with its (server-side, unmasked) frame header before it, shared by all connections it goes to.
class ws_frame {
 public:
  /// Copies the payload once, behind a header for it.
  static std::shared_ptr<const ws_frame> make(frame_kind kind, std::string_view payload);

  [[nodiscard]] frame_kind kind() const { return kind_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::string_view payload() const { return std::string_view(bytes_).substr(header_size_); }

 private:
  ws_frame(frame_kind kind, std::size_t header_size, std::string bytes)
      : kind_(kind), header_size_(header_size), bytes_(std::move(bytes)) {}
  frame_kind kind_;
  std::size_t header_size_;
  std::string bytes_;
};
using shared_frame = std::shared_ptr<const ws_frame>;

/// Reads one WebSocket. Kept alive by the connection until `on_close` ran, which runs exactly once.
class ws_handler {
 public:
  virtual ~ws_handler() = default;
  virtual void on_message(frame_kind kind, std::string_view payload) = 0;
  /// The connection is gone; `code` is the peer's close code, 1005 for a close frame without one, 1006 when there was
  /// no close frame, 1009 for a message too large. Runs after every `accept`, also when `on_open` was never called.
  virtual void on_close(std::uint16_t code) = 0;
};

/// The outgoing side of one WebSocket. Frames that are sent in one turn of the loop leave in as few writes as possible.
class ws_connection {
 public:
  virtual ~ws_connection() = default;
  virtual void send(shared_frame frame) = 0;
  /// Bytes sent by the caller that the kernel has not taken yet.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  /// Sends what is queued and a close frame, then ends the connection, after `limits::close_wait` at the latest.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  /// Ends the connection at once, queued bytes are dropped.
  virtual void abort() = 0;
};

/// The answer to a request that asks for an upgrade to WebSocket.
class upgrade_responder {
 public:
  virtual ~upgrade_responder() = default;
  /// Completes the handshake. `handler` gets what arrives; `on_open` is called with the connection once the 101
  /// response was written (a turn later than this call, so nothing sent then shares its segment), unless the peer went
  /// away.
  virtual void accept(std::shared_ptr<ws_handler> handler,
                      std::function<void(std::shared_ptr<ws_connection>)> on_open) = 0;
  /// Refuses with an ordinary response and closes.
  virtual void reject(response r) = 0;
};

/// Takes requests below one path.
class handler {
 public:
  virtual ~handler() = default;
  virtual void on_request(request req, std::shared_ptr<responder> answer) = 0;
  /// The default refuses with 400.
  virtual void on_upgrade(request req, std::shared_ptr<upgrade_responder> answer);
  /// What to answer to a request whose body is over `limits::max_body`; it was not read, and the connection ends with
  /// the answer. The default is 413 with plain text.
  virtual response on_too_large(const request& req);
};

/// Bounds on what a stranger can do to one listener.
struct limits {
  std::size_t max_body = 1'000'000;             ///< bytes; more is answered 413
  std::size_t max_header = 16 * 1024;           ///< bytes of request line and headers; more is answered 431
  std::size_t max_ws_message = 1'000'000;       ///< bytes; more closes with 1009
  std::size_t max_connections = 100'000;        ///< on the listener; more are closed at once
  std::size_t max_connections_per_address = 0;  ///< an IPv6 address is its /64; 0: no bound (behind a proxy)
  std::size_t max_queue = 4 * 1024 * 1024;      ///< bytes queued towards one peer; more ends its connection
  std::uint32_t request_timeout_ms =
      15'000;                              ///< for the request's last byte, from its first (or the connection's start)
  std::uint32_t idle_timeout_ms = 60'000;  ///< between requests of a kept-alive connection
  std::uint32_t close_wait_ms = 2'000;     ///< for the peer's part of a close
  bool compression = false;                ///< offer permessage-deflate
};

}  // namespace roombus::http
