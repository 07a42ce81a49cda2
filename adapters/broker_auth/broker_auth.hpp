#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "adapters/broker_auth/broker_access.hpp"
#include "adapters/http/http_types.hpp"
#include "core/device_login.hpp"
#include "core/metrics.hpp"
#include "core/ports/credential_checker.hpp"
#include "core/ports/environment.hpp"

namespace roombus::broker_auth {

struct broker_auth_options {
  std::string key;  ///< opens the endpoint; empty: nobody gets in
  access_options access;
  std::string bridge_password;                ///< of `access.bridge_user`; empty: that account cannot log in here
  std::string vhost = "/";                    ///< of RabbitMQ
  std::size_t max_expiring_logins = 100'000;  ///< remembered; more are refused
  std::size_t max_expiring_of_user = 1'000;   ///< of them, those of one user
  std::size_t max_asked = 1000;               ///< logins that wait for the onConnect hook; more are refused
};

/// Authentication and access control for brokers that ask over HTTP, to be routed at `/broker/`:
///   POST /broker/emqx/authn, /broker/emqx/authz
///   POST /broker/vernemq                  all three webhooks (the header `vernemq-hook` tells which)
///   GET or POST /broker/rabbitmq/user, /vhost, /resource, /topic
/// The key comes as `Authorization: Bearer KEY` or, for brokers that cannot send headers, in the path:
/// `/broker/key/KEY/rabbitmq/user`. A wrong key is answered with 401, what is not understood with the broker's own
/// "no". The password of a login is a password or a token of the same user; where that kind is not configured
/// `ask_hook` decides, as for browsers. A login that limits rooms is refused, since the broker could not enforce that.
/// Source: docs/brokers.md.
class broker_auth final : public http::handler {
 public:
  using login_handler =
      std::function<void(const std::string& user, const std::string& client, std::optional<std::int64_t> ends_at_ms)>;
  struct environment {
    credential_checker& checker;
    clock& time;
    scheduler& timers;
    log_sink& log;
    metrics_registry& metrics;
    /// Asks the onConnect hook (`ask_about_device`); empty without one. What it needs outlives the task.
    std::function<task<result<login>>(device_credentials)> ask_hook;
    /// Called when the token ends by which a client logged in.
    std::function<void(const std::string& user, const std::string& client)> on_end;
    /// Called when a login was accepted here, with the time at which it ends, wall clock ms. May be empty.
    login_handler on_login = nullptr;
  };

  /// All in `env` outlives it.
  broker_auth(broker_auth_options options, environment env);
  ~broker_auth() override;
  broker_auth(const broker_auth&) = delete;
  broker_auth& operator=(const broker_auth&) = delete;

  /// Another instance accepted a login: it ends here, too.
  void learn(const std::string& user, const std::string& client, std::optional<std::int64_t> ends_at_ms);

  void on_request(http::request req, std::shared_ptr<http::responder> answer) override;

 private:
  class impl;
  std::shared_ptr<impl> impl_;  // shared with logins that wait for the checker
};

}  // namespace roombus::broker_auth
