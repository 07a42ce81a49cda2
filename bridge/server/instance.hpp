#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "bridge/server/config.hpp"
#include "core/ports/environment.hpp"

namespace roombus {
class event_loop;
}

namespace roombus::server {

/// One running instance: builds the parts from a configuration, joins them, and takes them down in order.
class instance {
 public:
  /// `settings` must be without errors. Nothing runs yet.
  instance(config settings, event_loop& loop, log_sink& log);
  ~instance();
  instance(const instance&) = delete;
  instance& operator=(const instance&) = delete;

  /// Creates the rooms, starts the listeners and the broker. `ready` is called once, when requests are served on all of
  /// them; `failed` with a reason when the start cannot succeed.
  void start(std::function<void()> ready, std::function<void(const std::string&)> failed);
  /// Stops accepting, closes clients with a reason, finishes what runs, ends the broker; within chat.close_timeout.
  /// `stopped(clean)` is called once.
  void stop(std::function<void(bool clean)> stopped);

  /// Reads again what can be: the files with keys and passwords of logins.
  void reload();

  [[nodiscard]] const std::string& id() const;
  [[nodiscard]] endpoint http_address() const;
  [[nodiscard]] endpoint admin_address() const;
  /// Where devices connect; empty without MQTT.
  [[nodiscard]] std::optional<endpoint> mqtt_address() const;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace roombus::server
