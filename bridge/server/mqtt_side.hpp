#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/mosquitto/mosquitto_process.hpp"
#include "bridge/admin/mqtt_admin.hpp"
#include "bridge/hooks/mqtt_hook_caller.hpp"
#include "bridge/mqtt/bridge.hpp"
#include "bridge/server/config.hpp"
#include "bridge/server/moving_link.hpp"

namespace roombus::server {

/// The MQTT half of an instance: the embedded broker or a given one, the link to it, and the bridge.
class mqtt_side {
 public:
  struct environment {
    service& chat;
    scheduler& timers;
    clock& time;
    random_source& random;
    log_sink& log;
    metrics_registry& metrics;
  };

  /// `settings.mqtt.broker` is not `none`. `instance` is part of the client id.
  mqtt_side(const config& settings, const std::string& instance, environment env);

  /// `up` is called each time the broker is reached; `failed` when an embedded broker does not start.
  void start(std::function<void()> up, std::function<void(const std::string&)> failed);
  /// Ends all devices' connections, the link, and an embedded broker.
  void stop(std::chrono::milliseconds limit, std::function<void()> stopped);

  /// Reads the keys and passwords of devices again.
  void reload_logins() {
    if (broker_) broker_->reload_logins();
  }

  [[nodiscard]] bool is_up() const { return link_.is_up(); }
  /// Where devices connect. The port of an embedded broker is known once it is up.
  [[nodiscard]] endpoint device_address() const { return device_address_; }

  /// What the other instances need; before `start`. Calls of the server API are divided by `serves`.
  [[nodiscard]] moving_link& link() { return link_; }
  [[nodiscard]] mqtt::bridge& bridge() { return bridge_; }
  /// Asks whether others have taken this instance for dead, before it tells the broker's plugin who may read what.
  using verifier = std::function<void(std::function<void(bool lives)> then)>;
  void verify_by(verifier fn) { verify_ = std::move(fn); }
  void divide_calls(std::function<bool(std::string_view device)> serves) { serves_ = std::move(serves); }

  /// Calls hook workers; null unless hooks are configured for MQTT.
  [[nodiscard]] hook_caller* hooks() { return hook_calls_.get(); }

 private:
  [[nodiscard]] mqtt::bridge_options bridge_options_of(const config& settings);
  void connect_to(const std::string& uri, const std::string& username, const std::string& password);

  const config& settings_;
  std::string client_id_;
  environment env_;
  endpoint device_address_;
  std::unique_ptr<mosquitto::mosquitto_process> broker_;  // only embedded
  std::string uri_;
  moving_link link_;
  std::function<bool(std::string_view)> serves_;
  verifier verify_;
  std::unique_ptr<mqtt::mqtt_admin> admin_;             // only with mqtt.admin
  std::unique_ptr<mqtt::mqtt_hook_caller> hook_calls_;  // only with hooks over MQTT
  mqtt::bridge bridge_;
};

}  // namespace roombus::server
