#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "adapters/http/http_types.hpp"
#include "adapters/socketio/engine_reply.hpp"
#include "adapters/socketio/engine_session.hpp"
#include "core/ports/environment.hpp"

namespace roombus::socketio {

/// What an Engine.IO server needs from outside; all of it outlives the server.
struct engine_environment {
  scheduler& timers;
  const clock& time;
  random_source& random;
  metrics_registry& metrics;
};

/// Serves Engine.IO 3 and 4 below one path: handshakes, and each later request to its session.
class engine_server final : public http::handler {
 public:
  /// Called for each new session; the answer takes what its client sends. Runs before the open packet leaves.
  using open_function = std::function<std::shared_ptr<session_receiver>(const std::shared_ptr<engine_session>&)>;

  engine_server(engine_options options, engine_environment env, open_function on_open);
  ~engine_server() override;
  engine_server(const engine_server&) = delete;
  engine_server& operator=(const engine_server&) = delete;

  void on_request(http::request req, std::shared_ptr<http::responder> answer) override;
  void on_upgrade(http::request req, std::shared_ptr<http::upgrade_responder> answer) override;

  /// Closes every session and refuses new ones.
  void close_all();
  [[nodiscard]] std::size_t session_count() const { return sessions_.size(); }
  [[nodiscard]] std::shared_ptr<engine_metrics> metrics() const { return {context_, &context_->metrics}; }

 private:
  struct parameters;

  std::optional<engine_refusal> check_handshake(const http::request& req, const parameters& given) const;
  std::shared_ptr<engine_session> find(const std::string& sid);
  std::shared_ptr<engine_session> create(http::request& req, const parameters& given);
  void open_websocket(http::request req, const parameters& given,
                      const std::shared_ptr<http::upgrade_responder>& answer);
  bool refuse(std::optional<engine_refusal> why);
  void forget(const std::string& sid);

  std::shared_ptr<engine_context> context_;
  random_source& random_;
  open_function on_open_;
  std::unordered_map<std::string, std::shared_ptr<engine_session>> sessions_;
  std::unordered_map<std::string, std::size_t> per_address_;  // sessions by http::address_key
  bool closing_ = false;
  std::shared_ptr<engine_server*> self_;  // null inside once the server is gone, for WebSockets that open later
};

}  // namespace roombus::socketio
