#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace roombus::net {

/// Whom a TLS client trusts, and who it says it is. All files are PEM.
struct tls_options {
  std::string ca_file;    ///< what signs the servers' certificates; empty: the system's trust store
  std::string cert_file;  ///< the client's certificate, with its chain; empty: none is shown
  std::string key_file;   ///< its key, without a passphrase; empty: it is in `cert_file` too
};

/// Those files, read. Made once at the start and shared by all connections to one service.
class tls_context;

enum class tls_part : std::uint8_t { trust, certificate, key };

struct opened_tls_context {
  std::shared_ptr<tls_context> context;
  std::string error;                ///< why there is none, with the file
  tls_part part = tls_part::trust;  ///< which of the options is wrong then
};

[[nodiscard]] opened_tls_context open_tls_context(const tls_options& options);

/// The system's trust store and no certificate of our own. Throws when OpenSSL cannot even make that.
[[nodiscard]] std::shared_ptr<tls_context> default_tls_context();

}  // namespace roombus::net
