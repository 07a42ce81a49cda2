#pragma once

// Internal to adapters/http: one WebSocket. Only http_session.cpp and ws_session.cpp see the Beast types here.

#include <functional>
#include <memory>
#include <string>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "adapters/http/server_core.hpp"
#include "adapters/http/tcp_link.hpp"

namespace roombus::http {

using beast_request = boost::beast::http::request<boost::beast::http::string_body>;

/// Takes over a link on which a checked upgrade request was read; no read is pending on its socket. `leftover` is what
/// was read behind the request.
void start_ws_session(std::shared_ptr<server_core> core, std::shared_ptr<tcp_link> link, beast_request request,
                      std::string leftover, std::shared_ptr<ws_handler> handler,
                      std::function<void(std::shared_ptr<ws_connection>)> on_open);

}  // namespace roombus::http
