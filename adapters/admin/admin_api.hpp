#pragma once

#include <memory>

#include "adapters/admin/event_streams.hpp"
#include "adapters/http/http_types.hpp"
#include "core/api_keys.hpp"
#include "core/metrics.hpp"
#include "core/service.hpp"
#include "schemas/codec/codec_limits.hpp"

namespace roombus::admin {

struct admin_options {
  codec_limits payload;
  stream_limits streams;
};

/// The server API over HTTP, to be routed at `/api/`:
///   POST /api/v1/{method}             one call, arguments as a JSON or CBOR object or array
///   GET  /api/v1/events               operator events as Server-Sent Events
///   GET  /api/v1/rooms/{room}/events  notifications of a room, `?history=N` first the last N messages
/// Every request needs `Authorization: Bearer KEY`; without any key in `keys` all are refused.
/// Source: contract §8, design §9; docs/server-api.md.
class admin_api final : public http::handler {
 public:
  struct environment {
    service& chat;
    const api_keys& keys;
    scheduler& timers;
    clock& time;
    log_sink& log;
    metrics_registry& metrics;
  };

  /// Observes the service's operator events from now on. All in `env` outlives it.
  admin_api(admin_options options, environment env);
  ~admin_api() override;
  admin_api(const admin_api&) = delete;
  admin_api& operator=(const admin_api&) = delete;

  void on_request(http::request req, std::shared_ptr<http::responder> answer) override;
  http::response on_too_large(const http::request& req) override;

 private:
  class impl;
  std::shared_ptr<impl> impl_;  // shared with coroutines that wait for the service
};

}  // namespace roombus::admin
