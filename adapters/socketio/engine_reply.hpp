#pragma once

#include "adapters/http/http_types.hpp"
#include "adapters/socketio/cors.hpp"

namespace roombus::socketio {

/// Refusals of requests; the numbers in their bodies are those of the Node.js server.
enum class engine_refusal : std::uint8_t {
  unknown_transport,
  unknown_sid,
  bad_method,
  bad_request,
  forbidden,
  unsupported_version,
  too_large,  ///< 413
  overload    ///< 503
};

/// `{"code":1,"message":"Session ID unknown"}` with the right status and the CORS headers.
[[nodiscard]] http::response refusal_response(engine_refusal why, const cors_policy& cors, const http::request& req);

}  // namespace roombus::socketio
