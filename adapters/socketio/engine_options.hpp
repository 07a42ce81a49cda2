#pragma once

#include <chrono>
#include <cstddef>

#include "adapters/socketio/cors.hpp"

namespace roombus::socketio {

/// Heartbeat of one protocol revision. EIO 3: the client pings every `interval`, and the server waits `interval` +
/// `timeout` for it. EIO 4: the server pings every `interval` and waits `timeout` for the answer.
struct heartbeat {
  std::chrono::milliseconds interval;
  std::chrono::milliseconds timeout;
};

/// Options of the Engine.IO layer; defaults are those of socket.io 2 and 4.
struct engine_options {
  using ms = std::chrono::milliseconds;

  heartbeat eio3{ms(25000), ms(5000)};
  heartbeat eio4{ms(25000), ms(20000)};
  bool allow_eio3 = true;
  ms upgrade_timeout{10000};                      ///< for a WebSocket to finish the upgrade, from its handshake
  ms linger{5000};                                ///< how long last packets wait for a poll when the server closes
  ms open_packet_delay{0};                        ///< between the 101 response and the open packet
  std::size_t max_payload = 1'000'000;            ///< bytes of one body or frame, told to EIO 4 clients
  std::size_t max_packets_per_body = 10'000;      ///< packets in one POST
  std::size_t max_pending = 4 * 1024 * 1024;      ///< bytes waiting for a client's poll; more ends the session
  std::size_t max_pending_half_open = 64 * 1024;  ///< the same of strangers, also on a WebSocket
  std::size_t max_sessions = 100'000;             ///< more handshakes are answered 503
  std::size_t max_sessions_per_address = 0;       ///< the same of one address (http/address_key.hpp); 0: no bound
  std::size_t max_half_open = 10'000;  ///< sessions that have joined no namespace yet; with more the oldest ends
  cors_policy cors;
};

}  // namespace roombus::socketio
