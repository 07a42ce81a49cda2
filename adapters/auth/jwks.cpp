#include "adapters/auth/jwks.hpp"

#include <algorithm>
#include <map>

#include "adapters/auth/base64url.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::auth {

namespace {

constexpr std::size_t max_keys = 100;
constexpr std::size_t max_kid_bytes = 256;
constexpr codec_limits jwks_limits{8, 1'000'000, 10'000};

const std::string* text_of(const value_map& map, std::string_view key) {
  const value* found = map.find(key);
  return found == nullptr ? nullptr : found->if_text();
}

/// The bytes of a member in base64url; empty when it is missing or none.
std::string bytes_of_member(const value_map& map, std::string_view key) {
  const std::string* text = text_of(map, key);
  if (text == nullptr) return "";
  return decode_base64url(*text).value_or("");
}

class jwk_reader {
 public:
  explicit jwk_reader(jwks_result& out) : out_(out) {}

  void read(const value& item, std::size_t index) {
    label_ = "key " + std::to_string(index + 1);
    const value_map* jwk = item.if_map();
    const std::string* type = jwk == nullptr ? nullptr : text_of(*jwk, "kty");
    if (type == nullptr) return fail("expected an object with \"kty\"");
    std::optional<std::string> kid;
    if (jwk->find("kid") != nullptr) {
      const std::string* text = text_of(*jwk, "kid");
      if (text == nullptr || text->size() > max_kid_bytes) return fail("expected \"kid\" to be a text of 256 bytes");
      kid = *text;
    }
    static const std::map<std::string, jwt_algorithm> types{
        {"oct", jwt_algorithm::hs256}, {"RSA", jwt_algorithm::rs256}, {"EC", jwt_algorithm::es256}};
    const auto known = types.find(*type);
    if (known == types.end()) return skip("of another type");
    if (!for_signatures(*jwk)) return skip("not for signatures");
    if (jwk->find("alg") != nullptr) {
      const std::string* alg = text_of(*jwk, "alg");
      if (alg == nullptr || *alg != to_text(known->second)) return skip("for another algorithm");
    }
    switch (known->second) {
      case jwt_algorithm::hs256:
        return take(jwt_key::from_secret(bytes_of_member(*jwk, "k"), std::move(kid)));
      case jwt_algorithm::rs256:
        if (jwk->find("d") != nullptr) return fail("a private key; only the public part is needed here");
        return take(jwt_key::from_rsa(bytes_of_member(*jwk, "n"), bytes_of_member(*jwk, "e"), std::move(kid)));
      case jwt_algorithm::es256: {
        if (jwk->find("d") != nullptr) return fail("a private key; only the public part is needed here");
        const std::string* curve = text_of(*jwk, "crv");
        if (curve == nullptr || *curve != "P-256") return skip("on another curve than P-256");
        return take(jwt_key::from_p256(bytes_of_member(*jwk, "x"), bytes_of_member(*jwk, "y"), std::move(kid)));
      }
    }
  }

 private:
  static bool for_signatures(const value_map& jwk) {
    if (jwk.find("use") != nullptr) {
      const std::string* use = text_of(jwk, "use");
      if (use == nullptr || *use != "sig") return false;
    }
    const value* operations = jwk.find("key_ops");
    if (operations == nullptr) return true;
    const value_list* list = operations->if_list();
    return list != nullptr && std::any_of(list->begin(), list->end(), [](const value& operation) {
             return operation.if_text() != nullptr && *operation.if_text() == "verify";
           });
  }

  void take(key_result<jwt_key> made) {
    if (!made.key) return fail(made.error);
    const auto same = [&](const jwt_key& k) {
      return k.kid() && k.kid() == made.key->kid() && k.algorithm() == made.key->algorithm();
    };
    if (std::any_of(out_.keys.begin(), out_.keys.end(), same)) return fail("another key before has its \"kid\"");
    out_.keys.push_back(std::move(*made.key));
  }
  void fail(const std::string& why) {
    if (out_.error.empty()) out_.error = label_ + ": " + why;
  }
  void skip(const std::string& why) { out_.skipped.push_back(label_ + ": " + why); }

  jwks_result& out_;
  std::string label_;
};

}  // namespace

jwks_result read_jwks(std::string_view json) {
  jwks_result out;
  const auto read = json::read(json, jwks_limits, json::bytes_as::placeholder);
  if (!read) {
    out.error = "not JSON: " + to_text(read.error());
    return out;
  }
  const value_map* set = read->if_map();
  const value* keys = set == nullptr ? nullptr : set->find("keys");
  const value_list* list = keys == nullptr ? nullptr : keys->if_list();
  if (list == nullptr || list->size() > max_keys) {
    out.error = R"(expected a JWK set, {"keys":[…]} with at most 100 keys)";
    return out;
  }
  jwk_reader reader(out);
  for (std::size_t i = 0; i < list->size(); ++i)
    reader.read((*list)[i], i);
  if (out.error.empty() && out.keys.empty()) out.error = "no key for HS256, RS256 or ES256 in it";
  if (!out.error.empty()) out.keys.clear();
  return out;
}

}  // namespace roombus::auth
