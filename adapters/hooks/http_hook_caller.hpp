#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "adapters/hooks/hook_url.hpp"
#include "adapters/net/tls_context.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"
#include "core/ports/hook_caller.hpp"
#include "schemas/codec/payload.hpp"

namespace roombus {
class event_loop;
}

namespace roombus::hooks {

struct http_hook_options {
  hook_url url;
  std::shared_ptr<net::tls_context> tls;    ///< for https://; null: the system's trust store
  std::chrono::milliseconds timeout{2000};  ///< for one call, waiting for a connection included
  std::size_t max_connections = 32;
  std::size_t max_queue = 1000;                          ///< calls that wait for a connection; more fail at once
  payload::encoding encoding = payload::encoding::json;  ///< of what is sent; answers say themselves what they are
  std::string secret;                                    ///< signs requests (hook_signature.hpp); empty: no signature
  codec_limits answer;                                   ///< bounds on answers
  std::chrono::milliseconds idle_limit{4000};            ///< a connection that rested longer is not used again
};

/// Calls hooks as `POST {url}/{hook}` over kept-alive connections.
///
/// A request is sent a second time only when a hook cannot have seen the first: no byte of it was written (over TLS:
/// the connection was known to be gone before), or it went
/// over a connection that had rested for a second or more and that closed without a byte of an answer (the peer closed
/// it for being idle while the request was under way). Every other broken connection is a failure, since the hook may
/// have run.
class http_hook_caller final : public hook_caller {
 public:
  struct environment {
    event_loop& loop;
    clock& time;
    metrics_registry& metrics;
  };

  http_hook_caller(http_hook_options options, environment env);
  /// Calls that still wait get no outcome any more.
  ~http_hook_caller() override;

  task<hook_outcome> call(std::string hook, value_map body) override;

 private:
  class pool;
  std::shared_ptr<pool> pool_;  // shared with handlers of connections
};

}  // namespace roombus::hooks
