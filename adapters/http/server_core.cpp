#include "adapters/http/server_core.hpp"

#include <array>
#include <chrono>
#include <ctime>

#include "adapters/http/address_key.hpp"
#include "adapters/http/tcp_link.hpp"

namespace roombus::http {

server_metrics::server_metrics(metrics_registry& registry, const std::string& listener)
    : accepted(registry.add_counter("roombus_http_connections_accepted_total", "TCP connections taken.",
                                    "listener=\"" + listener + '"')),
      refused(registry.add_counter("roombus_http_connections_refused_total",
                                   "TCP connections closed at once because of a connection limit.",
                                   "listener=\"" + listener + '"')),
      bad_requests(registry.add_counter("roombus_http_bad_requests_total",
                                        "Malformed or oversized requests and WebSocket protocol violations.",
                                        "listener=\"" + listener + '"')),
      timeouts(registry.add_counter("roombus_http_timeouts_total", "Connections ended because the peer was too slow.",
                                    "listener=\"" + listener + '"')),
      slow_consumers(registry.add_counter("roombus_http_slow_consumers_total",
                                          "Connections ended because their outgoing queue was full.",
                                          "listener=\"" + listener + '"')),
      ws_opened(registry.add_counter("roombus_ws_opened_total", "WebSocket handshakes completed.",
                                     "listener=\"" + listener + '"')),
      ws_received(registry.add_counter("roombus_ws_messages_received_total", "WebSocket messages received.",
                                       "listener=\"" + listener + '"')),
      ws_sent(registry.add_counter("roombus_ws_messages_sent_total", "WebSocket messages queued for sending.",
                                   "listener=\"" + listener + '"')),
      bytes_received(registry.add_counter("roombus_http_received_bytes_total",
                                          "Bytes of requests and WebSocket payloads received.",
                                          "listener=\"" + listener + '"')),
      bytes_sent(registry.add_counter("roombus_http_sent_bytes_total", "Bytes handed to the kernel.",
                                      "listener=\"" + listener + '"')),
      statuses{} {
  for (std::size_t i = 0; i < std::size(statuses); ++i) {
    statuses[i] = &registry.add_counter("roombus_http_requests_total", "Requests answered, by status class.",
                                        "listener=\"" + listener + "\",status=\"" + std::to_string(i + 1) + "xx\"");
  }
}

void server_metrics::count_status(unsigned status) {
  const unsigned group = status / 100;
  if (group >= 1 && group <= std::size(statuses)) statuses[group - 1]->add();
}

server_core::server_core(boost::asio::io_context& io, std::string listener, const limits& l, metrics_registry& registry,
                         log_sink& sink)
    : context(io), name(std::move(listener)), bounds(l), log(sink), metrics(registry, name) {}

handler* server_core::find(std::string_view path) const {
  for (const auto& [prefix, to] : routes) {
    if (!path.starts_with(prefix)) continue;
    if (path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/') return to;
  }
  return nullptr;
}

std::int64_t server_core::now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

const std::string& server_core::date() {
  const std::time_t now = std::time(nullptr);
  if (now != date_second_) {
    date_second_ = now;
    // not strftime: its names of days and months follow the process's locale
    constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm t{};
    gmtime_r(&now, &t);
    auto two = [](int n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
    date_ = std::string(days[static_cast<std::size_t>(t.tm_wday)]) + ", " + two(t.tm_mday) + ' ' +
            months[static_cast<std::size_t>(t.tm_mon)] + ' ' + std::to_string(1900 + t.tm_year) + ' ' + two(t.tm_hour) +
            ':' + two(t.tm_min) + ':' + two(t.tm_sec) + " GMT";
  }
  return date_;
}

void server_core::add(std::shared_ptr<tcp_link> link) {
  if (bounds.max_connections_per_address > 0) ++per_address[address_key(link->remote_address())];
  links.insert(std::move(link));
}

void server_core::remove(const std::shared_ptr<tcp_link>& link) {
  if (links.erase(link) == 0) return;
  if (bounds.max_connections_per_address > 0) {
    auto count = per_address.find(address_key(link->remote_address()));
    if (count != per_address.end() && --count->second == 0) per_address.erase(count);
  }
  if (links.empty() && on_empty) std::exchange(on_empty, nullptr)();
}

}  // namespace roombus::http
