#pragma once

// Only for this folder: brings Asio's TLS headers.

#include <boost/asio/ssl/context.hpp>

namespace roombus::net {

class tls_context {
 public:
  tls_context() : settings(boost::asio::ssl::context::tls_client) {}
  boost::asio::ssl::context settings;
};

}  // namespace roombus::net
