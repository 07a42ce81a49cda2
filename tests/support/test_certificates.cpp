#include "tests/support/test_certificates.hpp"

#include <cstdio>
#include <memory>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace roombus::test {

namespace {

constexpr long day = 24 * 60 * 60;

using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using cert_ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using file_ptr = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

void check(bool fine, const char* what) {
  if (!fine) throw std::runtime_error(std::string("no test certificate: ") + what);
}

file_ptr open(const std::string& name, const char* mode) {
  file_ptr out(std::fopen(name.c_str(), mode), std::fclose);
  check(out != nullptr, name.c_str());
  return out;
}

void add_extension(X509* cert, X509* issuer, int id, const std::string& text) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  X509_EXTENSION* one = X509V3_EXT_conf_nid(nullptr, &context, id, text.c_str());
  check(one != nullptr && X509_add_ext(cert, one, -1) == 1, text.c_str());
  X509_EXTENSION_free(one);
}

struct request {
  std::string common_name;
  std::string alternative_names;
  bool authority = false;
  long from = -day;
  long until = day;
  long serial = 1;
};

/// Signed by the issuer in these files, or by itself.
void write_certificate(const request& wanted, const certificate_files& to, const certificate_files* issuer) {
  const key_ptr key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const cert_ptr cert(X509_new(), X509_free);
  check(key && cert, "key");
  X509_set_version(cert.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), wanted.serial);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), wanted.from);
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), wanted.until);
  X509_set_pubkey(cert.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wanted.common_name.c_str()), -1, -1, 0);
  cert_ptr by(nullptr, X509_free);
  key_ptr by_key(nullptr, EVP_PKEY_free);
  if (issuer != nullptr) {
    by.reset(PEM_read_X509(open(issuer->cert, "r").get(), nullptr, nullptr, nullptr));
    by_key.reset(PEM_read_PrivateKey(open(issuer->key, "r").get(), nullptr, nullptr, nullptr));
    check(by && by_key, "issuer");
  }
  X509* signer = by ? by.get() : cert.get();
  X509_set_issuer_name(cert.get(), X509_get_subject_name(signer));
  add_extension(cert.get(), signer, NID_basic_constraints, wanted.authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (!wanted.alternative_names.empty()) {
    add_extension(cert.get(), signer, NID_subject_alt_name, wanted.alternative_names);
  }
  check(X509_sign(cert.get(), by_key ? by_key.get() : key.get(), EVP_sha256()) > 0, "signature");
  check(PEM_write_X509(open(to.cert, "w").get(), cert.get()) == 1, "file");
  check(PEM_write_PrivateKey(open(to.key, "w").get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "file");
}

}  // namespace

test_authority::test_authority() : ca_{folder_.file("ca.crt"), folder_.file("ca.key")} {
  request own;
  own.common_name = "the authority of " + folder_.path().filename().string();  // two of one name are mixed up
  own.authority = true;
  write_certificate(own, ca_, nullptr);
}

certificate_files test_authority::issue(const std::string& names, validity when) {
  const std::string name = std::to_string(++count_);
  certificate_files out{folder_.file(name + ".crt"), folder_.file(name + ".key")};
  request wanted;
  wanted.common_name = "a server of a test";
  wanted.alternative_names = names;
  wanted.serial = 100 + count_;
  if (when == validity::over) {
    wanted.from = -2 * day;
    wanted.until = -day;
  } else if (when == validity::not_yet) {
    wanted.from = day;
    wanted.until = 2 * day;
  }
  write_certificate(wanted, out, &ca_);
  return out;
}

certificate_files test_authority::self_signed(const std::string& names) {
  const std::string name = std::to_string(++count_);
  certificate_files out{folder_.file(name + ".crt"), folder_.file(name + ".key")};
  request wanted;
  wanted.common_name = "a server that nobody vouches for";
  wanted.alternative_names = names;
  write_certificate(wanted, out, nullptr);
  return out;
}

}  // namespace roombus::test
