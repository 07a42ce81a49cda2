// Tokens without the secret are never taken; headers and claims signed with it are judged without a fault of our own;
// key sets and password lines, too. The first byte chooses.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/auth/base64url.hpp"
#include "adapters/auth/jwks.hpp"
#include "adapters/auth/jwt.hpp"
#include "adapters/auth/password_hash.hpp"

namespace {

using namespace roombus::auth;

constexpr std::int64_t now_ms = 1'700'000'000'000;
const std::string secret = "a secret that the fuzzer does not try";

void require(bool ok) {
  if (!ok) std::abort();
}

const std::vector<jwt_key>& keys() {
  static const std::vector<jwt_key> all{*jwt_key::from_secret(secret).key, *jwt_key::from_secret(secret, "k").key};
  return all;
}

void signed_by_us(std::string_view text) {
  const auto line_end = text.find('\n');
  if (line_end == std::string_view::npos) return;
  static const signing_key key = *signing_key::from_secret(secret).key;
  std::string token = encode_base64url(text.substr(0, line_end)) + "." + encode_base64url(text.substr(line_end + 1));
  token += "." + encode_base64url(key.sign(token));
  const auto out = verify_token(token, keys(), {}, now_ms);
  require(out.fault || out.expires_at_ms > now_ms);
  require(!out.fault || out.claims.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      require(verify_token(text, keys(), {}, now_ms).fault.has_value());
      break;
    case 1:
      signed_by_us(text);
      break;
    case 2: {
      const auto set = read_jwks(text);
      require(set.error.empty() != set.keys.empty());
      break;
    }
    default:
      if (const auto hash = password_hash::parse(text)) require(hash->str() == text);
      if (const auto bytes = decode_base64url(text)) require(encode_base64url(*bytes) == text);
  }
  return 0;
}
