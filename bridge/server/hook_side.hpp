#pragma once

#include <memory>
#include <string>

#include "bridge/server/hook_config.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"
#include "core/service.hpp"

namespace roombus {
class event_loop;
}

namespace roombus::server {

/// The hooks outside of the process: over HTTP, over MQTT, or some over each.
class hook_side {
 public:
  struct environment {
    event_loop& loop;
    clock& time;
    log_sink& log;
    metrics_registry& metrics;
  };

  /// `over_mqtt` calls workers; null without hooks over MQTT. `instance` is told in each call.
  hook_side(const hooks_section& settings, const std::string& instance, const codec_limits& answers,
            hook_caller* over_mqtt, environment env);
  ~hook_side();
  hook_side(const hook_side&) = delete;
  hook_side& operator=(const hook_side&) = delete;

  /// The configured hooks, for `service::set_hooks`. They may be called as long as this object lives.
  [[nodiscard]] service_hooks hooks();

 private:
  std::unique_ptr<hook_caller> over_http_;
  std::unique_ptr<remote_hooks> http_hooks_;
  std::unique_ptr<remote_hooks> mqtt_hooks_;
};

}  // namespace roombus::server
