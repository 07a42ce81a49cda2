#include "adapters/auth/jwt_key.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "adapters/auth/openssl_parts.hpp"

namespace roombus::auth {

namespace {

constexpr std::size_t min_secret_bytes = 32;  // RFC 7518 §3.2
constexpr std::size_t p256_bytes = 32;
constexpr int min_rsa_bits = 2048;
constexpr int max_rsa_bits = 8192;  // a bound on what one verification costs
constexpr std::size_t max_exponent_bytes = 8;

using shared_key = std::shared_ptr<EVP_PKEY>;

shared_key shared(EVP_PKEY* key) {
  return key == nullptr ? shared_key() : shared_key(key, &EVP_PKEY_free);
}

std::string hmac_sha256(const std::string& secret, std::string_view text) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  const auto* made = HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes_of(text), text.size(),
                          reinterpret_cast<unsigned char*>(out.data()), &size);
  out.resize(made == nullptr ? 0 : size);
  return out;
}

/// Which algorithm an asymmetric key is for; the text says why it is for none.
std::string judge(EVP_PKEY* key, jwt_algorithm& algorithm) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key);
      if (bits < min_rsa_bits || bits > max_rsa_bits) {
        return "an RSA key of " + std::to_string(bits) + " bits; expected 2048 to 8192";
      }
      algorithm = jwt_algorithm::rs256;
      return "";
    }
    case EVP_PKEY_EC: {
      char group[64] = "";
      std::size_t size = 0;
      if (EVP_PKEY_get_group_name(key, group, sizeof group, &size) != 1 || std::string_view(group) != "prime256v1") {
        return "an EC key on another curve than P-256";
      }
      algorithm = jwt_algorithm::es256;
      return "";
    }
    default:
      return "neither an RSA key nor an EC key on P-256";
  }
}

shared_key make_key(const char* type, OSSL_PARAM_BLD* builder) {
  const params_ptr params(OSSL_PARAM_BLD_to_param(builder));
  const key_context_ptr context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* made = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  shared_key key = shared(made);
  const key_context_ptr check(EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr));
  if (!check || EVP_PKEY_public_check(check.get()) != 1) return nullptr;
  return key;
}

/// r and s as RFC 7518 §3.4 has them, in the DER that OpenSSL wants; empty when there is no such signature.
std::string to_der(std::string_view raw) {
  if (raw.size() != 2 * p256_bytes) return "";
  bignum_ptr r(BN_bin2bn(bytes_of(raw), p256_bytes, nullptr));
  bignum_ptr s(BN_bin2bn(bytes_of(raw) + p256_bytes, p256_bytes, nullptr));
  const ecdsa_signature_ptr signature(ECDSA_SIG_new());
  if (!r || !s || !signature || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) return "";
  (void)r.release();  // the signature has them
  (void)s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size <= 0) return "";
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

std::string from_der(std::string_view der) {
  const unsigned char* at = bytes_of(der);
  const ecdsa_signature_ptr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (!signature) return "";
  std::string out(2 * p256_bytes, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  const int size = static_cast<int>(p256_bytes);
  if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), to, size) != size ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), to + p256_bytes, size) != size) {
    return "";
  }
  return out;
}

bool verify_with(EVP_PKEY* key, std::string_view text, std::string_view signature) {
  const digest_context_ptr context(EVP_MD_CTX_new());
  const bool ok =
      context && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) == 1 &&
      EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) == 1;
  ERR_clear_error();  // a wrong signature leaves its errors in this thread's queue
  return ok;
}

/// Never asks a terminal for a passphrase.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) {
  return 0;
}

std::string secret_problem(const std::string& secret) {
  if (secret.size() < min_secret_bytes) {
    return "a secret of " + std::to_string(secret.size()) + " bytes; HS256 needs at least 32";
  }
  if (secret.find("-----BEGIN ") != std::string::npos) return "a PEM key, which must not be used as a secret";
  return "";
}

}  // namespace

std::string_view to_text(jwt_algorithm a) {
  switch (a) {
    case jwt_algorithm::hs256:
      return "HS256";
    case jwt_algorithm::rs256:
      return "RS256";
    case jwt_algorithm::es256:
      break;
  }
  return "ES256";
}

std::optional<jwt_algorithm> algorithm_of(std::string_view text) {
  for (const auto a : {jwt_algorithm::hs256, jwt_algorithm::rs256, jwt_algorithm::es256}) {
    if (to_text(a) == text) return a;
  }
  return std::nullopt;
}

key_result<jwt_key> jwt_key::from_secret(std::string secret, std::optional<std::string> kid) {
  key_result<jwt_key> out;
  out.error = secret_problem(secret);
  if (!out.error.empty()) return out;
  jwt_key key;
  key.kid_ = std::move(kid);
  key.secret_ = std::move(secret);
  out.key = std::move(key);
  return out;
}

key_result<jwt_key> jwt_key::from_rsa(std::string modulus, std::string exponent, std::optional<std::string> kid) {
  key_result<jwt_key> out;
  if (modulus.size() > max_rsa_bits / 8 || exponent.empty() || exponent.size() > max_exponent_bytes) {
    out.error = "an RSA key with a modulus above 8192 bits or an unusual exponent";
    return out;
  }
  const bignum_ptr n(BN_bin2bn(bytes_of(modulus), static_cast<int>(modulus.size()), nullptr));
  const bignum_ptr e(BN_bin2bn(bytes_of(exponent), static_cast<int>(exponent.size()), nullptr));
  if (n && BN_num_bits(n.get()) < min_rsa_bits) {
    out.error = "an RSA key of " + std::to_string(BN_num_bits(n.get())) + " bits; expected 2048 to 8192";
    return out;
  }
  const params_builder_ptr builder(OSSL_PARAM_BLD_new());
  shared_key made;
  if (n && e && builder && OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) == 1) {
    made = make_key("RSA", builder.get());
  }
  ERR_clear_error();
  jwt_key key;
  if (!made) {
    out.error = "not a valid RSA key";
  } else {
    out.error = judge(made.get(), key.algorithm_);
  }
  if (!out.error.empty()) return out;
  key.kid_ = std::move(kid);
  key.key_ = std::move(made);
  out.key = std::move(key);
  return out;
}

key_result<jwt_key> jwt_key::from_p256(std::string x, std::string y, std::optional<std::string> kid) {
  key_result<jwt_key> out;
  if (x.size() != p256_bytes || y.size() != p256_bytes) {
    out.error = "an EC key whose coordinates do not have 32 bytes each";
    return out;
  }
  const std::string point = '\4' + x + y;  // uncompressed
  const params_builder_ptr builder(OSSL_PARAM_BLD_new());
  shared_key made;
  if (builder && OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) == 1) {
    made = make_key("EC", builder.get());
  }
  ERR_clear_error();
  jwt_key key;
  if (!made) {
    out.error = "an EC key whose point is not on P-256";
  } else {
    out.error = judge(made.get(), key.algorithm_);
  }
  if (!out.error.empty()) return out;
  key.kid_ = std::move(kid);
  key.key_ = std::move(made);
  out.key = std::move(key);
  return out;
}

bool jwt_key::verifies(std::string_view text, std::string_view signature) const {
  switch (algorithm_) {
    case jwt_algorithm::hs256: {
      const std::string expected = hmac_sha256(secret_, text);
      return !expected.empty() && expected.size() == signature.size() &&
             CRYPTO_memcmp(expected.data(), signature.data(), expected.size()) == 0;
    }
    case jwt_algorithm::rs256:
      return signature.size() == static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())) &&
             verify_with(key_.get(), text, signature);
    case jwt_algorithm::es256:
      break;
  }
  const std::string der = to_der(signature);
  return !der.empty() && verify_with(key_.get(), text, der);
}

key_result<std::vector<jwt_key>> read_public_keys(const std::string& pem) {
  key_result<std::vector<jwt_key>> out;
  if (pem.find("PRIVATE KEY-----") != std::string::npos) {
    out.error = "a private key; only the public one is needed here";
    return out;
  }
  constexpr std::string_view begin = "-----BEGIN PUBLIC KEY-----";
  constexpr std::string_view end = "-----END PUBLIC KEY-----";
  std::vector<jwt_key> keys;
  // one block after the other, so that a damaged one behind a good one is noticed
  for (std::size_t at = pem.find("-----BEGIN "); at != std::string::npos; at = pem.find("-----BEGIN ", at)) {
    const std::size_t last = pem.find(end, at);
    if (pem.compare(at, begin.size(), begin) != 0 || last == std::string::npos) break;
    const std::string block = pem.substr(at, last + end.size() - at) + "\n";
    at = last;
    const bio_ptr in(BIO_new_mem_buf(block.data(), static_cast<int>(block.size())));
    jwt_key key;
    if (in) key.key_ = shared(PEM_read_bio_PUBKEY(in.get(), nullptr, &no_passphrase, nullptr));
    ERR_clear_error();
    if (!key.key_) {
      out.error = "a PUBLIC KEY block that is damaged";
      return out;
    }
    out.error = judge(key.key_.get(), key.algorithm_);
    if (!out.error.empty()) return out;
    keys.push_back(std::move(key));
  }
  const auto count = [&pem](std::string_view what) {
    std::size_t n = 0;
    for (std::size_t at = pem.find(what); at != std::string::npos; at = pem.find(what, at + 1))
      ++n;
    return n;
  };
  if (keys.empty() || keys.size() != count("-----BEGIN ")) {
    out.error = "expected PEM with PUBLIC KEY blocks and nothing else";
    return out;
  }
  out.key = std::move(keys);
  return out;
}

key_result<signing_key> signing_key::from_secret(std::string secret) {
  key_result<signing_key> out;
  out.error = secret_problem(secret);
  if (!out.error.empty()) return out;
  signing_key key;
  key.secret_ = std::move(secret);
  out.key = std::move(key);
  return out;
}

key_result<signing_key> signing_key::from_pem(const std::string& pem) {
  key_result<signing_key> out;
  const bio_ptr in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  signing_key key;
  if (in) key.key_ = shared(PEM_read_bio_PrivateKey(in.get(), nullptr, &no_passphrase, nullptr));
  ERR_clear_error();
  if (!key.key_) {
    out.error = "expected an unencrypted PEM private key";
    return out;
  }
  out.error = judge(key.key_.get(), key.algorithm_);
  if (out.error.empty()) out.key = std::move(key);
  return out;
}

std::string signing_key::sign(std::string_view text) const {
  if (algorithm_ == jwt_algorithm::hs256) return hmac_sha256(secret_, text);
  const digest_context_ptr context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes_of(text), text.size()) != 1) {
    return "";
  }
  std::string out(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, bytes_of(text), text.size()) !=
      1) {
    return "";
  }
  out.resize(size);
  return algorithm_ == jwt_algorithm::rs256 ? out : from_der(out);
}

}  // namespace roombus::auth
