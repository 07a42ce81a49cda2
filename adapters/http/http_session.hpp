#pragma once

// Internal to adapters/http: requests and responses on one connection. Beast stays in http_session.cpp.

#include <memory>

#include "adapters/http/server_core.hpp"

namespace roombus::http {

class tcp_link;

/// Starts reading requests from a link that is in the core's table.
void start_http_session(std::shared_ptr<server_core> core, std::shared_ptr<tcp_link> link);

}  // namespace roombus::http
