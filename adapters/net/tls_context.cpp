#include "adapters/net/tls_context.hpp"

#include <stdexcept>

#include <openssl/ssl.h>

#include "adapters/net/tls_context_impl.hpp"
#include "adapters/net/tls_trouble.hpp"

namespace roombus::net {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

namespace {

/// A key with a passphrase would make OpenSSL ask at the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

std::string cannot_use(const std::string& what, const std::string& file, const error_code& error) {
  return "cannot use " + what + " in \"" + file + "\": " + text_of(error);
}

}  // namespace

opened_tls_context open_tls_context(const tls_options& options) {
  opened_tls_context out;
  auto made = std::make_shared<tls_context>();
  ssl::context& settings = made->settings;
  SSL_CTX* native = settings.native_handle();
  settings.set_verify_mode(ssl::verify_peer);
  if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1) {
    out.error = "OpenSSL does not know TLS 1.2";
    return out;
  }
  SSL_CTX_set_default_passwd_cb(native, no_passphrase);
  error_code error;
  if (options.ca_file.empty()) {
    settings.set_default_verify_paths(error);
    if (error) out.error = "cannot use the system's trust store: " + text_of(error);
  } else {
    settings.load_verify_file(options.ca_file, error);
    if (error) out.error = cannot_use("the certificates", options.ca_file, error);
  }
  if (out.error.empty() && !options.cert_file.empty()) {
    settings.use_certificate_chain_file(options.cert_file, error);
    out.part = tls_part::certificate;
    if (error) out.error = cannot_use("the certificate", options.cert_file, error);
  }
  if (out.error.empty() && !options.cert_file.empty()) {
    const std::string& key_file = options.key_file.empty() ? options.cert_file : options.key_file;
    settings.use_private_key_file(key_file, ssl::context::pem, error);
    out.part = tls_part::key;
    if (error) out.error = cannot_use("the key", key_file, error);
  }
  if (out.error.empty()) out.context = std::move(made);
  return out;
}

std::shared_ptr<tls_context> default_tls_context() {
  opened_tls_context opened = open_tls_context({});
  if (!opened.context) throw std::runtime_error(opened.error);
  return opened.context;
}

}  // namespace roombus::net
