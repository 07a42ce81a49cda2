#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "bridge/mqtt/mqtt_link.hpp"
#include "core/ports/environment.hpp"

namespace roombus::mqtt {

/// Something that Paho's threads report.
struct paho_event {
  enum class kind : std::uint8_t {
    connected,  ///< CONNACK; receive_maximum and max_packet are the broker's
    ready,      ///< the connection is set up: subscriptions may follow
    answered,   ///< a subscription or its end is acknowledged or `refused`: `request` says which
    failed,     ///< the attempt failed: text says how
    lost,       ///< the connection is gone: text says how
    closed,     ///< the session was closed by us
    message
  };
  paho_event(kind k, std::uint64_t a) : what(k), attempt(a) {}

  kind what;
  std::uint64_t attempt;  ///< of which connection
  std::string text;
  std::size_t receive_maximum = 65535;
  std::size_t max_packet = 268435455;
  std::uint64_t request = 0;
  bool refused = false;
  received_message message;
};

/// End of a publish.
struct paho_completion {
  std::uint64_t id;
  publish_outcome outcome;
};

/// The door from Paho's threads to the core's thread: a queue behind a lock, and one post per batch. Received messages
/// are bounded in bytes and dropped above; events and completions are bounded by what was handed to Paho.
class paho_inbox : public std::enable_shared_from_this<paho_inbox> {
 public:
  struct batch {
    std::vector<paho_completion> completions;
    std::vector<paho_event> events;
    std::uint64_t dropped = 0;  ///< received messages that found the queue full
  };

  /// `wake` is called on the core's thread when there is something to take.
  paho_inbox(scheduler& loop, std::function<void()> wake, std::size_t max_bytes);

  void push(paho_event event);
  void push(paho_completion completion);
  /// Swaps out what is there; capacity of `into` is used again.
  void take(batch& into);
  /// Core's thread only: nothing is posted and `wake` is not called any more.
  void close();

 private:
  void wake_core();  // under the lock

  std::mutex lock_;
  scheduler* loop_;             // guarded; null once closed
  std::function<void()> wake_;  // core's thread only
  const std::size_t max_bytes_;
  batch waiting_;
  std::size_t bytes_ = 0;
  bool posted_ = false;
};

}  // namespace roombus::mqtt
