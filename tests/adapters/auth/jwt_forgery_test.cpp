// Tokens that somebody without the key, or with the key of something else, could try.

#include <gtest/gtest.h>

#include "adapters/auth/jwks.hpp"
#include "adapters/auth/jwt.hpp"
#include "tests/adapters/auth/test_keys.hpp"

namespace roombus::auth {
namespace {

using namespace std::string_literals;
using test::hmac_key;
using test::sign;
using test::unsigned_token;

constexpr std::int64_t now_ms = 1'700'000'000'000;
const std::string good_claims = R"({"sub":"alice","exp":1700000100})";

std::vector<jwt_key> public_keys(const std::string& pem) {
  auto read = read_public_keys(pem);
  EXPECT_TRUE(read.key) << read.error;
  return read.key.value_or(std::vector<jwt_key>());
}

std::vector<jwt_key> hmac_keys() {
  return {*jwt_key::from_secret(test::secret).key};
}

std::optional<jwt_fault> fault_of(const std::string& token, const std::vector<jwt_key>& keys,
                                  const jwt_rules& rules = {}) {
  return verify_token(token, keys, rules, now_ms).fault;
}

/// A token with this header, signed by the secret that the verifier has.
std::optional<jwt_fault> fault_of_header(const std::string& header) {
  return fault_of(sign(hmac_key(), unsigned_token(header, good_claims)), hmac_keys());
}

std::optional<jwt_fault> fault_of_claims(const std::string& claims, const jwt_rules& rules = {}) {
  return fault_of(sign(hmac_key(), unsigned_token(R"({"alg":"HS256"})", claims)), hmac_keys(), rules);
}

TEST(jwt_forgery, the_good_one_is_taken) {
  EXPECT_FALSE(fault_of_header(R"({"alg":"HS256","typ":"JWT"})"));
  EXPECT_FALSE(fault_of_header(R"({"typ":"at+jwt","alg":"HS256"})"));
  EXPECT_FALSE(fault_of_header(R"({"typ":"application/JWT","alg":"HS256","kid":"unknown"})"));
}

TEST(jwt_forgery, no_algorithm_but_ours_in_any_spelling) {
  for (const std::string alg : {"none", "None", "NONE", "nOnE", "none ", "", "hs256", "HS256 ", "HS384", "HS512",
                                "RS384", "PS256", "ES384", "ES256K", "EdDSA", "RSA1_5", "dir"}) {
    EXPECT_EQ(fault_of_header(R"({"alg":")" + alg + R"("})"), jwt_fault::algorithm) << alg;
  }
  for (const std::string header : {R"({"alg":"none"})", R"({"alg":"NonE","typ":"JWT"})"}) {
    const auto text = unsigned_token(header, good_claims);
    EXPECT_TRUE(fault_of(text + ".", hmac_keys())) << header;
    EXPECT_TRUE(fault_of(text, hmac_keys())) << header;
    EXPECT_TRUE(fault_of(text + ".AA", hmac_keys())) << header;
  }
  for (const std::string alg : {"null", "1", "true", R"(["HS256"])", R"({"HS256":1})"}) {
    EXPECT_EQ(fault_of_header(R"({"alg":)" + alg + "}"), jwt_fault::malformed) << alg;
  }
  EXPECT_EQ(fault_of_header("{}"), jwt_fault::malformed);
  EXPECT_EQ(fault_of_header(R"({"alg":"HS256\u0000"})"), jwt_fault::algorithm);
}

TEST(jwt_forgery, an_empty_signature_is_none) {
  for (const std::string header : {R"({"alg":"HS256"})", R"({"alg":"RS256"})", R"({"alg":"ES256"})"}) {
    auto keys = hmac_keys();
    for (const auto& pem : {test::rsa().public_pem, test::p256().public_pem}) {
      const auto more = public_keys(pem);
      keys.insert(keys.end(), more.begin(), more.end());
    }
    EXPECT_EQ(fault_of(unsigned_token(header, good_claims) + ".", keys), jwt_fault::malformed) << header;
  }
}

TEST(jwt_forgery, a_public_key_is_no_hmac_secret) {
  for (const auto& pair : {test::rsa(), test::p256()}) {
    const auto keys = public_keys(pair.public_pem);
    std::string trimmed = pair.public_pem;
    while (trimmed.ends_with('\n'))
      trimmed.pop_back();
    for (const std::string& as_secret : {pair.public_pem, trimmed, trimmed + "\r\n"}) {
      const auto text = unsigned_token(R"({"alg":"HS256","typ":"JWT"})", good_claims);
      // signing_key refuses PEM as a secret, so the forger makes it by hand
      unsigned char mac[32];
      unsigned int size = sizeof mac;
      ASSERT_NE(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, as_secret.data(), as_secret.size(),
                          reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, sizeof mac, nullptr),
                nullptr);
      const std::string forged =
          text + "." + encode_base64url(std::string_view(reinterpret_cast<const char*>(mac), size));
      EXPECT_EQ(fault_of(forged, keys), jwt_fault::no_key);
    }
    EXPECT_FALSE(jwt_key::from_secret(pair.public_pem).key) << "nor may it be configured as one";
  }
}

TEST(jwt_forgery, a_key_serves_its_own_algorithm_only) {
  const auto rsa = *signing_key::from_pem(test::rsa().private_pem).key;
  const auto ec = *signing_key::from_pem(test::p256().private_pem).key;
  const auto rsa_keys = public_keys(test::rsa().public_pem);
  const auto ec_keys = public_keys(test::p256().public_pem);
  EXPECT_EQ(fault_of(sign(ec, unsigned_token(R"({"alg":"ES256"})", good_claims)), rsa_keys), jwt_fault::no_key);
  EXPECT_EQ(fault_of(sign(rsa, unsigned_token(R"({"alg":"RS256"})", good_claims)), ec_keys), jwt_fault::no_key);
  EXPECT_EQ(fault_of(sign(rsa, unsigned_token(R"({"alg":"ES256"})", good_claims)), ec_keys), jwt_fault::signature);
  EXPECT_EQ(fault_of(sign(ec, unsigned_token(R"({"alg":"RS256"})", good_claims)), rsa_keys), jwt_fault::signature);
  EXPECT_EQ(fault_of(sign(rsa, unsigned_token(R"({"alg":"HS256"})", good_claims)), hmac_keys()), jwt_fault::signature);
}

TEST(jwt_forgery, keys_of_somebody_else_are_refused) {
  const auto other_rsa = *signing_key::from_pem(test::make_rsa().private_pem).key;
  const auto other_ec = *signing_key::from_pem(test::make_ec().private_pem).key;
  EXPECT_EQ(
      fault_of(sign(other_rsa, unsigned_token(R"({"alg":"RS256"})", good_claims)), public_keys(test::rsa().public_pem)),
      jwt_fault::signature);
  EXPECT_EQ(
      fault_of(sign(other_ec, unsigned_token(R"({"alg":"ES256"})", good_claims)), public_keys(test::p256().public_pem)),
      jwt_fault::signature);
  EXPECT_EQ(
      fault_of(sign(hmac_key(test::secret + "x"), unsigned_token(R"({"alg":"HS256"})", good_claims)), hmac_keys()),
      jwt_fault::signature);
}

TEST(jwt_forgery, wrong_curves_and_weak_keys_are_no_keys) {
  for (const char* curve : {"P-384", "P-521", "secp256k1"}) {
    const auto pair = test::make_ec(curve);
    EXPECT_NE(read_public_keys(pair.public_pem).error.find("P-256"), std::string::npos) << curve;
    EXPECT_FALSE(signing_key::from_pem(pair.private_pem).key) << curve;
  }
  EXPECT_NE(read_public_keys(test::make_rsa(1024).public_pem).error.find("1024"), std::string::npos);
  EXPECT_FALSE(read_public_keys(test::rsa().private_pem).key);
  EXPECT_FALSE(read_public_keys("").key);
  EXPECT_FALSE(read_public_keys("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").key);
  EXPECT_FALSE(
      read_public_keys(test::rsa().public_pem + "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").key)
      << "a damaged block behind a good one";
  EXPECT_EQ(read_public_keys(test::rsa().public_pem + test::p256().public_pem).key->size(), 2U);
  EXPECT_FALSE(jwt_key::from_secret("short").key);
}

TEST(jwt_forgery, es256_signatures_have_one_form) {
  const auto key = *signing_key::from_pem(test::p256().private_pem).key;
  const auto keys = public_keys(test::p256().public_pem);
  const auto text = unsigned_token(R"({"alg":"ES256"})", good_claims);
  const std::string raw = key.sign(text);
  ASSERT_EQ(raw.size(), 64U);
  EXPECT_FALSE(fault_of(text + "." + encode_base64url(raw), keys));
  const std::string zero(32, '\0');
  const std::string order =
      "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"
      "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"s;
  const std::string der = "\x30\x44\x02\x20" + raw.substr(0, 32) + "\x02\x20" + raw.substr(32);
  struct row {
    const char* name;
    std::string signature;
  };
  for (const row& r :
       {row{"both zero", zero + zero}, row{"r zero", zero + raw.substr(32)}, row{"s zero", raw.substr(0, 32) + zero},
        row{"r is the order", order + raw.substr(32)}, row{"s is the order", raw.substr(0, 32) + order},
        row{"DER", der}, row{"short", raw.substr(0, 63)}, row{"long", raw + '\0'},
        row{"swapped", raw.substr(32) + raw.substr(0, 32)}, row{"P-384 length", raw + std::string(32, 'x')}}) {
    EXPECT_EQ(fault_of(text + "." + encode_base64url(r.signature), keys), jwt_fault::signature) << r.name;
  }
}

TEST(jwt_forgery, headers_that_change_the_meaning_are_refused) {
  for (const std::string header :
       {R"({"alg":"HS256","crit":["b64"],"b64":false})", R"({"alg":"HS256","crit":[]})",
        R"({"alg":"HS256","crit":null})", R"({"alg":"HS256","cty":"JWT"})", R"({"alg":"HS256","zip":"DEF"})",
        R"({"alg":"HS256","typ":"logout+jwt"})", R"({"alg":"HS256","typ":"dpop+jwt"})", R"({"alg":"HS256","typ":7})"}) {
    EXPECT_EQ(fault_of_header(header), jwt_fault::header) << header;
  }
  EXPECT_EQ(fault_of_header(R"({"alg":"dir","enc":"A256GCM"})"), jwt_fault::encrypted);
  EXPECT_EQ(fault_of("a.b.c.d.e", hmac_keys()), jwt_fault::encrypted);
}

TEST(jwt_forgery, keys_that_a_token_brings_are_not_looked_at) {
  const auto forger = *signing_key::from_pem(test::make_ec().private_pem).key;
  const std::string header =
      R"({"alg":"ES256","jku":"http://127.0.0.1:1/jwks","x5u":"http://127.0.0.1:1/","jwk":{"kty":"oct","k":"AAAA"}})";
  EXPECT_EQ(fault_of(sign(forger, unsigned_token(header, good_claims)), public_keys(test::p256().public_pem)),
            jwt_fault::signature);
}

TEST(jwt_forgery, kid_is_a_name_and_nothing_else) {
  std::vector<jwt_key> keys{*jwt_key::from_secret(test::secret, "one").key};
  for (const std::string kid : {"../../../../dev/null", "/dev/null", "One", "one ", "", "one' OR '1'='1", "on",
                                "http://127.0.0.1/one", "one\\u0000", "*"}) {
    const auto text = unsigned_token(R"({"alg":"HS256","kid":")" + kid + "\"}", good_claims);
    EXPECT_EQ(fault_of(sign(hmac_key(), text), keys), jwt_fault::no_key) << kid;
  }
  for (const std::string& kid : {"1"s, "null"s, "[\"one\"]"s, "{}"s, "\"" + std::string(257, 'x') + "\""}) {
    const auto text = unsigned_token(R"({"alg":"HS256","kid":)" + kid + "}", good_claims);
    EXPECT_EQ(fault_of(sign(hmac_key(), text), keys), jwt_fault::malformed) << kid;
  }
  EXPECT_FALSE(fault_of(sign(hmac_key(), unsigned_token(R"({"alg":"HS256","kid":"one"})", good_claims)), keys));
  EXPECT_FALSE(fault_of(sign(hmac_key(), unsigned_token(R"({"alg":"HS256"})", good_claims)), keys));
}

TEST(jwt_forgery, only_one_form_is_read) {
  const std::string good = sign(hmac_key(), unsigned_token(R"({"alg":"HS256"})", good_claims));
  ASSERT_FALSE(fault_of(good, hmac_keys()));
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_TRUE(fault_of(good.substr(0, size), hmac_keys())) << size;
  const auto first = good.find('.');
  const auto second = good.find('.', first + 1);
  for (const std::string& token : {good + "=",
                                   good + "==",
                                   good + ".",
                                   good + "\n",
                                   " " + good,
                                   good + " ",
                                   "." + good,
                                   good + "A",
                                   good.substr(0, first) + "=" + good.substr(first),
                                   good.substr(0, second) + "=" + good.substr(second),
                                   good.substr(0, first) + ".." + good.substr(second + 1),
                                   good.substr(first),
                                   ".."s,
                                   "..."s,
                                   ""s,
                                   "a"s,
                                   "a.b"s,
                                   good.substr(0, first) + "." + good,
                                   "Bearer " + good,
                                   "\"" + good + "\"",
                                   good + '\0',
                                   good + good}) {
    EXPECT_TRUE(fault_of(token, hmac_keys())) << token;
  }
}

TEST(jwt_forgery, members_twice_are_refused) {
  for (const std::string header : {R"({"alg":"HS256","alg":"HS256"})", R"({"alg":"none","alg":"HS256"})",
                                   R"({"alg":"HS256","\u0061lg":"none"})"}) {
    EXPECT_EQ(fault_of_header(header), jwt_fault::malformed) << header;
  }
  for (const std::string claims :
       {R"({"sub":"alice","sub":"bob","exp":1700000100})", R"({"sub":"alice","exp":1,"exp":1700000100})",
        R"({"sub":"alice","\u0065xp":1,"exp":1700000100})", R"({"a":{"b":1,"b":2},"sub":"alice","exp":1700000100})"}) {
    EXPECT_EQ(fault_of_claims(claims), jwt_fault::malformed) << claims;
  }
}

TEST(jwt_forgery, what_is_no_object_of_json_is_refused) {
  std::string deep = R"({"sub":"alice","exp":1700000100,"a":)";
  deep += std::string(100, '[') + std::string(100, ']') + "}";
  for (const std::string claims :
       {R"([])", R"("alice")", "7", "null", "", "{", R"({"sub":"alice","exp":1700000100}x)", R"({'sub':'alice'})",
        R"({"sub":"alice",})", "{\"sub\":\"al\xff\"}", R"({"sub":"\ud800"})", "\xef\xbb\xbf{}", deep.c_str()}) {
    EXPECT_EQ(fault_of_claims(claims), jwt_fault::malformed) << claims;
    EXPECT_EQ(fault_of_header(claims), jwt_fault::malformed) << claims;
  }
}

TEST(jwt_forgery, huge_tokens_are_refused_unread) {
  const std::string claims = R"({"exp":1700000100,"sub":")" + std::string(8192, 'a') + "\"}";
  EXPECT_EQ(fault_of_claims(claims), jwt_fault::too_large);
  EXPECT_EQ(fault_of(std::string(10'000'000, '.'), hmac_keys()), jwt_fault::too_large);
  EXPECT_EQ(fault_of(std::string(8'000, '.'), hmac_keys()), jwt_fault::malformed);
}

TEST(jwt_forgery, dates_are_judged_with_leeway) {
  struct row {
    const char* claims;
    std::optional<jwt_fault> fault;
  };
  for (const row& r : {
           row{R"({"exp":1700000000})", std::nullopt},
           row{R"({"exp":1699999971})", std::nullopt},
           row{R"({"exp":1699999970})", jwt_fault::expired},
           row{R"({"exp":0})", jwt_fault::expired},
           row{R"({"exp":1699999970.5})", std::nullopt},
           row{R"({"exp":-1})", jwt_fault::malformed},
           row{R"({"exp":"1700000100"})", jwt_fault::malformed},
           row{R"({"exp":null})", jwt_fault::malformed},
           row{R"({"exp":[1700000100]})", jwt_fault::malformed},
           row{R"({"exp":true})", jwt_fault::malformed},
           row{R"({"exp":1e300})", jwt_fault::malformed},
           row{R"({"exp":18446744073709551615})", jwt_fault::malformed},
           row{R"({"exp":9223372036854775807})", jwt_fault::malformed},
           row{R"({"exp":1700000100000000})", jwt_fault::malformed},
           row{R"({"sub":"alice"})", jwt_fault::no_expiry},
           row{R"({"exp":1700000100,"nbf":1700000030})", std::nullopt},
           row{R"({"exp":1700000100,"nbf":1700000031})", jwt_fault::not_yet_valid},
           row{R"({"exp":1700000100,"nbf":"0"})", jwt_fault::malformed},
           row{R"({"exp":1700000100,"iat":1700000030})", std::nullopt},
           row{R"({"exp":1700000100,"iat":1700000031})", jwt_fault::not_yet_valid},
           row{R"({"exp":1700000100,"iat":false})", jwt_fault::malformed},
       }) {
    EXPECT_EQ(fault_of_claims(r.claims), r.fault) << r.claims;
  }
  jwt_rules lax;
  lax.require_exp = false;
  EXPECT_FALSE(fault_of_claims(R"({"sub":"alice"})", lax));
  EXPECT_EQ(fault_of_claims(R"({"exp":1})", lax), jwt_fault::expired);
}

TEST(jwt_forgery, audience_and_issuer_are_compared_exactly) {
  jwt_rules rules;
  rules.audience = {"roombus", "chat"};
  rules.issuer = {"https://id.example.com"};
  const auto with = [&](const std::string& aud, const std::string& iss) {
    std::string claims = R"({"exp":1700000100)";
    if (!aud.empty()) claims += ",\"aud\":" + aud;
    if (!iss.empty()) claims += ",\"iss\":" + iss;
    return fault_of_claims(claims + "}", rules);
  };
  const std::string iss = "\"https://id.example.com\"";
  EXPECT_FALSE(with("\"roombus\"", iss));
  EXPECT_FALSE(with(R"(["other","chat"])", iss));
  for (const char* aud :
       {"", "\"other\"", "\"Roombus\"", "\"roombus \"", "[]", "\"\"", "\"roombu\"", "\"roombus/admin\""})
    EXPECT_EQ(with(aud, iss), jwt_fault::audience) << aud;
  for (const char* aud : {"null", "7", "{\"roombus\":1}", R"(["roombus",7])"})
    EXPECT_EQ(with(aud, iss), jwt_fault::malformed) << aud;
  for (const char* other : {"", "\"https://id.example.com/\"", "\"https://id.example.org\"", "\"\""})
    EXPECT_EQ(with("\"roombus\"", other), jwt_fault::issuer) << other;
  EXPECT_EQ(with("\"roombus\"", R"(["https://id.example.com"])"), jwt_fault::malformed);
  EXPECT_EQ(fault_of_claims(R"({"exp":1700000100,"aud":"somebody else"})"), jwt_fault::audience)
      << "a token for others, and no audience of our own";
}

}  // namespace
}  // namespace roombus::auth
