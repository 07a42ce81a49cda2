#include "adapters/socketio/cors.hpp"

#include <algorithm>

namespace roombus::socketio {

void add_cors_headers(const cors_policy& policy, const http::request& req, http::header_list& headers) {
  if (policy.origins.empty()) return;
  const std::string_view origin = req.header("origin");
  const bool any = std::find(policy.origins.begin(), policy.origins.end(), "*") != policy.origins.end();
  if (any && !policy.credentials) {
    headers.emplace_back("Access-Control-Allow-Origin", "*");
    return;
  }
  headers.emplace_back("Vary", "Origin");
  const bool listed = std::find(policy.origins.begin(), policy.origins.end(), origin) != policy.origins.end();
  if (origin.empty() || !listed) return;  // a star together with credentials would let every page act as the user
  headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
  if (policy.credentials) headers.emplace_back("Access-Control-Allow-Credentials", "true");
}

http::response preflight_response(const cors_policy& policy, const http::request& req) {
  http::response out;
  out.status = 204;
  add_cors_headers(policy, req, out.headers);
  out.headers.emplace_back("Access-Control-Allow-Methods", "GET,POST");
  const std::string_view wanted = req.header("access-control-request-headers");
  if (!wanted.empty()) out.headers.emplace_back("Access-Control-Allow-Headers", std::string(wanted));
  out.headers.emplace_back("Access-Control-Max-Age", "600");
  return out;
}

}  // namespace roombus::socketio
