#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "adapters/http/http_types.hpp"

namespace roombus::http {

/// A file that a `static_site` serves; its bytes never change.
struct static_file {
  std::string path;  ///< "/app.js"; "/" for the page itself
  std::string content_type;
  shared_buffer bytes;
  shared_buffer gzip;      ///< the same, compressed; null: none
  std::string etag;        ///< without quotes; "" makes one from the bytes
  bool immutable = false;  ///< the path names this content for ever (it has a hash in it)
};

/// Serves files from memory: GET and HEAD, If-None-Match, gzip where there is a variant and the client takes it.
/// Unknown paths get 404, other methods 405. Every response carries `content_security_policy` (left out when empty),
/// X-Content-Type-Options, Referrer-Policy and X-Frame-Options.
class static_site final : public handler {
 public:
  static_site(std::vector<static_file> files, std::string content_security_policy);
  void on_request(request req, std::shared_ptr<responder> answer) override;

 private:
  std::unordered_map<std::string, static_file> files_;
  header_list security_headers_;
};

}  // namespace roombus::http
