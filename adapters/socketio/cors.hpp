#pragma once

#include <string>
#include <vector>

#include "adapters/http/http_types.hpp"

namespace roombus::socketio {

/// Which pages of other origins may read our answers. Without any origin no header is sent, and browsers allow none.
struct cors_policy {
  std::vector<std::string> origins;  ///< exact origins (`https://example.org`); `*` alone allows all
  bool credentials = false;          ///< with an exact origin: cookies may come along
};

/// Adds the headers that `policy` gives an answer to `req`.
void add_cors_headers(const cors_policy& policy, const http::request& req, http::header_list& headers);

/// The answer to a preflight (OPTIONS) request.
[[nodiscard]] http::response preflight_response(const cors_policy& policy, const http::request& req);

}  // namespace roombus::socketio
