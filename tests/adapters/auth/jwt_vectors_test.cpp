#include <gtest/gtest.h>

#include "adapters/auth/jwt.hpp"
#include "tests/adapters/auth/jwt_samples.hpp"
#include "tests/adapters/auth/test_keys.hpp"

namespace roombus::auth {
namespace {

using namespace std::string_literals;

std::vector<jwt_key> rfc_keys() {
  std::vector<jwt_key> keys;
  keys.push_back(*jwt_key::from_secret(test::rfc_secret).key);
  keys.push_back(*jwt_key::from_rsa(*decode_base64url(test::rfc_a2_modulus), "\x01\x00\x01"s).key);
  keys.push_back(*jwt_key::from_p256(*decode_base64url(test::rfc_a3_x), *decode_base64url(test::rfc_a3_y)).key);
  return keys;
}

TEST(jwt_vectors, examples_of_rfc_7515_are_taken) {
  for (const auto& token : {test::rfc_a1, test::rfc_a2, test::rfc_a3}) {
    const auto out = verify_token(token, rfc_keys(), {}, test::rfc_exp_ms - 1);
    ASSERT_FALSE(out.fault) << token << ": " << to_text(*out.fault);
    EXPECT_EQ(*out.claims.find("iss"), value("joe"));
    EXPECT_EQ(*out.claims.find("http://example.com/is_root"), value(true));
    EXPECT_EQ(out.expires_at_ms, test::rfc_exp_ms + 30'000);
  }
}

TEST(jwt_vectors, examples_are_expired_today) {
  for (const auto& token : {test::rfc_a1, test::rfc_a2, test::rfc_a3}) {
    const auto out = verify_token(token, rfc_keys(), {}, 1'800'000'000'000);
    EXPECT_EQ(out.fault, jwt_fault::expired);
    EXPECT_TRUE(out.claims.empty());
  }
}

TEST(jwt_vectors, every_changed_bit_is_noticed) {
  const auto keys = rfc_keys();
  for (const auto& token : {test::rfc_a1, test::rfc_a2, test::rfc_a3}) {
    for (std::size_t i = 0; i < token.size(); ++i) {
      for (const int change : {1, 2, 32}) {
        std::string changed = token;
        changed[i] = static_cast<char>(changed[i] ^ change);
        EXPECT_TRUE(verify_token(changed, keys, {}, test::rfc_exp_ms - 1).fault) << changed;
      }
    }
  }
}

TEST(jwt_vectors, what_we_sign_we_take) {
  value_map claims;
  claims.set("sub", value("älice"));
  claims.set("exp", value(2'000));
  for (const auto& pem : {test::rsa(), test::p256()}) {
    const auto key = signing_key::from_pem(pem.private_pem);
    ASSERT_TRUE(key.key) << key.error;
    const auto keys = read_public_keys(pem.public_pem);
    ASSERT_TRUE(keys.key) << keys.error;
    for (int i = 0; i < 20; ++i) {  // ECDSA: r and s with leading zeros come up now and then
      const auto out = verify_token(make_token(*key.key, claims), *keys.key, {}, 1'000'000);
      EXPECT_FALSE(out.fault);
      EXPECT_EQ(*out.claims.find("sub"), value("älice"));
    }
  }
  const auto key = test::hmac_key();
  const std::vector<jwt_key> keys{*jwt_key::from_secret(test::secret).key};
  EXPECT_FALSE(verify_token(make_token(key, claims, "k1"), keys, {}, 1'000'000).fault);
}

}  // namespace
}  // namespace roombus::auth
