#pragma once

// One key with the one algorithm that it is for. The algorithm belongs to the key and never to the token: a token that
// names another one is refused before anything is computed, so a public key can never serve as an HMAC secret.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace roombus::auth {

enum class jwt_algorithm : std::uint8_t { hs256, rs256, es256 };

/// "HS256", "RS256", "ES256"
[[nodiscard]] std::string_view to_text(jwt_algorithm a);
/// Exactly these three spellings; nothing for all others ("none", "hs256", "HS384" …).
[[nodiscard]] std::optional<jwt_algorithm> algorithm_of(std::string_view text);

/// A key, or why there is none.
template <class T>
struct key_result {
  std::optional<T> key;
  std::string error;
};

/// A key that verifies signatures. Copies share it.
class jwt_key {
 public:
  /// A secret for HS256: at least 32 bytes (RFC 7518 §3.2), and no PEM text.
  [[nodiscard]] static key_result<jwt_key> from_secret(std::string secret, std::optional<std::string> kid = {});
  /// An RSA key (2048 to 8192 bits: RS256) or one on P-256 (ES256). `modulus` … are big-endian bytes.
  [[nodiscard]] static key_result<jwt_key> from_rsa(std::string modulus, std::string exponent,
                                                    std::optional<std::string> kid = {});
  /// `x` and `y` of 32 bytes each, on the curve.
  [[nodiscard]] static key_result<jwt_key> from_p256(std::string x, std::string y, std::optional<std::string> kid = {});

  [[nodiscard]] jwt_algorithm algorithm() const { return algorithm_; }
  [[nodiscard]] const std::optional<std::string>& kid() const { return kid_; }

  /// True when `signature`, in the form of RFC 7518 §3 (ES256: r and s, 32 bytes each), is this key's for `text`.
  [[nodiscard]] bool verifies(std::string_view text, std::string_view signature) const;

 private:
  friend key_result<std::vector<jwt_key>> read_public_keys(const std::string& pem);
  jwt_algorithm algorithm_ = jwt_algorithm::hs256;
  std::optional<std::string> kid_;
  std::string secret_;
  std::shared_ptr<evp_pkey_st> key_;  // shared by the copies; never changed
};

/// All `PUBLIC KEY` blocks of a PEM text, RSA or P-256.
[[nodiscard]] key_result<std::vector<jwt_key>> read_public_keys(const std::string& pem);

/// A key that makes signatures.
class signing_key {
 public:
  [[nodiscard]] static key_result<signing_key> from_secret(std::string secret);
  /// An unencrypted PEM private key, RSA or P-256.
  [[nodiscard]] static key_result<signing_key> from_pem(const std::string& pem);

  [[nodiscard]] jwt_algorithm algorithm() const { return algorithm_; }
  /// The signature in the form of RFC 7518 §3; empty when OpenSSL fails.
  [[nodiscard]] std::string sign(std::string_view text) const;

 private:
  jwt_algorithm algorithm_ = jwt_algorithm::hs256;
  std::string secret_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace roombus::auth
