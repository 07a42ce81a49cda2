#include <roombus/embedded_server.hpp>

#include <cassert>
#include <csignal>
#include <cstdio>
#include <utility>
#include <vector>

#include "adapters/http/http_server.hpp"
#include "adapters/http/status_handler.hpp"
#include "adapters/memory/memory_store.hpp"
#include "adapters/socketio/chat_namespace.hpp"
#include "adapters/socketio/socketio_server.hpp"

namespace roombus {

namespace {

/// Warnings and errors, one line each.
class stderr_log final : public log_sink {
 public:
  void write(log_level level, std::string_view event, std::string_view text) override {
    if (level < log_level::warning) return;
    std::string line(level == log_level::error ? "error " : "warning ");
    line.append(event).append(" ");
    for (char c : text)
      line += static_cast<unsigned char>(c) < 0x20 ? '?' : c;  // a name never starts a line of its own
    line += '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);  // one call: lines of several threads do not mix
  }
};

task<result<login>> nobody() {
  co_return chat_error(errc::no_login);
}

/// The login method that was chosen, whenever that was.
class chosen_authenticator final : public authenticator {
 public:
  explicit chosen_authenticator(service& chat) : chat_(chat) {}
  void choose(std::unique_ptr<authenticator> logins) { chosen_ = std::move(logins); }

  task<result<login>> authenticate(connection_id id, handshake shown) override {
    if (chosen_) return chosen_->authenticate(std::move(id), std::move(shown));
    if (chat_.hooks().on_connect) return chat_.ask_who(std::move(id), std::move(shown));
    return nobody();
  }

 private:
  service& chat_;
  std::unique_ptr<authenticator> chosen_;
};

http::server_options listener_options(const embedded_options& options) {
  http::server_options out;
  out.address = options.address;
  out.port = options.port;
  out.bounds = options.http;
  return out;
}

}  // namespace

struct embedded_server::impl {
  enum class state : std::uint8_t { fresh, starting, running, stopping, stopped };

  explicit impl(embedded_options given)
      : options(std::move(given)),
        log(options.log ? options.log : std::make_shared<stderr_log>()),
        id(options.instance.empty() ? random_hex(random, 8) : options.instance),
        data(options.make_store ? options.make_store(environment()) : make_memory_store(time)),
        chat(options.chat, options.limits, id, service::environment{*data, time, random, loop, *log, metrics}),
        logins(chat),
        clients(socketio::chat_environment{chat, logins, metrics, *log, loop, time}),
        sockets(options.socketio, socketio::engine_environment{loop, time, random, metrics}),
        status(metrics, [this] { return std::string(now == state::running ? "" : "not running"); }),
        listener(loop, listener_options(options), metrics, *log) {
    sockets.add_namespace(options.nsp, clients);
    listener.route("/socket.io/", sockets.requests());
    if (!options.status) return;
    for (const char* path : {"/healthz", "/readyz", "/metrics"})
      listener.route(path, status);
  }

  embedded_environment environment() { return {loop, time, random, *log, metrics}; }

  task<result<void>> start_up() {
    value_map info;
    result<void> started = co_await chat.start(std::move(info));
    if (!started) co_return started.error();
    if (now != state::starting) co_return chat_error(errc::unavailable);  // stopped meanwhile
    if (options.listen) {
      const http::listen_result bound = listener.listen();
      if (!bound) co_return chat_error::plain(bound.error);
      port = bound.port;
    }
    if (devices) {
      devices->start();
      devices_started = true;
    }
    now = state::running;
    co_return result<void>{};
  }

  task<void> start(std::function<void(result<void>)> done) {
    result<void> started = co_await start_up();
    start_ended.complete(true);
    if (!started && now == state::starting) {
      const result<void> down = co_await shut_down();
      if (!down) log->write(log_level::error, "close_failed", down.error().code_name());
    }
    // a turn later: the caller's own code has returned by then, whatever the start waited for
    loop.post([done = std::move(done), started = std::move(started)] { done(started); });
  }

  /// Clients first, then what carried them.
  task<result<void>> shut_down() {
    now = state::stopping;
    const auto limit = options.chat.close_timeout;
    result<void> outcome = co_await chat.close();
    sockets.close_all();  // those who have not logged in
    const completion<bool> closed;
    listener.close(limit, [closed] { closed.complete(true); });
    const completion<bool> unlinked;
    if (devices_started) {
      devices->stop(limit, [unlinked] { unlinked.complete(true); });
    } else {
      unlinked.complete(true);
    }
    timer_handle late = loop.after(limit + std::chrono::seconds(3), [closed, unlinked] {
      closed.complete(false);
      unlinked.complete(false);
    });
    const bool listener_ended = co_await closed;
    const bool devices_ended = co_await unlinked;
    late.cancel();
    now = state::stopped;
    if (outcome && !(listener_ended && devices_ended)) co_return chat_error(errc::timeout);
    co_return outcome;
  }

  task<void> stop(std::function<void(result<void>)> done) {
    if (now == state::stopping || now == state::stopped) co_return;
    const bool during_start = now == state::starting;
    now = state::stopping;
    listener.stop_accepting();
    if (during_start) {
      // the onStart hook still runs: what it has begun must not go on beside the close
      timer_handle late = loop.after(options.chat.close_timeout, [this] { start_ended.complete(false); });
      co_await start_ended;
    }
    result<void> outcome = co_await shut_down();
    loop.post([this, done = std::move(done), outcome = std::move(outcome)] {
      if (done) done(outcome);
      if (on_stopped) on_stopped(outcome);
    });
  }

  void add_devices(std::unique_ptr<mqtt::mqtt_link> given, mqtt::bridge_options bridge_options) {
    assert(!devices && now == state::fresh);
    link = std::move(given);
    devices = std::make_unique<mqtt::bridge>(std::move(bridge_options),
                                             mqtt::bridge::environment{chat, *link, loop, time, *log, metrics});
  }

  embedded_options options;
  event_loop loop;
  system_clock time;
  system_random random;
  metrics_registry metrics;
  std::shared_ptr<log_sink> log;
  std::string id;
  std::unique_ptr<store> data;
  service chat;
  chosen_authenticator logins;
  socketio::chat_namespace clients;
  std::vector<std::unique_ptr<socketio::nsp_handler>> namespaces;
  std::vector<std::unique_ptr<http::handler>> handlers;
  socketio::server sockets;
  http::status_handler status;
  http::server listener;
  std::unique_ptr<mqtt::mqtt_link> link;
  std::unique_ptr<mqtt::bridge> devices;
  bool devices_started = false;
  std::uint16_t port = 0;
  state now = state::fresh;
  completion<bool> start_ended;
  std::function<void(const result<void>&)> on_stopped;
};

embedded_server::embedded_server(embedded_options options) : impl_(std::make_unique<impl>(std::move(options))) {}

embedded_server::~embedded_server() = default;

service& embedded_server::chat() {
  return impl_->chat;
}

embedded_environment embedded_server::environment() {
  return impl_->environment();
}

void embedded_server::set_authenticator(std::unique_ptr<authenticator> logins) {
  impl_->logins.choose(std::move(logins));
}

void embedded_server::add_namespace(std::string nsp, std::unique_ptr<socketio::nsp_handler> handler) {
  impl_->namespaces.push_back(std::move(handler));
  impl_->sockets.add_namespace(std::move(nsp), *impl_->namespaces.back());
}

void embedded_server::add_route(std::string path_prefix, std::unique_ptr<http::handler> handler) {
  impl_->handlers.push_back(std::move(handler));
  impl_->listener.route(std::move(path_prefix), *impl_->handlers.back());
}

void embedded_server::add_mqtt(mqtt::paho_options broker, mqtt::bridge_options options) {
  impl& p = *impl_;
  if (!mqtt::traits_of(options.profile).mqtt5) broker.version = mqtt::protocol_version::v3_1_1;
  if (broker.client_id.empty()) broker.client_id = "roombus-" + random_hex(p.random, 12);
  add_mqtt(mqtt::make_paho_link(std::move(broker), p.loop, p.random, *p.log, p.metrics), std::move(options));
}

void embedded_server::add_mqtt(std::unique_ptr<mqtt::mqtt_link> link, mqtt::bridge_options options) {
  impl_->add_devices(std::move(link), std::move(options));
}

result<void> embedded_server::run(std::function<void()> ready) {
  impl& p = *impl_;
  result<void> outcome;
  if (p.options.stop_on_signals) {
    p.loop.on_signal([this](int number) {
      if (number != SIGHUP) stop();
    });
  }
  p.on_stopped = [&p, &outcome](const result<void>& stopped) {
    if (outcome) outcome = stopped;
    p.loop.stop();
  };
  start([&p, &outcome, ready = std::move(ready)](const result<void>& started) {
    if (started) {
      if (ready) ready();
      return;
    }
    outcome = started;
    if (p.now == impl::state::stopped) p.loop.stop();  // else a stop has come between, which ends the loop
  });
  p.loop.run();
  p.on_stopped = nullptr;
  return outcome;
}

void embedded_server::start(std::function<void(result<void>)> done) {
  impl& p = *impl_;
  assert(p.now == impl::state::fresh);
  p.now = impl::state::starting;
  p.loop.post([&p, done = std::move(done)] { p.start(done).detach(); });
}

void embedded_server::stop(std::function<void(result<void>)> done) {
  impl& p = *impl_;
  p.loop.post([&p, done = std::move(done)] { p.stop(done).detach(); });
}

void embedded_server::post(std::function<void()> fn) {
  impl_->loop.post(std::move(fn));
}

std::uint16_t embedded_server::port() const {
  return impl_->port;
}

}  // namespace roombus
