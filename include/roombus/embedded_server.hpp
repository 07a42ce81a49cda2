#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "adapters/http/http_types.hpp"
#include "adapters/loop/event_loop.hpp"
#include "adapters/socketio/nsp_socket.hpp"
#include "adapters/socketio/sio_connection.hpp"
#include "bridge/mqtt/bridge.hpp"
#include "bridge/mqtt/mqtt_link.hpp"
#include "bridge/paho/paho_link.hpp"
#include "core/metrics.hpp"
#include "core/options.hpp"
#include "core/ports/authenticator.hpp"
#include "core/ports/environment.hpp"
#include "core/ports/store.hpp"
#include "core/result.hpp"
#include "core/service.hpp"

namespace roombus {

/// What a part that the embedder makes may use. All of it outlives the part.
struct embedded_environment {
  event_loop& loop;
  clock& time;
  random_source& random;
  log_sink& log;
  metrics_registry& metrics;
};

/// How an `embedded_server` is built. What is left out has the default of the `roombus` program.
struct embedded_options {
  chat_options chat;
  chat_limits limits;
  std::string instance;               ///< name in the store, unique among the instances that share it; empty: random
  bool listen = true;                 ///< false: no HTTP and no socket.io, only what the embedder connects
  std::string address = "127.0.0.1";  ///< an IP address, or "localhost"
  std::uint16_t port = 0;             ///< 0: a free one, see `embedded_server::port`
  std::string nsp = "/chat-service";  ///< namespace of the chat clients
  bool status = true;                 ///< `/healthz`, `/readyz` and `/metrics` on the same port
  bool stop_on_signals = true;        ///< `run` ends cleanly on SIGINT and SIGTERM
  http::limits http;
  socketio::socketio_options socketio;
  /// Makes the store; empty: everything is kept in memory.
  std::function<std::unique_ptr<store>(embedded_environment)> make_store;
  std::shared_ptr<log_sink> log;  ///< empty: warnings and errors go to stderr. Shared: the embedder may log there, too.
};

/// A chat service inside of a program: event loop, store, socket.io on a port and, if asked for, MQTT.
///
/// Life: construct, set hooks and parts, `run`. Everything runs on the thread that calls `run`, and everything but
/// `stop` and `post` is to be called there, or before. Hooks and handlers that block stop the whole service.
class embedded_server {
 public:
  explicit embedded_server(embedded_options options = {});
  /// Not while `run` runs. Drops what is still connected.
  ~embedded_server();
  embedded_server(const embedded_server&) = delete;
  embedded_server& operator=(const embedded_server&) = delete;

  /// Rooms, users, commands; `set_hooks`, `call_api`, `events`, `watch_room`, and `connect` for transports of one's
  /// own.
  [[nodiscard]] service& chat();
  [[nodiscard]] embedded_environment environment();

  /// Decides who socket.io clients are. Without it the onConnect hook does; without both every login is rejected.
  void set_authenticator(std::unique_ptr<authenticator> logins);
  /// Serves one more socket.io namespace; chat commands and logins are none of its business. Before `run`.
  void add_namespace(std::string nsp, std::unique_ptr<socketio::nsp_handler> handler);
  /// Serves HTTP requests at `path_prefix` and below it; `/socket.io/` is taken. Before `run`.
  void add_route(std::string path_prefix, std::unique_ptr<http::handler> handler);

  /// Serves MQTT devices through a broker, from `run` on. An empty client id is replaced by one that nobody can guess.
  /// The start does not wait for the broker: the link connects and reconnects by itself. With a profile that has no
  /// MQTT 5 (`bridge_options::profile`; `generic` has none) the link speaks 3.1.1. At most once, before `run`.
  void add_mqtt(mqtt::paho_options broker, mqtt::bridge_options options = {});
  /// The same over a link of one's own.
  void add_mqtt(std::unique_ptr<mqtt::mqtt_link> link, mqtt::bridge_options options = {});

  /// Starts, calls `ready` once requests are served, and serves until `stop` (or a signal) has taken all down in order.
  /// Once per server. Errors: the onStart hook's; a text when the port cannot be bound; those of `service::close`. An
  /// exception that a handler of the embedder throws leaves `run`.
  result<void> run(std::function<void()> ready = {});
  /// For programs that run `environment().loop` themselves: the first half of `run`. `done` gets its outcome, later
  /// than this call; after an error everything is down again.
  void start(std::function<void(result<void>)> done);
  /// Refuses new clients, closes those there are with a reason, lets running commands finish; within
  /// `chat.close_timeout` each. Then `done` gets the outcome, and `run` returns. Safe from any thread. Calls after the
  /// first one do nothing.
  void stop(std::function<void(result<void>)> done = {});
  /// Runs `fn` on the server's thread, after the current turn. Safe from any thread: the door for all other threads.
  void post(std::function<void()> fn);

  /// The port that socket.io clients use; 0 before `run` is ready.
  [[nodiscard]] std::uint16_t port() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace roombus
