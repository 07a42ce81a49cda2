#include "adapters/socketio/socketio_server.hpp"

#include <utility>

namespace roombus::socketio {

server::server(socketio_options options, engine_environment env)
    : context_(std::make_shared<sio_context>(options, env.timers, env.time, env.random)),
      engine_(
          std::move(options.engine), env,
          [context = context_](const std::shared_ptr<engine_session>& session) -> std::shared_ptr<session_receiver> {
            auto connection = std::make_shared<sio_connection>(context, session);
            connection->start();
            return connection;
          }) {
  context_->metrics = engine_.metrics();
  context_->namespaces.emplace("/", nullptr);
}

server::~server() = default;

void server::add_namespace(std::string nsp, nsp_handler& handler) {
  context_->namespaces[std::move(nsp)] = &handler;
}

}  // namespace roombus::socketio
