#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/mosquitto/login_files.hpp"
#include "adapters/mosquitto/mosquitto_configuration.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"

namespace roombus::mosquitto {

struct process_options {
  std::string program = "mosquitto";         ///< a path, or a name looked up in PATH and in /usr/sbin, /usr/local/sbin
  std::string device_address = "127.0.0.1";  ///< IP address where devices connect
  std::uint16_t device_port = 1883;          ///< 0: a free one, the same for all restarts
  bool dev = false;                          ///< name-only login for devices
  std::string users_file;  ///< password file (mosquitto_passwd) for devices; ignored with `dev`; empty: nobody may in
  std::vector<login_setting> logins;  ///< with the plugin: tokens and passwords of devices; ignored with `dev`
  std::chrono::milliseconds login_files_interval{5000};  ///< between two looks at them; 0: only `reload_logins`
  std::string prefix = "roombus";
  std::vector<std::string> admins;   ///< users who may use the server API on MQTT
  std::vector<std::string> workers;  ///< users who may serve hooks
  std::string plugin;                ///< path of roombus_mosquitto.so; empty: Mosquitto's own access lists decide
  std::string persistence_dir;       ///< where retained messages and sessions survive a restart; empty: they do not
  std::uint32_t max_payload = 1U << 20U;        ///< bytes of one message
  std::chrono::milliseconds start_limit{5000};  ///< from starting the child to its readiness
};

/// What the bridge needs to know of a broker that is ready.
struct broker_address {
  broker_address() = default;
  std::uint16_t device_port = 0;
  std::string bridge_uri;  ///< tcp://127.0.0.1:port, the private listener; changes when the port was lost in a restart
  std::string username;
  std::string password;  ///< made at `start`, known to nobody else
};

struct process_handlers {
  process_handlers() = default;
  std::function<void(const broker_address&)> on_ready;     ///< at the first start and after each restart
  std::function<void(std::string_view reason)> on_down;    ///< the child ended by itself; it is started again
  std::function<void(std::string_view reason)> on_failed;  ///< it was never ready; given up, call `start` to try anew
};

/// The embedded broker: a Mosquitto child with a generated configuration. Everything happens on the core's thread.
/// Files (configuration, the bridge's password as a hash, access lists) are in a private directory below TMPDIR, which
/// goes with the object. A child that dies is started again on the same device port, after 100 ms, doubling to 10 s.
class mosquitto_process {
 public:
  mosquitto_process(process_options options, scheduler& loop, random_source& random, log_sink& log,
                    metrics_registry& metrics);
  mosquitto_process(const mosquitto_process&) = delete;
  mosquitto_process& operator=(const mosquitto_process&) = delete;
  /// Kills a child that still runs; no callback.
  ~mosquitto_process();

  void start(process_handlers handlers);
  /// SIGTERM, after 2 s SIGKILL; `stopped` is called when the child is gone. No other callback after this call.
  void stop(std::function<void()> stopped);
  /// Reads the files of `logins` again, now; the broker sees it within a second.
  void reload_logins();
  /// The running child, or -1.
  [[nodiscard]] int pid() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace roombus::mosquitto
