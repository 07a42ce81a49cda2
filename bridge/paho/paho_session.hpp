#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bridge/mqtt/mqtt_link.hpp"
#include "bridge/paho/paho_inbox.hpp"
#include "bridge/paho/paho_link.hpp"

namespace roombus::mqtt {

/// Keeps Paho's process-wide threads and tables while there is no connection: without it the end of each connection
/// would tear them down, which takes seconds and is where Paho's known hangs and crashes are.
class paho_anchor {
 public:
  paho_anchor();
  paho_anchor(const paho_anchor&) = delete;
  paho_anchor& operator=(const paho_anchor&) = delete;
  ~paho_anchor();
  void hold();     ///< Job thread.
  void release();  ///< Job thread; takes a second when it is the last.

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// A subscription to be made or ended; `id` comes back with the answer.
struct paho_request {
  std::uint64_t id = 0;
  bool ends = false;
  subscription what;
};

/// One connection, from the attempt to its end, on a Paho client of its own; what happens goes to the inbox.
class paho_session {
 public:
  paho_session(const paho_options& options, std::uint64_t attempt, std::shared_ptr<paho_inbox> inbox);
  paho_session(const paho_session&) = delete;
  paho_session& operator=(const paho_session&) = delete;
  ~paho_session();

  void connect();  ///< Job thread. Then: connected or failed.
  void prepare();  ///< Job thread, once it is connected. Then: ready.
  /// Job thread, after ready. Then: answered for each, in any order; or failed.
  void request(const std::vector<paho_request>& requests);
  /// Core's thread, between ready and close. Nothing: a completion with `id` comes; else the outcome, known now.
  std::optional<publish_outcome> publish(std::uint64_t id, const outgoing_message& message);
  void close();  ///< Job thread. Sends DISCONNECT if it can do so at once; then: closed.

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace roombus::mqtt
