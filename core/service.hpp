#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/api_table.hpp"
#include "core/cluster/cluster_parts.hpp"
#include "core/command_table.hpp"
#include "core/hooks.hpp"
#include "core/metrics.hpp"
#include "core/operator_events.hpp"
#include "core/options.hpp"
#include "core/ports/connection_sink.hpp"
#include "core/ports/environment.hpp"
#include "core/ports/store.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace roombus {

/// What a command is called with.
struct call {
  call() = default;
  user_name user;    ///< empty: the service itself
  connection_id id;  ///< empty: no connection (roomJoin and roomLeave then answer noSocket)
  std::string command;
  value_list args;     ///< positional, rest arguments behind
  bool local = false;  ///< by the server API: echoes go to all connections
  bool bypass_permissions = false;
  bool bypass_hooks = false;
};

/// What a command answers: its results (the first is null when there is nothing to tell), or an error.
using reply = result<value_list>;

/// The chat service: rooms, users, permissions and messages, for any number of transports over one store.
/// Belongs to one thread. Everything outside comes in through ports.
class service {
 public:
  struct environment {
    store& data;
    roombus::clock& time;
    random_source& random;
    scheduler& timers;
    log_sink& log;
    metrics_registry& metrics;
  };

  service(chat_options options, chat_limits limits, std::string instance, environment env);
  ~service();
  service(const service&) = delete;
  service& operator=(const service&) = delete;

  [[nodiscard]] const chat_options& options() const;
  /// The name this instance has in the store.
  [[nodiscard]] const std::string& instance() const;

  /// Sets the hooks; before `start`.
  void set_hooks(service_hooks hooks);
  [[nodiscard]] const service_hooks& hooks() const;
  /// Announces a transport that serves rooms with one publish; it must outlive the service. Its sinks say so when they
  /// connect. At most one.
  void set_broadcaster(room_broadcaster* broadcaster);
  /// What operators can observe.
  [[nodiscard]] operator_events& events();

  /// Makes this instance one of several (docs/scaling.md); before `start`. All parts outlive the service.
  using cluster_parts = roombus::cluster_parts;
  void set_cluster(cluster_parts parts);
  /// Name of this life of this instance; that of the instance when it is alone.
  [[nodiscard]] std::string incarnation() const;
  /// Registers a connection that another instance served until now: it is in the store, in these rooms, and nobody is
  /// told. `rights` as in `connect`. False when the id is served here already.
  bool adopt(user_name user, connection_id id, std::shared_ptr<connection_sink> sink, std::vector<joined_room> rooms,
             login_rights rights = {});
  /// Lets go of a connection that another instance serves from now on, without a word to anybody.
  void release(const connection_id& id);

  /// Runs the onStart hook, then shows in the store that this instance lives, from now on every `heartbeat_rate`, and
  /// emits `ready`. Nothing is to be served before it has completed. Errors: the hook's, unavailable; then `closed` was
  /// emitted and the service is of no use.
  task<result<void>> start(value_map info);
  /// Refuses new connections and commands (unavailable), lets running commands finish, closes every connection with
  /// `server_shutdown` and waits for its transport to report the end, all within `close_timeout`; then runs onClose and
  /// emits `closed`. Errors: timeout (something did not end in time), the hook's.
  task<result<void>> close();

  /// Asks the onConnect hook who a client is. Only with such a hook.
  task<result<login>> ask_who(connection_id id, handshake shown);
  /// Registers a logged-in connection. When it completes, the connection counts, its user's other connections got
  /// `socketConnectEcho`, and commands with its id are served. The transport then tells the client `loginConfirmed`.
  /// `shares_broadcast`: the connection gets room notifications through the broadcaster, not through its sink.
  /// `rights` hold for every command of the connection, also for those of the server API that name it.
  /// Errors: invalid_name [user], rate_limited (limits.connections_per_user), unavailable.
  task<result<void>> connect(user_name user, connection_id id, std::shared_ptr<connection_sink> sink,
                             bool shares_broadcast = false, login_rights rights = {});
  /// Ends a connection: it leaves its rooms, the others are told. Unknown ids are fine; the sink is let go at once.
  task<void> disconnect(connection_id id);
  /// Asks the connection's transport to close it. False when this instance does not serve it.
  bool close_connection(const connection_id& id, close_reason reason);
  /// Runs one command. Never throws; a fault inside is logged and answered with internalError.
  task<reply> execute(call c);
  /// Runs one method of the server API with a list of positional or a map of named arguments, or null for none.
  /// Errors: no_command [method], those of `api_arguments`, those of the method.
  task<reply> call_api(std::string method, value args);

  /// Calls `fn` with each notification that members of `room` get, also while there are none, until `unwatch_room`.
  /// For operators: permissions are not asked. `fn` returns at once and must not watch or unwatch.
  std::uint64_t watch_room(room_name room, std::function<void(const shared_event&)> fn);
  void unwatch_room(const room_name& room, std::uint64_t watch);

  /// Creates a room. Errors: room_exists, invalid_name, list_limit_exceeded.
  task<result<void>> add_room(room_name room, room_settings settings);
  [[nodiscard]] room_settings default_room_settings() const;

  [[nodiscard]] std::size_t connection_count() const;

 private:
  class impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace roombus
