#pragma once

#include <memory>
#include <string>

#include "adapters/socketio/engine_server.hpp"
#include "adapters/socketio/nsp_socket.hpp"
#include "adapters/socketio/sio_connection.hpp"

namespace roombus::socketio {

/// Serves Socket.IO protocols 4 and 5 over Engine.IO 3 and 4. Route requests below `/socket.io/` to `requests()`.
class server {
 public:
  server(socketio_options options, engine_environment env);
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  /// Lets clients join `nsp` (`/chat-service`); `handler` must outlive the server.
  void add_namespace(std::string nsp, nsp_handler& handler);
  /// What takes the HTTP requests.
  [[nodiscard]] http::handler& requests() { return engine_; }
  /// Closes every connection and refuses new ones.
  void close_all() { engine_.close_all(); }
  [[nodiscard]] std::size_t session_count() const { return engine_.session_count(); }

 private:
  std::shared_ptr<sio_context> context_;
  engine_server engine_;
};

}  // namespace roombus::socketio
