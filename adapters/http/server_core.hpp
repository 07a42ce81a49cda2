#pragma once

// Internal to adapters/http: what the sessions of one listener share.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "adapters/http/http_types.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"

namespace boost::asio {
class io_context;
}

namespace roombus::http {

class tcp_link;

struct server_metrics {
  server_metrics(metrics_registry& registry, const std::string& listener);
  /// Counts an answered request by its status class.
  void count_status(unsigned status);

  counter& accepted;
  counter& refused;
  counter& bad_requests;
  counter& timeouts;
  counter& slow_consumers;
  counter& ws_opened;
  counter& ws_received;
  counter& ws_sent;
  counter& bytes_received;
  counter& bytes_sent;
  counter* statuses[5];
};

/// Shared by server and sessions: a responder or connection that somebody still holds may outlive the server.
struct server_core {
  server_core(boost::asio::io_context& context, std::string listener, const limits& bounds, metrics_registry& registry,
              log_sink& log);

  /// The handler for a path, or null.
  [[nodiscard]] handler* find(std::string_view path) const;
  [[nodiscard]] static std::int64_t now_ms();
  /// Value of the Date header, made once a second.
  [[nodiscard]] const std::string& date();
  void add(std::shared_ptr<tcp_link> link);
  void remove(const std::shared_ptr<tcp_link>& link);

  boost::asio::io_context& context;
  std::string name;
  limits bounds;
  log_sink& log;
  server_metrics metrics;
  std::vector<std::pair<std::string, handler*>> routes;  // longest prefix first
  std::unordered_set<std::shared_ptr<tcp_link>> links;
  std::unordered_map<std::string, std::size_t> per_address;  // by address_key; only kept where limited
  std::function<void()> on_empty;                            // set by server::close
  bool closing = false;                                      // no new work: answers end their connection
  bool dead = false;                                         // the server is gone: handlers must not be called

 private:
  std::string date_;
  std::int64_t date_second_ = -1;
};

}  // namespace roombus::http
