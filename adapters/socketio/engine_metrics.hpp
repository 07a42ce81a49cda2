#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "adapters/socketio/engine_packet.hpp"
#include "core/metrics.hpp"

namespace roombus::socketio {

/// How an Engine.IO session carries its packets.
enum class engine_transport : std::uint8_t { polling, websocket };

/// Why something that a client sent was refused.
enum class bad_input : std::uint8_t {
  handshake,    ///< a request that opens no session: EIO, transport or method
  unknown_sid,  ///< a request for a session that is not there
  overlap,      ///< a second GET while one is waiting
  too_large,    ///< a body over the limit
  engine,       ///< an Engine.IO packet or payload
  packet,       ///< a Socket.IO packet
  attachments,  ///< too many, missing or stray binary attachments
  not_joined,   ///< a packet for a namespace that was never joined
  overload,     ///< too many sessions
  joins         ///< a namespace was joined and left too often
};
inline constexpr std::size_t bad_input_count = 10;

/// Figures of all sessions of one server. Belongs to the core's one thread.
struct engine_metrics {
  explicit engine_metrics(metrics_registry& registry);
  engine_metrics(const engine_metrics&) = delete;
  engine_metrics& operator=(const engine_metrics&) = delete;

  void count(bad_input reason) { bad[static_cast<std::size_t>(reason)]->add(); }
  /// Sessions that are open with a transport and version.
  std::uint64_t& open(engine_transport transport, eio_version version) {
    return (*sessions)[static_cast<std::size_t>(transport) * 2 + (version == eio_version::v4 ? 1 : 0)];
  }

  counter& packets_in;
  counter& packets_out;
  counter& ping_timeouts;
  counter& upgrades;
  counter& slow;
  std::array<counter*, bad_input_count> bad{};
  /// Shared with the gauges, which the registry may read after the server has gone.
  std::shared_ptr<std::array<std::uint64_t, 4>> sessions = std::make_shared<std::array<std::uint64_t, 4>>();
};

}  // namespace roombus::socketio
