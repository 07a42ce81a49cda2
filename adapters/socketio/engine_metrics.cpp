#include "adapters/socketio/engine_metrics.hpp"

#include <string>

namespace roombus::socketio {
namespace {

constexpr std::array<const char*, bad_input_count> reasons = {"handshake", "unknown_sid", "overlap",     "too_large",
                                                              "engine",    "packet",      "attachments", "not_joined",
                                                              "overload",  "joins"};
constexpr std::array<const char*, 4> session_labels = {
    "transport=\"polling\",eio=\"3\"", "transport=\"polling\",eio=\"4\"", "transport=\"websocket\",eio=\"3\"",
    "transport=\"websocket\",eio=\"4\""};

}  // namespace

engine_metrics::engine_metrics(metrics_registry& registry)
    : packets_in(registry.add_counter("roombus_socketio_packets_received_total", "Engine.IO packets from clients.")),
      packets_out(registry.add_counter("roombus_socketio_packets_sent_total", "Engine.IO packets to clients.")),
      ping_timeouts(registry.add_counter("roombus_socketio_ping_timeouts_total",
                                         "Sessions that ended because the client did not show itself.")),
      upgrades(
          registry.add_counter("roombus_socketio_upgrades_total", "Sessions that went from polling to WebSocket.")),
      slow(registry.add_counter("roombus_socketio_slow_clients_total",
                                "Sessions that ended because the client read too slowly.")) {
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    bad[i] = &registry.add_counter("roombus_socketio_bad_input_total", "Refused input of socket.io clients, by reason.",
                                   std::string("reason=\"") + reasons[i] + "\"");
  }
  for (std::size_t i = 0; i < session_labels.size(); ++i) {
    registry.add_gauge(
        "roombus_socketio_sessions", "Open Engine.IO sessions by transport and protocol revision.",
        [shared = sessions, i] { return static_cast<double>((*shared)[i]); }, session_labels[i]);
  }
}

}  // namespace roombus::socketio
