#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "bridge/mqtt/mqtt_link.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"

namespace roombus::mqtt {

/// MQTT version that the broker speaks.
enum class protocol_version : std::uint8_t { v3_1_1 = 4, v5 = 5 };

struct paho_options {
  std::string uri;        ///< tcp://host:port or ssl://host:port
  std::string client_id;  ///< unguessable where devices share the broker: who connects with it takes the link down
  std::string username;   ///< empty: none
  std::string password;
  std::string ca_file;  ///< ssl: certificates (PEM) that the broker's must be signed by; empty: the system's
  protocol_version version = protocol_version::v5;
  std::chrono::seconds keep_alive{20};
  bool clean_start = true;
  std::chrono::seconds session_expiry{0};    ///< MQTT 5: how long the broker keeps the session while we are away
  std::size_t max_inflight = 1000;           ///< messages handed to Paho and not done; less when the broker wants less
  std::size_t max_queue_messages = 20000;    ///< messages published and not done; above it they are dropped
  std::size_t max_queue_bytes = 64U << 20U;  ///< the same for their payloads and topics
  std::size_t max_inbox_bytes = 64U << 20U;  ///< received and not yet handled; above it received messages are dropped
  std::chrono::milliseconds connect_timeout{5000};  ///< from the start of an attempt to its last SUBACK
  std::chrono::milliseconds first_delay{100};       ///< back-off of the reconnects
  std::chrono::milliseconds longest_delay{500};     ///< a broker that is back is served within two seconds
};

/// The link on Paho MQTT C++ (docs/decisions/0003-paho-link.md). Paho's threads only copy into a queue; everything else
/// is on the core's thread, which no call of Paho can block for longer than its short locks.
/// A lost connection completes everything in flight as `dropped`: such a message may have reached the broker or not.
/// A subscription that the broker refuses counts as a failed attempt: the link stays down, says so in the log and tries
/// again. With 3.1.1 there are no properties, and `subscription::retained = false` cannot be asked for: such messages
/// arrive marked as retained. The destructor waits for Paho's threads, at most 3 s.
[[nodiscard]] std::unique_ptr<mqtt_link> make_paho_link(paho_options options, scheduler& loop, random_source& random,
                                                        log_sink& log, metrics_registry& metrics);

}  // namespace roombus::mqtt
