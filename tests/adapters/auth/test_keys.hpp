#pragma once

// Keys that are made when the tests run, and tokens that no honest issuer would make.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <string>
#include <string_view>

#include "adapters/auth/base64url.hpp"
#include "adapters/auth/jwt_key.hpp"

namespace roombus::test {

struct key_pair {
  std::string private_pem;
  std::string public_pem;
};

inline key_pair to_pem(EVP_PKEY* made) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(made, &EVP_PKEY_free);
  const auto text_of = [](BIO* out) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(out);
    return text;
  };
  key_pair pair;
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  pair.private_pem = text_of(out);
  out = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(out, key.get());
  pair.public_pem = text_of(out);
  return pair;
}

inline key_pair make_rsa(unsigned bits = 2048) {
  return to_pem(EVP_RSA_gen(bits));
}
inline key_pair make_ec(const char* curve = "P-256") {
  return to_pem(EVP_EC_gen(curve));
}
inline const key_pair& rsa() {
  static const key_pair pair = make_rsa();
  return pair;
}
inline const key_pair& p256() {
  static const key_pair pair = make_ec();
  return pair;
}

inline const std::string secret = "a secret of more than thirty-two bytes";

/// Header and claims as they are written here, not yet signed.
inline std::string unsigned_token(std::string_view header, std::string_view claims) {
  return auth::encode_base64url(header) + "." + auth::encode_base64url(claims);
}
inline std::string sign(const auth::signing_key& key, const std::string& text) {
  return text + "." + auth::encode_base64url(key.sign(text));
}
inline auth::signing_key hmac_key(const std::string& with = secret) {
  return *auth::signing_key::from_secret(with).key;
}

}  // namespace roombus::test
