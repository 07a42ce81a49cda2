#include "bridge/mqtt/device_publisher.hpp"

#include <memory>
#include <utility>

#include "schemas/codec/payload.hpp"

namespace roombus::mqtt {

namespace {

constexpr std::int64_t log_pause_ms = 10'000;

}  // namespace

outgoing_message event_message(std::string topic, wire format, const event& e) {
  const event::slot slot = format == wire::json ? event::slot::mqtt_json : event::slot::mqtt_cbor;
  outgoing_message message;
  message.topic = std::move(topic);
  message.payload = e.encoded<std::string>(
      slot, [&] { return std::make_shared<const std::string>(payload::notification_payload(e, format)); });
  message.level = qos::at_least_once;
  message.content_type = std::string(payload::content_type_of(format));
  return message;
}

void device_publisher::send_reply(const reply_address& to, wire format, const roombus::reply& answer) {
  if (to.topic.empty()) return;
  outgoing_message message;
  message.topic = to.topic;
  message.payload = std::make_shared<const std::string>(payload::reply_payload(answer, format));
  message.level = to.level;
  message.correlation_data = to.correlation_data;
  message.content_type = std::string(payload::content_type_of(format));
  metrics_.replies.add();
  link_.publish(std::move(message), [this](publish_outcome outcome) {
    if (outcome == publish_outcome::done) return;
    metrics_.dropped_replies.add();
    note_dropped();
  });
}

void device_publisher::send_event(const mqtt_connection& device, const shared_event& e) {
  const std::string* room = e->to_room() && !e->args().empty() ? e->args().front().if_text() : nullptr;
  std::string topic = room != nullptr ? topic_map::inbox_event(device.base, room_name(*room), e->name())
                                      : topic_map::own_event(device.base, e->name());
  publish_event(std::move(topic), device.encoding, e);
}

void device_publisher::send_room_event(const room_name& room, wire format, const shared_event& e) {
  publish_event(topics_.room_event(room, format, e->name()), format, e);
}

void device_publisher::publish_event(std::string topic, wire format, const shared_event& e) {
  metrics_.events.add();
  if (topic.size() > topics_.max_topic()) {
    metrics_.dropped_events.add();
    return note_dropped();
  }
  link_.publish(event_message(std::move(topic), format, *e), [this](publish_outcome outcome) {
    if (outcome == publish_outcome::done) return;
    metrics_.dropped_events.add();
    note_dropped();
  });
}

void device_publisher::note_dropped() {
  ++unlogged_drops_;
  const std::int64_t now = time_.steady_ms();
  if (now < next_log_ms_) return;
  next_log_ms_ = now + log_pause_ms;
  log_.write(log_level::warning, "mqtt_dropped",
             std::to_string(unlogged_drops_) + " replies and notifications were not taken by the broker");
  unlogged_drops_ = 0;
}

}  // namespace roombus::mqtt
