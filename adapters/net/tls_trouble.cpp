#include "adapters/net/tls_trouble.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

namespace roombus::net {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// An answer that is no TLS record.
bool is_no_tls(const error_code& error) {
  if (error.category() != asio::error::get_ssl_category()) return false;
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  return reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST || reason == SSL_R_PACKET_LENGTH_TOO_LONG;
}

}  // namespace

std::string text_of(const error_code& error) {
  if (error == asio::ssl::error::stream_truncated) return "cut off (TLS was not ended)";
  if (error.category() == asio::error::get_ssl_category()) {
    // a file that cannot be opened: the system says why
    const auto code = static_cast<unsigned long>(error.value());
    if (ERR_SYSTEM_ERROR(code)) return error_code(ERR_GET_REASON(code), boost::system::system_category()).message();
    return "TLS: " + error.message();
  }
  return error.message();
}

std::string handshake_trouble(const error_code& error, const ssl_st* session, const std::string& host) {
  const long verdict = SSL_get_verify_result(session);
  if (verdict != X509_V_OK) {
    return "TLS: the certificate is not accepted: " + std::string(X509_verify_cert_error_string(verdict)) + " (for " +
           host + ")";
  }
  if (is_no_tls(error)) return "TLS: no TLS is spoken there (" + error.message() + ")";
  if (error == asio::ssl::error::stream_truncated || error == asio::error::eof ||
      error == asio::error::connection_reset || error == asio::error::broken_pipe) {
    return "TLS: closed during the handshake (is TLS spoken there?)";
  }
  return error.category() == asio::error::get_ssl_category() ? text_of(error) : "TLS: " + error.message();
}

}  // namespace roombus::net
