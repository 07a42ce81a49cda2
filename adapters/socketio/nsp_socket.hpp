#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/socketio/sio_packet.hpp"
#include "core/ports/authenticator.hpp"
#include "core/value.hpp"

namespace roombus::socketio {

class sio_connection;

/// One client in one namespace. Made by the server, used by the namespace's handler; stays valid after its end, when
/// it sends nothing any more.
class nsp_socket final {
 public:
  nsp_socket(std::string id, std::string nsp, eio_version version, std::weak_ptr<sio_connection> connection)
      : id_(std::move(id)), nsp_(std::move(nsp)), version_(version), connection_(std::move(connection)) {}

  /// Unique id: for EIO 3 `/nsp#` and the session's id (`/`: the session's id), for EIO 4 its own.
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::string& nsp() const { return nsp_; }
  [[nodiscard]] eio_version version() const { return version_; }
  [[nodiscard]] bool is_connected() const { return connected_; }

  void emit(std::string_view name, const value_list& args);
  /// Answers an event that asked for it.
  void acknowledge(std::uint64_t id, const value_list& args);
  /// Sends frames that were made for `version()` and may be shared by many sockets.
  void send(const frame_list& frames);
  /// Leaves the namespace; the client is told, its connection stays. `on_disconnect` follows in a later turn.
  void disconnect();
  /// Keeps the namespace's place: as long as what this returns lives, even after the socket's end, the client's next
  /// CONNECT to the namespace waits. For work that outlives the socket, such as a login, so that a client has one.
  [[nodiscard]] std::shared_ptr<void> keep_place();
  /// The client has shown who it is: its connection gets all bounds. For handlers that do not trust everybody.
  void set_known();
  /// Ends the whole connection; clients come back by themselves. `on_disconnect` follows in a later turn.
  void close_connection();

 private:
  friend class sio_connection;
  std::string id_;
  std::string nsp_;
  eio_version version_;
  bool connected_ = true;
  std::weak_ptr<sio_connection> connection_;
};

/// Takes what one socket's client sends.
class socket_handler {
 public:
  virtual ~socket_handler() = default;
  /// `ack`: the client waits for `acknowledge` with this id.
  virtual void on_event(std::string name, value_list args, std::optional<std::uint64_t> ack) = 0;
  /// The socket left the namespace or its connection ended. Called once, never within a call of ours.
  virtual void on_disconnect() = 0;
};

/// Accepts sockets of one namespace.
class nsp_handler {
 public:
  virtual ~nsp_handler() = default;
  /// False: who joins is a stranger, for whom little is kept (engine_options::max_pending_half_open,
  /// sio_limits::max_held_unknown) and whose place others may get, until `nsp_socket::set_known`.
  [[nodiscard]] virtual bool trusts_everybody() const { return true; }
  /// A client joined; it was told so. `shown` has the query, headers and address of its first request, and the auth
  /// payload (EIO 3: the query in the namespace's name).
  virtual std::shared_ptr<socket_handler> on_connect(std::shared_ptr<nsp_socket> socket, handshake shown) = 0;
};

}  // namespace roombus::socketio
