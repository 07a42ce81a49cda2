#include "adapters/auth/jwt.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "adapters/auth/base64url.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::auth {

namespace {

constexpr codec_limits token_limits{16, max_token_bytes, 2'000};
constexpr double max_date = 253'402'300'800.0;  // the year 10000, in seconds
constexpr std::size_t max_kid_bytes = 256;

/// The parts between the dots; more than 5 are not told apart.
std::vector<std::string_view> split(std::string_view token) {
  std::vector<std::string_view> parts;
  std::size_t at = 0;
  while (parts.size() < 6) {
    const auto dot = std::min(token.find('.', at), token.size());
    parts.push_back(token.substr(at, dot - at));
    if (dot == token.size()) break;
    at = dot + 1;
  }
  return parts;
}

std::optional<value_map> read_object(std::string_view part) {
  const auto text = decode_base64url(part);
  if (!text) return std::nullopt;
  auto read = json::read(*text, token_limits, json::bytes_as::placeholder);
  if (!read || read->if_map() == nullptr) return std::nullopt;
  return std::move(*read->if_map());
}

/// `JWT` and `at+jwt` (RFC 9068), in any case, also behind `application/`.
bool is_type_of_ours(std::string type) {
  for (char& c : type) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  constexpr std::string_view prefix = "application/";
  if (type.starts_with(prefix)) type.erase(0, prefix.size());
  return type == "jwt" || type == "at+jwt";
}

struct token_header {
  jwt_algorithm algorithm = jwt_algorithm::hs256;
  std::optional<std::string> kid;
};

std::optional<jwt_fault> read_header(const value_map& header, token_header& out) {
  // extensions that we would have to know, nested tokens, compression
  for (const char* name : {"crit", "cty", "zip"}) {
    if (header.find(name) != nullptr) return jwt_fault::header;
  }
  if (header.find("enc") != nullptr) return jwt_fault::encrypted;
  const value* alg = header.find("alg");
  const std::string* algorithm = alg == nullptr ? nullptr : alg->if_text();
  if (algorithm == nullptr) return jwt_fault::malformed;
  const auto known = algorithm_of(*algorithm);
  if (!known) return jwt_fault::algorithm;
  out.algorithm = *known;
  if (const value* type = header.find("typ")) {
    if (type->if_text() == nullptr || !is_type_of_ours(*type->if_text())) return jwt_fault::header;
  }
  if (const value* kid = header.find("kid")) {
    if (kid->if_text() == nullptr || kid->if_text()->size() > max_kid_bytes) return jwt_fault::malformed;
    out.kid = *kid->if_text();
  }
  return std::nullopt;
}

/// Keys of the algorithm: those with the token's `kid` where there are any, else those that have none.
std::vector<const jwt_key*> candidates(std::span<const jwt_key> keys, const token_header& header) {
  std::vector<const jwt_key*> named;
  std::vector<const jwt_key*> nameless;
  for (const jwt_key& key : keys) {
    if (key.algorithm() != header.algorithm) continue;
    if (!key.kid()) {
      nameless.push_back(&key);
    } else if (!header.kid || key.kid() == header.kid) {
      named.push_back(&key);
    }
  }
  if (header.kid && !named.empty()) return named;
  if (!header.kid) nameless.insert(nameless.end(), named.begin(), named.end());
  return nameless;
}

/// A date claim in ms. `present` false: there is none. False for a claim that is no date.
bool read_date(const value_map& claims, std::string_view name, bool& present, std::int64_t& ms) {
  const value* claim = claims.find(name);
  present = claim != nullptr;
  if (!present) return true;
  if (!claim->is_number()) return false;
  const double seconds = claim->as_double();
  if (!std::isfinite(seconds) || seconds < 0 || seconds > max_date) return false;
  ms = static_cast<std::int64_t>(std::floor(seconds * 1000));
  return true;
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::optional<jwt_fault> judge_dates(const value_map& claims, const jwt_rules& rules, std::int64_t now_ms,
                                     std::optional<std::int64_t>& expires_at_ms) {
  bool has_exp = false;
  bool has_nbf = false;
  bool has_iat = false;
  std::int64_t exp = 0;
  std::int64_t nbf = 0;
  std::int64_t iat = 0;
  if (!read_date(claims, "exp", has_exp, exp) || !read_date(claims, "nbf", has_nbf, nbf) ||
      !read_date(claims, "iat", has_iat, iat)) {
    return jwt_fault::malformed;
  }
  if (!has_exp && rules.require_exp) return jwt_fault::no_expiry;
  if (has_exp) {
    expires_at_ms = exp + rules.leeway_ms;
    if (now_ms >= *expires_at_ms) return jwt_fault::expired;
  }
  if (has_nbf && nbf > now_ms + rules.leeway_ms) return jwt_fault::not_yet_valid;
  if (has_iat && iat > now_ms + rules.leeway_ms) return jwt_fault::not_yet_valid;
  return std::nullopt;
}

std::optional<jwt_fault> judge_parties(const value_map& claims, const jwt_rules& rules) {
  if (const value* iss = claims.find("iss"); iss != nullptr && iss->if_text() == nullptr) return jwt_fault::malformed;
  if (!rules.issuer.empty()) {
    const value* iss = claims.find("iss");
    if (iss == nullptr || !contains(rules.issuer, *iss->if_text())) return jwt_fault::issuer;
  }
  const value* aud = claims.find("aud");
  if (aud == nullptr) {
    if (rules.audience.empty()) return std::nullopt;
    return jwt_fault::audience;
  }
  bool ours = false;
  if (const std::string* one = aud->if_text()) {
    ours = contains(rules.audience, *one);
  } else if (const value_list* many = aud->if_list()) {
    for (const value& item : *many) {
      if (item.if_text() == nullptr) return jwt_fault::malformed;
      ours = ours || contains(rules.audience, *item.if_text());
    }
  } else {
    return jwt_fault::malformed;
  }
  if (!ours) return jwt_fault::audience;
  return std::nullopt;
}

jwt_outcome failed(jwt_fault fault) {
  jwt_outcome out;
  out.fault = fault;
  return out;
}

}  // namespace

std::string_view to_text(jwt_fault fault) {
  switch (fault) {
    case jwt_fault::too_large:
      return "longer than 8192 bytes";
    case jwt_fault::malformed:
      return "malformed";
    case jwt_fault::encrypted:
      return "encrypted";
    case jwt_fault::header:
      return "header with an extension or of another type of token";
    case jwt_fault::algorithm:
      return "algorithm not allowed";
    case jwt_fault::no_key:
      return "no key for its algorithm and kid";
    case jwt_fault::signature:
      return "wrong signature";
    case jwt_fault::expired:
      return "expired";
    case jwt_fault::no_expiry:
      return "without exp (auth.jwt.require_exp)";
    case jwt_fault::not_yet_valid:
      return "not yet valid";
    case jwt_fault::audience:
      return "not for an audience in auth.jwt.audience";
    case jwt_fault::issuer:
      break;
  }
  return "not from an issuer in auth.jwt.issuer";
}

jwt_outcome verify_token(std::string_view token, std::span<const jwt_key> keys, const jwt_rules& rules,
                         std::int64_t now_ms) {
  if (token.size() > max_token_bytes) return failed(jwt_fault::too_large);
  const auto parts = split(token);
  if (parts.size() == 5) return failed(jwt_fault::encrypted);
  if (parts.size() != 3) return failed(jwt_fault::malformed);
  const auto header = read_object(parts[0]);
  if (!header) return failed(jwt_fault::malformed);
  token_header wanted;
  if (const auto fault = read_header(*header, wanted)) return failed(*fault);

  const auto signature = decode_base64url(parts[2]);
  if (!signature || signature->empty()) return failed(jwt_fault::malformed);
  const auto tried = candidates(keys, wanted);
  if (tried.empty()) return failed(jwt_fault::no_key);
  const auto signed_text = token.substr(0, parts[0].size() + 1 + parts[1].size());
  if (std::none_of(tried.begin(), tried.end(),
                   [&](const jwt_key* key) { return key->verifies(signed_text, *signature); })) {
    return failed(jwt_fault::signature);
  }

  auto claims = read_object(parts[1]);
  if (!claims) return failed(jwt_fault::malformed);
  jwt_outcome out;
  out.fault = judge_dates(*claims, rules, now_ms, out.expires_at_ms);
  if (!out.fault) out.fault = judge_parties(*claims, rules);
  if (!out.fault) out.claims = std::move(*claims);
  return out;
}

std::string make_token(const signing_key& key, const value_map& claims, const std::optional<std::string>& kid) {
  value_map header;
  header.set("alg", value(to_text(key.algorithm())));
  header.set("typ", value("JWT"));
  if (kid) header.set("kid", value(*kid));
  std::string token = encode_base64url(json::write(value(std::move(header))));
  token += '.';
  token += encode_base64url(json::write(value(claims)));
  const std::string signature = key.sign(token);
  if (signature.empty()) return "";
  return token + '.' + encode_base64url(signature);
}

}  // namespace roombus::auth
