#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "adapters/http/http_server.hpp"
#include "adapters/loop/event_loop.hpp"

namespace roombus::test {

/// What handlers and log report to the test's thread, in order.
class happenings {
 public:
  void add(std::string what);
  /// Waits until `what` was reported (10 s at most).
  [[nodiscard]] bool wait_for(const std::string& what);
  [[nodiscard]] std::size_t count(const std::string& what);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

/// A server on a free port, its loop on a thread of its own. Handlers (all run on the loop's thread):
///   /echo       answers "METHOD path?query" and the body behind a newline
///   /hold       keeps the responder in `held`; reports "held" and, when the peer leaves, "aborted"
///   /drop       lets the responder go unanswered
///   /big        answers 8 MB
///   /stream     begins a stream, writes "one" and keeps it in `stream`; reports "streaming" and "stream closed"
///   /ws/echo    sends back what arrives; reports "open", "close CODE"
///   /ws/manual  keeps the connection in `connection`; reports "open", "message …", "close CODE"
///   /ws/refuse  403; /ws/drop lets the upgrade go unanswered; other upgrades get the default
class test_server {
 public:
  explicit test_server(http::limits bounds = {});
  ~test_server();

  /// Runs `fn` on the loop's thread and waits for it.
  void on_loop(std::function<void()> fn);
  /// Value of a metric line in the registry's text, e.g. `roombus_http_bad_requests_total`; -1 without one.
  [[nodiscard]] double metric(const std::string& name);

  std::uint16_t port = 0;
  happenings seen;
  std::vector<std::shared_ptr<http::responder>> held;  // only on the loop
  std::shared_ptr<http::response_stream> stream;       // only on the loop
  std::shared_ptr<http::ws_connection> connection;     // only on the loop
  std::function<void(http::ws_connection&)> on_open;   // set before connecting
  std::unique_ptr<http::server> server;                // only on the loop

 private:
  class log;
  class requests;
  event_loop loop_;
  metrics_registry metrics_;
  std::unique_ptr<log> log_;
  std::unique_ptr<requests> requests_;
  std::thread thread_;
};

}  // namespace roombus::test
