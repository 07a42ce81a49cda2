#pragma once

#include <memory>

#include "adapters/socketio/login_gate.hpp"
#include "adapters/socketio/nsp_socket.hpp"
#include "core/metrics.hpp"
#include "core/ports/authenticator.hpp"
#include "core/ports/environment.hpp"
#include "core/service.hpp"

namespace roombus::socketio {

struct chat_namespace_options {
  std::size_t max_answer_attachments = 10;  ///< in an answer with history; what does not fit is asked for next
  std::size_t max_pending_requests = 1000;  ///< running at once per connection; more are answered rateLimited
  login_bounds logins;                      ///< renewals count, too
};

/// What the chat namespace needs from outside; all of it outlives the namespace and its sockets.
struct chat_environment {
  service& chat;
  authenticator& auth;
  metrics_registry& metrics;
  log_sink& log;
  scheduler& timers;
  clock& time;
};

/// The chat service as a socket.io namespace: sockets log in, their events are commands, notifications are events.
/// A login that expires ends its socket with `loginRejected [loginExpired]`, unless the client renews it before: the
/// event `renewLogin [token]` is acknowledged with (null, {expiresAt}), or an error that changes nothing. What a
/// login's rights forbid is answered notAllowed. Source: contract §2, §5, §6.
class chat_namespace final : public nsp_handler {
 public:
  explicit chat_namespace(chat_environment env, chat_namespace_options options = {});
  ~chat_namespace() override;

  [[nodiscard]] bool trusts_everybody() const override { return false; }
  std::shared_ptr<socket_handler> on_connect(std::shared_ptr<nsp_socket> socket, handshake shown) override;

 private:
  struct shared;
  class connection;
  std::shared_ptr<shared> shared_;  // shared with the connections
};

}  // namespace roombus::socketio
