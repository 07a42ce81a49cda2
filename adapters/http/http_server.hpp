#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "adapters/http/http_types.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"

namespace roombus {
class event_loop;
}

namespace roombus::http {

struct server_options {
  std::string name = "http";          ///< label `listener` of the metrics, and in the log
  std::string address = "127.0.0.1";  ///< an IP address, or "localhost"
  std::uint16_t port = 0;             ///< 0: a free one
  limits bounds;
};

/// The port that was bound, or why none was.
struct listen_result {
  std::uint16_t port = 0;
  std::string error;  ///< empty on success; names address and reason
  explicit operator bool() const { return error.empty(); }
};

/// One HTTP and WebSocket listener and its connections. Everything runs on the loop's thread.
/// The loop, registry, log and all handlers must outlive it; the registry's gauge reads 0 once it is gone.
class server {
 public:
  server(event_loop& loop, server_options options, metrics_registry& metrics, log_sink& log);
  /// Drops every connection; no handler is called any more.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Sends requests whose path is `path_prefix` or lies below it to `to`; the longest prefix wins, and "/" takes what
  /// nothing else does. A path without any handler is answered 404.
  void route(std::string path_prefix, handler& to);
  /// Binds and starts accepting.
  [[nodiscard]] listen_result listen();
  /// Closes the listening socket; connections stay.
  void stop_accepting();
  /// Stops accepting, ends idle connections at once, lets pending answers go out, closes WebSockets with 1001, and cuts
  /// what is left after `limit`. `done` runs once when no connection is left (later than this call).
  void close(std::chrono::milliseconds limit, std::function<void()> done);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace roombus::http
