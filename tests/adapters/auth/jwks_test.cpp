#include "adapters/auth/jwks.hpp"

#include <gtest/gtest.h>

#include "tests/adapters/auth/jwt_samples.hpp"
#include "tests/adapters/auth/test_keys.hpp"

namespace roombus::auth {
namespace {

std::string rsa_jwk(const std::string& more) {
  return R"({"kty":"RSA","n":")" + test::rfc_a2_modulus + R"(","e":"AQAB")" + more + "}";
}
std::string ec_jwk(const std::string& more) {
  return R"({"kty":"EC","crv":"P-256","x":")" + test::rfc_a3_x + R"(","y":")" + test::rfc_a3_y + "\"" + more + "}";
}
std::string oct_jwk(const std::string& more) {
  return R"({"kty":"oct","k":")" + encode_base64url(test::secret) + "\"" + more + "}";
}
std::string set_of(const std::string& keys) {
  return R"({"keys":[)" + keys + "]}";
}

TEST(jwks, reads_the_three_kinds) {
  const auto set = read_jwks(set_of(rsa_jwk(R"(,"kid":"r","use":"sig","alg":"RS256")") + "," +
                                    ec_jwk(R"(,"kid":"e","key_ops":["verify"])") + "," + oct_jwk(R"(,"alg":"HS256")")));
  EXPECT_EQ(set.error, "");
  ASSERT_EQ(set.keys.size(), 3U);
  EXPECT_EQ(set.keys[0].kid(), "r");
  EXPECT_EQ(set.keys[0].algorithm(), jwt_algorithm::rs256);
  EXPECT_EQ(set.keys[1].algorithm(), jwt_algorithm::es256);
  EXPECT_FALSE(set.keys[2].kid());
}

TEST(jwks, skips_keys_for_something_else) {
  for (const std::string& other :
       {rsa_jwk(R"(,"use":"enc")"), rsa_jwk(R"(,"alg":"RS512")"), rsa_jwk(R"(,"alg":"HS256")"), rsa_jwk(R"(,"alg":7)"),
        rsa_jwk(R"(,"key_ops":["encrypt"])"), ec_jwk(R"(,"alg":"ES384")"), oct_jwk(R"(,"alg":"RS256")"),
        std::string(R"({"kty":"OKP","crv":"Ed25519","x":"AA"})"),
        std::string(R"({"kty":"EC","crv":"P-384","x":"","y":""})")}) {
    const auto set = read_jwks(set_of(other + "," + ec_jwk("")));
    EXPECT_EQ(set.error, "") << other;
    EXPECT_EQ(set.keys.size(), 1U) << other;
    EXPECT_EQ(set.skipped.size(), 1U) << other;
    EXPECT_NE(read_jwks(set_of(other)).error, "") << "no key is left: " << other;
  }
}

TEST(jwks, refuses_broken_sets) {
  std::string off_curve = ec_jwk("");
  off_curve.replace(off_curve.find(test::rfc_a3_y), 4, "AAAA");
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{}"), set_of(""), set_of("7"), set_of("{}"),
        set_of(rsa_jwk(R"(,"d":"AQ")")), set_of(ec_jwk(R"(,"d":"AQ")")), set_of(off_curve),
        set_of(R"({"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"})"), set_of(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"),
        set_of(R"({"kty":"oct","k":"c2hvcnQ"})"), set_of(oct_jwk(R"(,"kid":7)")),
        set_of(ec_jwk(R"(,"kid":"a")") + "," + ec_jwk(R"(,"kid":"a")")), set_of(ec_jwk("")) + "x",
        std::string(R"({"keys":[],"keys":[]})")}) {
    const auto set = read_jwks(text);
    EXPECT_NE(set.error, "") << text;
    EXPECT_TRUE(set.keys.empty()) << text;
  }
}

}  // namespace
}  // namespace roombus::auth
