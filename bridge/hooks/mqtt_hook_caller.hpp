#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "bridge/mqtt/mqtt_link.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"
#include "core/ports/hook_caller.hpp"
#include "schemas/codec/payload.hpp"

namespace roombus::mqtt {

struct mqtt_hook_options {
  std::string prefix = "roombus";
  std::string instance;                                  ///< one topic level
  std::chrono::milliseconds timeout{2000};               ///< for one call
  std::size_t max_pending = 1000;                        ///< calls that wait for their answer; more fail at once
  payload::encoding encoding = payload::encoding::json;  ///< of what is sent; answers say themselves what they are
  codec_limits answer;                                   ///< bounds on answers
};

/// Calls hooks by messages to `P/hook/call/{hook}`, which workers read through a shared subscription. The answer is
/// published to the Response Topic, `P/hook/reply/{instance}/{nonce}`, which is also `replyTo` in the body, for workers
/// that speak MQTT 3.1.1. The nonce is 128 random bits, good for one answer to one call: what comes late, twice or
/// under another one is ignored and counted. Source: design §3.
class mqtt_hook_caller final : public hook_caller {
 public:
  struct environment {
    mqtt_link& link;
    scheduler& timers;
    random_source& random;
    metrics_registry& metrics;
  };

  mqtt_hook_caller(mqtt_hook_options options, environment env);
  /// Calls that still wait get no outcome any more.
  ~mqtt_hook_caller() override;

  task<hook_outcome> call(std::string hook, value_map body) override;

  /// What the link is to subscribe for us.
  [[nodiscard]] std::vector<subscription> subscriptions() const;
  /// True when the message was for us.
  bool take(received_message& message);

 private:
  class impl;
  std::shared_ptr<impl> impl_;  // shared with outcomes of publishes
};

}  // namespace roombus::mqtt
