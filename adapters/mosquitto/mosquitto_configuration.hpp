#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/ports/environment.hpp"

namespace roombus::mosquitto {

/// Who may log in on the listener of the devices.
enum class device_access : std::uint8_t {
  nobody,         ///< no login method: every connection is refused
  plugin,         ///< our plugin decides by `login_options`
  password_file,  ///< names and passwords of `users_file`; user and client levels are bound to the login
  dev             ///< `--dev`: any name without a password; any client id may act for its user name
};

/// What a Mosquitto (2.0.11 or newer) that serves roombus needs to be told.
struct configuration {
  std::string prefix = "roombus";            ///< first level of all topics
  std::string bridge_address = "127.0.0.1";  ///< listener of the bridge
  std::uint16_t bridge_port = 0;
  std::string bridge_password_file;
  std::string bridge_acl_file;
  std::string device_address = "127.0.0.1";  ///< listener of the devices; empty: all interfaces
  std::uint16_t device_port = 1883;
  device_access access = device_access::nobody;
  std::string device_password_file;  ///< for `nobody` an empty file
  /// One password file and one access list, those of the devices, for both listeners: they must know the bridge, too,
  /// and with `dev` the bridge's name is its secret. Newer Mosquittos (2.0.21) keep nothing for clients that are away
  /// when each listener has lists of its own.
  bool shared_lists = false;
  std::string device_acl_file;
  std::string persistence_dir;                  ///< empty: nothing is kept over a restart
  std::uint32_t max_payload = 1U << 20U;        ///< bytes of one message
  std::uint32_t max_inflight_messages = 1000;   ///< per client, unacknowledged
  std::uint32_t max_queued_messages = 20000;    ///< per client, behind those
  std::uint32_t max_queued_bytes = 64U << 20U;  ///< per client
  /// Path of our plugin; empty: password files and access lists decide. With it the ACL files are not used.
  std::string plugin;
  std::string login_options;         ///< with the plugin: lines of options about logins of devices
  std::vector<std::string> admins;   ///< with the plugin: accounts that may call the server API
  std::vector<std::string> workers;  ///< with the plugin: accounts that serve hooks
};

/// The configuration file.
[[nodiscard]] std::string render_configuration(const configuration& c);

/// Access list of the bridge: its account may do everything.
[[nodiscard]] std::string render_bridge_acl(std::string_view bridge_user);

/// Access list of the listener of the devices: call, send and status below the own user level are written, the own
/// subtree is read, and nothing else. Mosquitto refuses names with `+` or `#` wherever a pattern is used.
/// `admins` are users who may call the server API on MQTT, read the answers to it, and read operator events. `workers`
/// are users who may read calls of hooks and answer them.
[[nodiscard]] std::string render_device_acl(std::string_view prefix, device_access access,
                                            const std::vector<std::string>& admins = {},
                                            const std::vector<std::string>& workers = {});

/// One line of a password file: PBKDF2-SHA512 as `mosquitto_passwd` writes it ($7$).
[[nodiscard]] std::string render_password(std::string_view user, std::string_view password, random_source& random);

}  // namespace roombus::mosquitto
