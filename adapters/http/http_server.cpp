#include "adapters/http/http_server.hpp"

#include <algorithm>
#include <optional>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "adapters/http/address_key.hpp"
#include "adapters/http/http_session.hpp"
#include "adapters/http/server_core.hpp"
#include "adapters/http/tcp_link.hpp"
#include "adapters/loop/event_loop.hpp"

namespace roombus::http {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {
constexpr std::int64_t refusal_log_pause_ms = 60'000;
}

struct server::impl {
  using acceptor = asio::basic_socket_acceptor<tcp, io_executor>;

  impl(event_loop& loop, server_options o, metrics_registry& registry, log_sink& log)
      : options(std::move(o)),
        core(std::make_shared<server_core>(loop.context(), options.name, options.bounds, registry, log)),
        listener(loop.context().get_executor()),
        ticker(loop.context()) {
    const limits& l = options.bounds;
    const std::uint32_t shortest = std::min({l.request_timeout_ms, l.idle_timeout_ms, l.close_wait_ms});
    period = std::chrono::milliseconds(std::clamp<std::uint32_t>(shortest / 4, 10, 1000));
    // the registry may outlive the server
    registry.add_gauge(
        "roombus_http_connections", "TCP connections open now.",
        [weak = std::weak_ptr(core)] {
          const auto alive = weak.lock();
          return alive ? static_cast<double>(alive->links.size()) : 0.0;
        },
        "listener=\"" + options.name + '"');
    tick();
  }

  ~impl() {
    core->dead = true;
    core->on_empty = nullptr;
    for (const auto& link : core->links)
      link->drop();
    core->links.clear();
  }

  /// One coarse check for all connections: no timer is armed per connection or message.
  void tick() {
    ticker.expires_after(period);
    ticker.async_wait([this](const error_code& error) {
      if (error) return;
      const std::int64_t now = server_core::now_ms();
      for (const auto& link : core->links)
        link->check(now);
      if (core->closing && now >= close_deadline_ms) {
        for (const auto& link : core->links)
          link->fail();
      }
      if (accept_paused) {
        accept_paused = false;
        accept();
      }
      tick();
    });
  }

  void accept() {
    if (!listener.is_open()) return;
    listener.async_accept([this](const error_code& error, tcp_socket socket) {
      if (error == asio::error::operation_aborted || !listener.is_open()) return;
      if (error) {
        // out of descriptors or memory: more haste would only spin
        core->log.write(log_level::warning, "accept_failed", options.name + ": " + error.message());
        accept_paused = true;
        return;
      }
      take(std::move(socket));
      accept();
    });
  }

  /// The socket goes with its owner. Logged now and then: who is refused comes again, and again.
  void refuse(const std::string& present) {
    core->metrics.refused.add();
    const std::int64_t now = server_core::now_ms();
    if (now < next_refusal_log_ms) return;
    next_refusal_log_ms = now + refusal_log_pause_ms;
    core->log.write(log_level::warning, "connections_refused",
                    options.name + ": there are " + present + ", more are closed at once");
  }

  void take(tcp_socket socket) {
    error_code error;
    const tcp::endpoint peer = socket.remote_endpoint(error);
    if (error) return;  // gone already
    asio::ip::address address = peer.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
      address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    std::string text = address.to_string();
    const limits& l = core->bounds;
    if (core->links.size() >= l.max_connections) {
      return refuse(std::to_string(l.max_connections) + " connections (max_connections)");
    }
    if (l.max_connections_per_address > 0) {
      const auto count = core->per_address.find(address_key(text));
      if (count != core->per_address.end() && count->second >= l.max_connections_per_address) {
        return refuse(std::to_string(count->second) + " connections from " + text +
                      " (max_connections_per_address; all clients of a proxy have its address)");
      }
    }
    core->metrics.accepted.add();
    socket.set_option(tcp::no_delay(true), error);
    socket.non_blocking(true, error);
    auto link = std::make_shared<tcp_link>(core, std::move(socket), std::move(text));
    core->add(link);
    start_http_session(core, std::move(link));
  }

  server_options options;
  std::shared_ptr<server_core> core;
  acceptor listener;
  asio::steady_timer ticker;
  std::chrono::milliseconds period{1000};
  std::int64_t close_deadline_ms = 0;
  std::int64_t next_refusal_log_ms = 0;
  bool accept_paused = false;
};

server::server(event_loop& loop, server_options options, metrics_registry& metrics, log_sink& log)
    : impl_(std::make_unique<impl>(loop, std::move(options), metrics, log)) {}
server::~server() = default;

void server::route(std::string path_prefix, handler& to) {
  auto& routes = impl_->core->routes;
  routes.emplace_back(std::move(path_prefix), &to);
  std::stable_sort(routes.begin(), routes.end(),
                   [](const auto& a, const auto& b) { return a.first.size() > b.first.size(); });
}

listen_result server::listen() {
  const server_options& o = impl_->options;
  const std::string where = o.address + ':' + std::to_string(o.port);
  error_code error;
  const asio::ip::address address = asio::ip::make_address(o.address == "localhost" ? "127.0.0.1" : o.address, error);
  if (error) return {0, "cannot listen on " + where + ": not an IP address"};
  const tcp::endpoint endpoint(address, o.port);
  auto& listener = impl_->listener;
  listener.open(endpoint.protocol(), error);
  if (!error) listener.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) listener.bind(endpoint, error);
  if (!error) listener.listen(asio::socket_base::max_listen_connections, error);
  std::uint16_t port = 0;
  if (!error) port = listener.local_endpoint(error).port();
  if (error) {
    error_code ignored;
    listener.close(ignored);
    return {0, "cannot listen on " + where + ": " + error.message()};
  }
  impl_->accept();
  return {port, {}};
}

void server::stop_accepting() {
  error_code ignored;
  impl_->listener.close(ignored);
}

void server::close(std::chrono::milliseconds limit, std::function<void()> done) {
  stop_accepting();
  auto& core = impl_->core;
  core->closing = true;
  impl_->close_deadline_ms = server_core::now_ms() + limit.count();
  for (const auto& link : core->links)
    link->server_close();
  if (core->links.empty()) {
    asio::post(core->context, std::move(done));
  } else {
    core->on_empty = std::move(done);
  }
}

}  // namespace roombus::http
