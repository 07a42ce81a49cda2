#pragma once

#include <string_view>

#include "core/event.hpp"
#include "core/named_string.hpp"
#include "core/ports/store.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace roombus {

/// Why the service ends a connection. A reply's error is something else (`errc`).
enum class close_reason : std::uint8_t {
  server_shutdown,  ///< The instance stops; reconnect elsewhere or later.
  disconnected,     ///< An operator, or the server API, disconnected the user.
  login_rejected,   ///< The client got `loginRejected` before.
  slow_consumer,    ///< The client read too slowly and its queue was full; fetch what is missing from the history.
  instance_stalled  ///< The instance lost touch with the store for too long.
};

[[nodiscard]] std::string_view to_text(close_reason reason);

/// The outgoing side of one connection, made by its transport and held by the service until `disconnect`.
/// All calls come on the core's thread and return at once; a sink queues (bounded in bytes) and never waits.
class connection_sink {
 public:
  virtual ~connection_sink() = default;
  /// Sends one notification. Order is that of the calls. A sink whose queue is full ends its connection itself.
  virtual void deliver(const shared_event& e) = 0;
  /// Ends the connection; what was delivered before still goes out where the peer reads it. The transport then reports
  /// the end to the service as always (`service::disconnect`), after this call has returned.
  virtual void close(close_reason reason) = 0;
  /// See `join_request::reads`. With several instances a connection that answers something gets no room notifications
  /// through `deliver`.
  [[nodiscard]] virtual std::string reads() const { return {}; }
};

/// A transport that serves all members of a room with one publish (broker delivery) offers this beside its sinks.
/// Sinks of such a transport then get no room notifications one by one.
class room_broadcaster {
 public:
  virtual ~room_broadcaster() = default;
  /// Sends a room notification to every connection of this transport that holds a grant.
  virtual void publish(const room_name& room, const shared_event& e) = 0;
  /// Completes when the room's notifications reach the connection. `at`: it may have them as far as was known there.
  /// One that was granted before goes on in any case. Errors: unavailable, timeout.
  virtual task<result<void>> grant(room_name room, connection_id id, log_position at) = 0;
  /// The connection has left the room: what is published from now on must not reach it. Returns at once; `revoke` then
  /// tells when the broker has confirmed it. Called for every way out, also when the connection ended.
  virtual void withdraw(const room_name& room, const connection_id& id) {
    (void)room;
    (void)id;
  }
  /// Completes when nothing more of the room reaches the connection. Errors: timeout.
  virtual task<result<void>> revoke(room_name room, connection_id id) = 0;
};

}  // namespace roombus
