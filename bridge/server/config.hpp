#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/auth/credentials.hpp"
#include "adapters/auth/network_list.hpp"
#include "adapters/broker_auth/broker_access.hpp"
#include "adapters/net/tls_context.hpp"
#include "adapters/socketio/login_gate.hpp"
#include "adapters/sqlite/sqlite_store.hpp"
#include "bridge/mqtt/broker_profile.hpp"
#include "bridge/server/endpoint.hpp"
#include "bridge/server/hook_config.hpp"
#include "core/api_keys.hpp"
#include "core/options.hpp"
#include "core/ports/store.hpp"
#include "schemas/codec/codec_limits.hpp"

namespace roombus::server {

/// Where devices are met.
enum class broker_kind : std::uint8_t {
  none,      ///< no MQTT
  embedded,  ///< a Mosquitto that we start and stop
  tcp,       ///< a given broker
  ssl        ///< a given broker over TLS
};

/// `mqtt.broker`: "embedded", "none", "tcp://host:port" or "ssl://host:port" (1883 and 8883 when left out).
struct broker_address {
  broker_kind kind = broker_kind::embedded;
  endpoint address;  ///< of tcp and ssl

  [[nodiscard]] static std::optional<broker_address> parse(std::string_view text);
  [[nodiscard]] std::string str() const;
  bool operator==(const broker_address&) const = default;
};

enum class delivery_kind : std::uint8_t { automatic, broker, inbox };
/// Who vouches that a device's user and client levels are its own.
enum class identity_kind : std::uint8_t { none, plugin, acl };
enum class store_kind : std::uint8_t { memory, sqlite, redis };
/// Its directory is made when it is missing; that of any other path is not.
inline constexpr const char* default_store_path = "data/roombus.db";
enum class log_format : std::uint8_t { text, json };
enum class log_level : std::uint8_t { error, warning, info, debug };

/// One `[[room]]`: created at start if absent, never changed or deleted later.
struct room_entry {
  room_name name;
  room_settings settings;  ///< what the entry leaves out has the defaults of [chat]; without epoch
};

/// Everything that can be configured, checked. The keys, their texts and ranges are in config_keys.cpp.
struct config {
  struct http_section {
    endpoint listen{"127.0.0.1", 8000};
    std::string nsp = "/chat-service";
    bool page = true;
    std::vector<std::string> cors_origins;  ///< "*" for any; empty: no CORS headers
    std::size_t max_http_buffer = 1'000'000;
    bool compression = false;
    std::size_t max_connections = 100'000;
    std::size_t max_connections_per_address = 1'000;
    std::size_t max_header = 16 * 1024;
    std::size_t max_queue = 4 * 1024 * 1024;
    std::uint32_t request_timeout_ms = 15'000;
    std::uint32_t idle_timeout_ms = 60'000;
  } http;

  struct socketio_section {
    std::uint32_t ping_interval_ms = 25'000;
    std::uint32_t ping_timeout_ms = 20'000;
    std::uint32_t eio3_ping_timeout_ms = 5'000;
    std::uint32_t upgrade_timeout_ms = 10'000;
    std::uint32_t connect_timeout_ms = 45'000;
    std::size_t max_attachments = 10;
  } socketio;

  struct admin_section {
    endpoint listen{"127.0.0.1", 8001};
    std::string key;
    std::string key_file;
    std::string rooms_key;
    std::string rooms_key_file;
    std::string read_key;
    std::string read_key_file;
    api_keys keys;  ///< all of the above, those in the files too
  } admin;

  struct mqtt_section {
    broker_address broker;
    endpoint listen{"127.0.0.1", 1883};
    std::string prefix = "roombus";
    delivery_kind delivery = delivery_kind::automatic;
    roombus::mqtt::broker_profile profile = roombus::mqtt::broker_profile::generic;  ///< mosquitto when embedded
    identity_kind identity = identity_kind::none;
    std::string plugin = "auto";  ///< of the embedded broker: a path, "auto" or "none"
    std::string username;
    std::string password;  ///< also when it was given by `password_file`
    std::string password_file;
    std::string client_id;  ///< empty: made from the instance's id
    std::string ca_file;    ///< empty: the system's certificates
    std::size_t max_topic = 2048;
    std::uint32_t offline_grace = 2'000;
    std::uint32_t idle_timeout = 120'000;
    std::uint32_t reconnect_grace = 60'000;
    bool admin = false;               ///< the server API on MQTT
    std::vector<std::string> admins;  ///< user names that may call it
    std::string auth_key;             ///< opens the endpoint that brokers ask; empty: there is none
    roombus::broker_auth::client_ids auth_client_ids = roombus::broker_auth::client_ids::own;
    roombus::broker_auth::client_ids client_ids = roombus::broker_auth::client_ids::any;  ///< of the embedded broker
  } mqtt;

  struct store_section {
    store_kind kind = store_kind::sqlite;  ///< memory with auth.dev, unless configured
    std::string path = default_store_path;
    sync_mode sync = sync_mode::full;
    std::string redis = "redis://127.0.0.1:6379/0";  ///< checked; may hold a password
    net::tls_options redis_tls;                      ///< checked, where it is rediss://
    bool cluster = false;
    std::string prefix = "roombus";
    bool replicas = false;
    std::uint32_t replica_timeout = 1'000;
    std::uint32_t timeout = 5'000;
  } store;

  chat_options chat;
  chat_limits limits;
  codec_limits payload;
  socketio::login_bounds logins;  ///< of socket.io clients

  struct auth_section {
    bool dev = false;  ///< logins by name alone
    std::vector<std::string> dev_networks{"127.0.0.0/8", "::1/128"};
    /// `dev_networks`, parsed. Only from there development logins are taken.
    [[nodiscard]] network_list dev_list() const;
    roombus::auth::credential_options logins;  ///< by token and by password
  } auth;

  hooks_section hooks;

  struct log_section {
    log_format format = log_format::text;
    log_level level = log_level::info;
  } log;

  struct instance_section {
    std::string id;       ///< empty: a random one at each start
    bool cluster = true;  ///< others may share store and broker, where both can be shared
  } instance;

  std::vector<room_entry> rooms;

  /// Connections on each listener.
  struct listener_bounds {
    std::size_t http = 0;
    std::size_t admin = 0;
  };
  /// What the process's open files allow (descriptor_limit.hpp), where that may be less than http.max_connections.
  std::optional<listener_bounds> within_descriptors;

  /// The instance is one of several, or may become so: they share a Redis and a broker.
  [[nodiscard]] bool is_shared() const {
    return instance.cluster && store.kind == store_kind::redis &&
           (mqtt.broker.kind == broker_kind::tcp || mqtt.broker.kind == broker_kind::ssl);
  }
};

}  // namespace roombus::server
