#pragma once

// The broker as the bridge sees it. bridge/paho has the real one; every call and callback is on the core's thread.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.hpp"

namespace roombus::mqtt {

enum class qos : std::uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2 };
enum class retain : bool { no, yes };

/// What the broker delivered.
struct received_message {
  std::string topic;
  std::string payload;
  qos level = qos::at_most_once;
  bool retained = false;
  std::optional<std::string> response_topic;    ///< MQTT 5
  std::optional<std::string> correlation_data;  ///< MQTT 5
  std::optional<std::string> content_type;      ///< MQTT 5
};

/// What it takes in a queue, bytes.
[[nodiscard]] inline std::size_t weight(const received_message& m) {
  const auto bytes = [](const std::optional<std::string>& text) { return text ? text->size() : 0; };
  return sizeof(received_message) + m.topic.size() + m.payload.size() + bytes(m.response_topic) +
         bytes(m.correlation_data) + bytes(m.content_type);
}

/// What goes to the broker.
struct outgoing_message {
  std::string topic;
  shared_buffer payload;
  qos level = qos::at_least_once;
  retain keep = retain::no;
  std::optional<std::string> response_topic;    ///< MQTT 5
  std::optional<std::string> correlation_data;  ///< MQTT 5
  std::optional<std::string> content_type;      ///< MQTT 5
};

struct subscription {
  std::string filter;
  qos level = qos::at_least_once;
  bool retained = true;  ///< false: the broker sends no retained messages at subscribing (MQTT 5 Retain Handling 2)
};

/// What the link reports.
struct link_handlers {
  std::function<void()> on_up;  ///< connected, and all subscriptions acknowledged
  std::function<void(std::string_view reason)> on_down;
  std::function<void(received_message)> on_message;
};

/// Outcome of a publish.
enum class publish_outcome : std::uint8_t {
  done,     ///< QoS 0: handed to the socket; QoS 1: PUBACK
  refused,  ///< the broker refused it (reason code ≥ 0x80), or the topic or payload is too long
  dropped   ///< not sent: the link is down or its bounded queue is full
};

class mqtt_link {
 public:
  static constexpr std::size_t max_subscriptions = 100'000;  ///< made by `subscribe`

  virtual ~mqtt_link() = default;
  /// Starts connecting, and reconnects by itself (back-off from 100 ms to 10 s, with jitter) until `stop`.
  /// `subscriptions` are made at each connect, before `on_up`.
  virtual void start(std::vector<subscription> subscriptions, link_handlers handlers) = 0;
  /// Subscribes beside what `start` was given: kept, and made again at each connect before `on_up`. `done(true)`: the
  /// broker has acknowledged it on the present connection; while there is none, `done` waits for the next.
  /// `done(false)`: refused, no valid filter, one over `max_subscriptions`, unsubscribed meanwhile, or the link stops;
  /// then it is not kept. A kept one that is refused later counts as a failed connect. The same filter again changes
  /// nothing; one `unsubscribe` ends it. `done` may be empty and is called in a later turn.
  virtual void subscribe(subscription wanted, std::function<void(bool acknowledged)> done) = 0;
  /// Ends what `subscribe` began; what is on its way still arrives.
  virtual void unsubscribe(const std::string& filter) = 0;
  /// Sends one message; messages to one topic leave in the order of the calls. `done` may be empty.
  virtual void publish(outgoing_message message, std::function<void(publish_outcome)> done) = 0;
  /// Calls `passed` when everything published before is done, dropped included: from then on the broker alone has it.
  /// Never from within, unless nothing is in flight.
  virtual void fence(std::function<void()> passed) = 0;
  [[nodiscard]] virtual bool is_up() const = 0;
  /// Messages published and not yet done.
  [[nodiscard]] virtual std::size_t in_flight() const = 0;
  /// More than half of the bounded queue is used: who can wait with something should.
  [[nodiscard]] virtual bool is_busy() const { return false; }
  /// Disconnects after what is in flight was acknowledged or `limit` is over; then calls `stopped`. No callback after
  /// it.
  virtual void stop(std::chrono::milliseconds limit, std::function<void()> stopped) = 0;
};

}  // namespace roombus::mqtt
