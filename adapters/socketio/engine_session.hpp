#pragma once

// One Engine.IO session: a client that polls, or has a WebSocket, or goes from the first to the second.
//
// Invariants: while polling, what is sent waits in `pending_` (bounded in bytes) and leaves with the next answer to a
// GET; from the moment the upgrade is complete everything goes to the WebSocket. So a packet is on exactly one of both,
// in order. The receiver hears `on_end` once, in a later turn than the call that caused it.

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/http/http_types.hpp"
#include "adapters/socketio/engine_metrics.hpp"
#include "adapters/socketio/engine_options.hpp"
#include "adapters/socketio/engine_packet.hpp"
#include "adapters/socketio/url_query.hpp"
#include "core/ports/environment.hpp"

namespace roombus::socketio {

/// Why a session ended.
enum class session_end : std::uint8_t {
  transport_close,  ///< the connection went away
  client_close,     ///< the client said so
  server_close,     ///< we said so
  ping_timeout,     ///< the client did not show itself
  bad_input,        ///< the client sent what it must not send
  slow,             ///< too much was waiting for the client
  overload          ///< it showed nothing, and its place was needed
};

/// Takes what a session's client sends.
class session_receiver {
 public:
  virtual ~session_receiver() = default;
  virtual void on_text(std::string_view data) = 0;
  virtual void on_binary(std::string_view data) = 0;
  virtual void on_end(session_end why) = 0;
};

class engine_session;

/// What all sessions of one server share. Shared by server and sessions, as sockets may outlive the server by a turn.
struct engine_context {
  engine_context(engine_options o, scheduler& s, const clock& c, metrics_registry& registry)
      : options(std::move(o)), timers(s), time(c), metrics(registry) {}

  engine_options options;
  scheduler& timers;
  const clock& time;
  engine_metrics metrics;
  std::list<engine_session*> half_open;                ///< sessions that are not established, oldest first
  std::function<void(const std::string& sid)> forget;  ///< removes a session from the server's table
};

/// What the client's first request told.
struct session_request {
  query_list query;
  http::header_list headers;
  std::string address;
};

class ws_link;

class engine_session final : public std::enable_shared_from_this<engine_session> {
 public:
  engine_session(std::shared_ptr<engine_context> context, std::string sid, eio_version version, bool base64,
                 session_request first);
  ~engine_session();

  [[nodiscard]] const std::string& sid() const { return sid_; }
  [[nodiscard]] eio_version version() const { return version_; }
  [[nodiscard]] engine_transport transport() const { return transport_; }
  [[nodiscard]] const session_request& first_request() const { return first_; }
  [[nodiscard]] bool is_open() const { return state_ == state::open; }

  /// Sends one packet, made for this session's protocol revision; dropped when the session is not open.
  void send(http::shared_frame frame);
  /// Ends the session; what was sent before still goes out where the client reads it.
  void close();
  /// Ends the session because of what the client did.
  void fail(session_end why);
  /// Tells whether the layer above has accepted the client; sessions start as not established.
  void set_established(bool established);

  // The rest is for engine_server.

  void set_receiver(std::shared_ptr<session_receiver> receiver);
  /// Queues the open packet and starts the heartbeat. With `ws` the session starts on a WebSocket.
  void start(std::shared_ptr<http::ws_connection> ws);
  void on_get(const http::request& req, std::shared_ptr<http::responder> answer);
  void on_post(const http::request& req, const std::shared_ptr<http::responder>& answer);
  /// A second WebSocket came for this polling session; it is closed unless an upgrade may start.
  void begin_upgrade(std::shared_ptr<http::ws_connection> candidate, bool base64);
  void on_ws_message(const http::ws_connection* from, http::frame_kind kind, std::string_view payload);
  void on_ws_close(const http::ws_connection* from);
  /// Ends the session if its heartbeat is overdue; the timer may be a little late.
  void expire_if_due();

 private:
  enum class state : std::uint8_t { open, lingering, closed };

  void on_packet(engine_packet_type type, bool binary, std::string_view data);
  void on_probe_message(http::frame_kind kind, std::string_view payload);
  void complete_upgrade();
  void send_on_websocket(http::shared_frame frame);
  void flush_soon();
  void flush();
  void answer_poll(const std::vector<http::shared_frame>& frames);
  void answer_poll(engine_packet_type last);
  void end(session_end why);
  void end_slow();
  void release();
  void leave_gauge();
  void arm(std::int64_t deadline);
  void on_timer();
  void on_deadline();
  [[nodiscard]] const heartbeat& beat() const;
  [[nodiscard]] std::int64_t slack() const;

  std::shared_ptr<engine_context> context_;
  std::string sid_;
  eio_version version_;
  engine_transport transport_ = engine_transport::polling;
  state state_ = state::open;
  bool started_ = false;
  bool poll_base64_;
  bool ws_base64_ = false;
  bool probed_ = false;
  bool awaiting_pong_ = false;
  bool flush_posted_ = false;
  engine_packet_type last_packet_ = engine_packet_type::close;
  std::optional<std::list<engine_session*>::iterator> half_open_;  // place among those; none when established
  session_request first_;
  std::shared_ptr<session_receiver> receiver_;  // shared with the layer above
  std::shared_ptr<http::responder> poll_;       // the GET that waits
  http::header_list poll_headers_;              // headers of its answer, for CORS
  std::shared_ptr<http::ws_connection> ws_;
  std::shared_ptr<http::ws_connection> probe_;
  timer_handle probe_timer_;
  std::vector<http::shared_frame> pending_;
  std::size_t pending_bytes_ = 0;
  std::int64_t deadline_ = 0;  // steady ms; the timer may be armed for an earlier moment
  std::int64_t armed_ = 0;     // 0: not armed
  timer_handle timer_;
};

/// Joins one WebSocket to its session; kept by the connection until it closed.
class ws_link final : public http::ws_handler {
 public:
  void attach(std::shared_ptr<engine_session> session, const http::ws_connection* connection) {
    session_ = std::move(session);
    connection_ = connection;
  }
  [[nodiscard]] bool is_closed() const { return closed_; }

  void on_message(http::frame_kind kind, std::string_view payload) override {
    if (const auto session = session_) session->on_ws_message(connection_, kind, payload);
  }
  void on_close(std::uint16_t) override {
    closed_ = true;
    if (const auto session = std::exchange(session_, nullptr)) session->on_ws_close(connection_);
  }

 private:
  std::shared_ptr<engine_session> session_;
  const http::ws_connection* connection_ = nullptr;
  bool closed_ = false;
};

}  // namespace roombus::socketio
