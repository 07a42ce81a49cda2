#include "adapters/auth/login_token.hpp"

#include <utility>
#include <vector>

namespace roombus::auth {

namespace {

std::optional<std::vector<room_name>> read_rooms(const value& list) {
  const value_list* items = list.if_list();
  if (items == nullptr) return std::nullopt;
  std::vector<room_name> out;
  for (const value& item : *items) {
    if (item.if_text() == nullptr) return std::nullopt;
    out.emplace_back(*item.if_text());
  }
  return out;
}

token_login without(std::string fault) {
  token_login out;
  out.fault = std::move(fault);
  return out;
}

}  // namespace

bool jwt_options::configured() const {
  return !sources.secret.empty() || !sources.secret_file.empty() || !sources.public_key_file.empty() ||
         !sources.jwks_file.empty();
}

std::optional<login_rights> read_rights(const value& claim) {
  const value_map* map = claim.if_map();
  if (map == nullptr) return std::nullopt;
  login_rights out;
  for (const auto& [name, item] : *map) {
    if (name == "join") {
      out.join = read_rooms(item);
      if (!out.join) return std::nullopt;
    } else if (name == "publish") {
      out.publish = read_rooms(item);
      if (!out.publish) return std::nullopt;
    } else if (name == "admin" && item.if_bool() != nullptr) {
      out.admin = *item.if_bool();
    } else {
      return std::nullopt;
    }
  }
  return out;
}

token_login judge_login_token(std::string_view token, std::span<const jwt_key> keys, const jwt_options& options,
                              std::size_t name_bytes, std::int64_t now_ms) {
  auto judged = verify_token(token, keys, options.rules, now_ms);
  if (judged.fault) return without(std::string(to_text(*judged.fault)));
  const value* name = judged.claims.find(options.user_claim);
  const std::string* text = name == nullptr ? nullptr : name->if_text();
  if (text == nullptr || !is_valid_name(*text, name_bytes)) {
    return without("without a user name in " + options.user_claim);
  }
  login who;
  who.user = user_name(*text);
  if (const value* claim = judged.claims.find(options.rights_claim)) {
    auto rights = read_rights(*claim);
    if (!rights) return without("with rights that are not understood in " + options.rights_claim);
    who.rights = std::move(*rights);
  }
  who.claims = std::move(judged.claims);
  who.expires_at_ms = judged.expires_at_ms;
  if (who.expires_at_ms) who.auth_data.set("expiresAt", value(*who.expires_at_ms));
  token_login out;
  out.who = std::move(who);
  return out;
}

}  // namespace roombus::auth
