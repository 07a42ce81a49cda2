#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/mqtt/broker_profile.hpp"
#include "bridge/mqtt/mqtt_link.hpp"
#include "core/api_keys.hpp"
#include "core/metrics.hpp"
#include "core/service.hpp"
#include "schemas/codec/codec_limits.hpp"

namespace roombus::mqtt {

struct mqtt_admin_options {
  std::string prefix = "roombus";
  broker_profile profile = broker_profile::generic;
  /// User names that may call; empty: whoever the broker lets publish there.
  std::vector<std::string> users;
  codec_limits payload;
  std::size_t max_topic = 2048;             ///< bytes
  std::size_t max_correlation_data = 1024;  ///< bytes; requests with more are ignored
  std::size_t max_waiting_events = 100;     ///< operator events kept while the broker is out of reach; the oldest go
  std::size_t max_running = 256;            ///< calls at a time; more get rateLimited
  /// Whether this instance serves the caller "user/client", where several share the broker; empty: it serves all.
  std::function<bool(std::string_view device)> serves;
};

/// The server API over MQTT, beside the bridge on its link:
///   P/admin/call/{user}/{client}/{method}[/{id}]  {"key":…,"args":…}
///   P/admin/reply/{user}/{client}/{…}             as the bridge's replies; to `id`, or to the request's Response Topic
///   P/admin/events/{name}                         operator events, JSON
/// Source: design §3, the table of topics; docs/server-api.md.
class mqtt_admin {
 public:
  struct environment {
    service& chat;
    mqtt_link& link;
    const api_keys& keys;
    log_sink& log;
    metrics_registry& metrics;
  };

  /// Observes the service's operator events from now on. All in `env` outlives it.
  mqtt_admin(mqtt_admin_options options, environment env);
  ~mqtt_admin();
  mqtt_admin(const mqtt_admin&) = delete;
  mqtt_admin& operator=(const mqtt_admin&) = delete;

  /// What the bridge has to subscribe for us (`bridge_options::extra_subscriptions`).
  [[nodiscard]] std::vector<subscription> subscriptions() const;
  /// The link is up: sends the operator events that waited for it.
  void link_up();
  /// True when the topic is a call of the server API, answered or not.
  bool take(received_message& message);

 private:
  class impl;
  std::shared_ptr<impl> impl_;  // shared with coroutines that wait for the service
};

}  // namespace roombus::mqtt
