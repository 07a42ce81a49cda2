#include "bridge/mqtt/bridge_metrics.hpp"

#include <string>

namespace roombus::mqtt {

namespace {

counter& requests(metrics_registry& registry, const std::string& kind) {
  return registry.add_counter("roombus_mqtt_requests_total", "Messages taken from devices, by kind.",
                              "kind=\"" + kind + "\"");
}

}  // namespace

bridge_metrics::bridge_metrics(metrics_registry& registry)
    : calls(requests(registry, "call")),
      sends(requests(registry, "send")),
      statuses(requests(registry, "status")),
      failed_sends(
          registry.add_counter("roombus_mqtt_failed_sends_total", "Room messages without reply that were refused.")),
      overloads(
          registry.add_counter("roombus_mqtt_overloads_total", "Requests refused because too many were pending.")),
      replies(registry.add_counter("roombus_mqtt_replies_total", "Replies published.")),
      dropped_replies(
          registry.add_counter("roombus_mqtt_replies_dropped_total", "Replies that the broker did not take.")),
      events(registry.add_counter("roombus_mqtt_events_total", "Notifications published.")),
      dropped_events(
          registry.add_counter("roombus_mqtt_events_dropped_total", "Notifications that the broker did not take.")) {
  for (std::size_t i = 0; i < ignored_.size(); ++i) {
    const std::string reason(to_text(static_cast<ignored>(i)));
    ignored_[i] = &registry.add_counter("roombus_mqtt_ignored_total",
                                        "Messages ignored, and replies not sent because of their address, by reason.",
                                        "reason=\"" + reason + "\"");
  }
}

}  // namespace roombus::mqtt
