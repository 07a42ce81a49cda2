#pragma once

#include <cstdint>
#include <string>

#include "bridge/mqtt/bridge_metrics.hpp"
#include "bridge/mqtt/mqtt_connection.hpp"
#include "bridge/mqtt/mqtt_link.hpp"
#include "bridge/mqtt/topic_map.hpp"
#include "core/ports/environment.hpp"
#include "core/service.hpp"

namespace roombus::mqtt {

/// A notification as a message of QoS 1, encoded once per wire format, however many get it.
[[nodiscard]] outgoing_message event_message(std::string topic, wire format, const event& e);

/// Publishes replies and notifications. Notifications are encoded once per wire format, however many devices get them.
/// What the link or the broker does not take is counted and lost: a device sees the hole in the ids and asks the
/// history.
class device_publisher {
 public:
  device_publisher(const topic_map& topics, mqtt_link& link, bridge_metrics& metrics, clock& time, log_sink& log)
      : topics_(topics), link_(link), metrics_(metrics), time_(time), log_(log) {}

  /// QoS min(request, 1), with the request's Correlation Data. Does nothing when the address has no topic.
  void send_reply(const reply_address& to, wire format, const roombus::reply& answer);
  /// QoS 1, to the device's own `event/` or, for a room's notification, to its `room/` inbox.
  void send_event(const mqtt_connection& device, const shared_event& e);
  /// QoS 1, to the room's topic of broker delivery.
  void send_room_event(const room_name& room, wire format, const shared_event& e);

 private:
  void publish_event(std::string topic, wire format, const shared_event& e);
  void note_dropped();

  const topic_map& topics_;
  mqtt_link& link_;
  bridge_metrics& metrics_;
  clock& time_;
  log_sink& log_;
  std::int64_t next_log_ms_ = INT64_MIN;
  std::uint64_t unlogged_drops_ = 0;
};

}  // namespace roombus::mqtt
