#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bridge/mqtt/broker_profile.hpp"
#include "bridge/mqtt/mqtt_link.hpp"
#include "bridge/mqtt/plugin_client.hpp"
#include "bridge/mqtt/presence.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"
#include "core/service.hpp"
#include "schemas/codec/codec_limits.hpp"

namespace roombus::mqtt {

/// How room notifications reach devices. Source: design §5.
enum class delivery : std::uint8_t {
  inbox,     ///< one publish per joined device, to its own topics
  broker,    ///< one publish per room and wire format; the broker decides who reads
  automatic  ///< broker if our plugin answers, else inbox
};

struct bridge_options {
  std::string prefix = "roombus";  ///< as `topic_map::is_prefix` allows it
  broker_profile profile = broker_profile::generic;
  delivery mode = delivery::inbox;
  std::size_t max_topic = 2048;  ///< bytes, both directions
  codec_limits payload;
  presence_times times;
  bool births_are_fresh = false;  ///< a retained birth is as good as a live one: the broker keeps none when it dies
  std::size_t max_connections = 100'000;             ///< devices at a time; requests of more get rateLimited
  std::size_t max_pending = 256;                     ///< requests of one device that wait; more get rateLimited
  std::size_t max_pending_bytes = 64 * 1024 * 1024;  ///< of all waiting requests; more get rateLimited
  std::size_t max_correlation_data = 1024;           ///< bytes; requests with more are ignored
  plugin_options plugin;
  std::size_t max_held = 10'000;                  ///< messages that wait until it is known whether there is a plugin
  std::vector<subscription> extra_subscriptions;  ///< made beside the bridge's own, for `on_extra`
  /// Gets each message whose topic is none of the bridge's, also while the bridge stops; false: counted as ignored.
  std::function<bool(received_message&)> on_extra;
};

/// Rooms and commands as MQTT topics: takes requests and presence of devices from the link, runs them on the service,
/// and publishes replies and notifications. Belongs to the core's one thread.
///
/// Requests and the coming and going of one device are handled one after the other, in order of arrival.
/// `service`, `link` and the rest outlive the bridge, and the link calls back into it until `stop` has called `done`.
/// Source: design §3 to §5; docs/mqtt.md.
class bridge {
 public:
  struct environment {
    service& chat;
    mqtt_link& link;
    scheduler& timers;
    clock& time;
    log_sink& log;
    metrics_registry& metrics;
  };

  /// Unless delivery is `inbox` it announces itself as the service's broadcaster.
  bridge(bridge_options options, environment env);
  ~bridge();
  bridge(const bridge&) = delete;
  bridge& operator=(const bridge&) = delete;

  /// Starts the link.
  void start();
  /// Takes no more requests, ends all connections at the service, waits for what is pending, then stops the link; all
  /// within `limit`. `done` is called once.
  void stop(std::chrono::milliseconds limit, std::function<void()> done);
  /// Devices that are connected, or still have something pending.
  [[nodiscard]] std::size_t device_count() const;

 private:
  class impl;
  std::shared_ptr<impl> impl_;  // shared with coroutines that wait for the service
};

}  // namespace roombus::mqtt
