#pragma once

#include <map>
#include <memory>
#include <string>

#include "adapters/socketio/engine_session.hpp"
#include "adapters/socketio/nsp_socket.hpp"
#include "adapters/socketio/sio_packet.hpp"

namespace roombus::socketio {

/// Options of the Socket.IO layer.
struct socketio_options {
  engine_options engine;
  std::chrono::milliseconds connect_timeout{45000};  ///< for the first namespace; then the connection is closed
  std::size_t max_joins = 20;  ///< of served namespaces by one connection, at once; one more each second
  sio_limits packets;
};

/// Namespaces by name. `/` always exists, with or without a handler.
using nsp_table = std::map<std::string, nsp_handler*, std::less<>>;

/// What all connections of one server share; shared with them as they end a turn after the server.
struct sio_context {
  sio_context(socketio_options o, scheduler& s, const clock& c, random_source& r)
      : options(std::move(o)), timers(s), time(c), random(r) {}
  socketio_options options;
  scheduler& timers;
  const clock& time;
  random_source& random;
  nsp_table namespaces;
  std::shared_ptr<engine_metrics> metrics;
};

/// The Socket.IO side of one Engine.IO session: joins namespaces and hands packets to their sockets. While a
/// namespace's place is kept (a login that runs on after its socket left), one CONNECT to it waits; the last one
/// counts.
class sio_connection final : public session_receiver, public std::enable_shared_from_this<sio_connection> {
 public:
  sio_connection(std::shared_ptr<sio_context> context, std::shared_ptr<engine_session> session)
      : context_(std::move(context)),
        session_(std::move(session)),
        decoder_(context_->options.packets),
        joins_left_(static_cast<double>(context_->options.max_joins)),
        joins_at_ms_(context_->time.steady_ms()) {}

  /// Starts waiting for a namespace; EIO 3 clients join `/` at once.
  void start();

  void on_text(std::string_view data) override;
  void on_binary(std::string_view data) override;
  void on_end(session_end why) override;

 private:
  friend class nsp_socket;
  struct kept_place;
  struct joined {
    std::shared_ptr<nsp_socket> socket;
    std::shared_ptr<socket_handler> handler;
  };

  void take(sio_decoder::outcome outcome);
  void on_packet(sio_packet packet);
  void join(sio_packet packet);
  [[nodiscard]] bool may_join();
  [[nodiscard]] std::shared_ptr<void> keep_place(const std::string& nsp);
  void place_left(const std::string& nsp);
  void refuse(const std::string& nsp);
  void leave(const std::string& nsp);
  void end_socket(joined member);
  void fail(bad_input why);
  void wait_for_namespace();
  void set_known(bool known);
  void send(const encoded_packet& packet);
  [[nodiscard]] handshake shown_by(const sio_packet& connect) const;

  std::shared_ptr<sio_context> context_;
  std::shared_ptr<engine_session> session_;
  sio_decoder decoder_;
  std::map<std::string, joined, std::less<>> sockets_;
  std::map<std::string, std::weak_ptr<void>, std::less<>> places_;  // that are kept
  std::map<std::string, sio_packet, std::less<>> waiting_;          // CONNECTs for which a place has to be left
  double joins_left_;
  std::int64_t joins_at_ms_;
  std::size_t served_ = 0;  // sockets in namespaces that have a handler
  bool has_asked_ = false;  // a CONNECT was seen: packets of namespaces that were left may still come
  timer_handle connect_timer_;
};

}  // namespace roombus::socketio
