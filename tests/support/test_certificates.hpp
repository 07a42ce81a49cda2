#pragma once

#include <string>

#include "tests/support/temp_folder.hpp"

namespace roombus::test {

/// PEM files.
struct certificate_files {
  std::string cert;
  std::string key;
};

/// A certificate authority of a test's own, made by libcrypto. Its files go with it.
class test_authority {
 public:
  test_authority();

  /// The authority's own certificate: what a client must trust.
  [[nodiscard]] const std::string& ca_file() const { return ca_.cert; }

  enum class validity { now, over, not_yet };
  /// A certificate for these names, as "DNS:redis.test,IP:127.0.0.1".
  certificate_files issue(const std::string& names, validity when = validity::now);
  /// One that signed itself.
  certificate_files self_signed(const std::string& names);
  /// Files in the same folder.
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }

 private:
  temp_folder folder_;
  certificate_files ca_;
  int count_ = 0;
};

}  // namespace roombus::test
