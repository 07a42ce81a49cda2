#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "adapters/auth/jwt_key.hpp"
#include "adapters/auth/watched_file.hpp"
#include "core/ports/environment.hpp"

namespace roombus::auth {

/// Where keys come from; empty ones are not used, others add up.
struct jwt_sources {
  std::string secret;           ///< HS256
  std::string secret_file;      ///< HS256; one line end at the end of the file does not count
  std::string public_key_file;  ///< PEM: RS256 or ES256, whatever the key is
  std::string jwks_file;        ///< a JWK set
};

/// The keys that are valid now. A file that was replaced by a bad one keeps its old keys.
class jwt_keys {
 public:
  jwt_keys(jwt_sources sources, log_sink& log);

  /// Reads everything. Not empty: what is wrong; then there are no keys.
  [[nodiscard]] std::string load();
  /// Reads again the files that have changed, or all with `force`.
  void reload(bool force);
  [[nodiscard]] const std::vector<jwt_key>& current() const { return all_; }

 private:
  using parse = std::function<std::string(const std::string& content, std::vector<jwt_key>& keys)>;
  struct source {
    watched_file file;
    parse read;
    std::vector<jwt_key> keys;
  };
  [[nodiscard]] std::string read(source& s);
  void collect();

  std::string secret_;
  log_sink& log_;
  std::vector<source> files_;
  std::vector<jwt_key> all_;
};

}  // namespace roombus::auth
