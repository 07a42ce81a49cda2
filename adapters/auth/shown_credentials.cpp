#include "adapters/auth/shown_credentials.hpp"

#include "core/utf8.hpp"
#include "schemas/codec/base64.hpp"

namespace roombus::auth {

namespace {

/// What stands behind `scheme` in the Authorization header.
std::optional<std::string> authorization(const handshake& given, std::string_view scheme) {
  const value* header = given.headers.find("authorization");
  const std::string* text = header == nullptr ? nullptr : header->if_text();
  if (text == nullptr || text->size() <= scheme.size() || (*text)[scheme.size()] != ' ') return std::nullopt;
  for (std::size_t i = 0; i < scheme.size(); ++i) {
    const char c = (*text)[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != scheme[i]) return std::nullopt;
  }
  const auto first = text->find_first_not_of(' ', scheme.size());
  if (first == std::string::npos) return std::nullopt;
  return text->substr(first);
}

/// False when there is nothing; else `out` says what.
bool take_text(const value* found, shown<std::string>& out) {
  if (found == nullptr || found->is_null()) return false;
  const std::string* text = found->if_text();
  if (text != nullptr && text->empty()) return false;
  out.present = true;
  if (text != nullptr) out.value = *text;
  return true;
}

}  // namespace

shown<std::string> find_token(const handshake& given) {
  shown<std::string> out;
  if (const value_map* auth = given.auth.if_map(); auth != nullptr && take_text(auth->find("token"), out)) return out;
  if (take_text(given.query.find("token"), out)) return out;
  if (auto bearer = authorization(given, "bearer")) {
    out.present = true;
    out.value = std::move(*bearer);
  }
  return out;
}

shown<shown_password> find_password(const handshake& given) {
  shown<shown_password> out;
  if (const value_map* auth = given.auth.if_map()) {
    shown<std::string> password;
    if (take_text(auth->find("password"), password)) {
      out.present = true;
      const value* user = auth->find("user");
      if (password.value && user != nullptr && user->if_text() != nullptr) {
        out.value = shown_password{*user->if_text(), std::move(*password.value)};
      }
      return out;
    }
  }
  const auto basic = authorization(given, "basic");
  if (!basic) return out;
  out.present = true;
  const auto pair = decode_base64(*basic);
  const auto colon = pair ? pair->find(':') : std::string::npos;
  if (colon != std::string::npos && is_valid_utf8(*pair)) {
    out.value = shown_password{pair->substr(0, colon), pair->substr(colon + 1)};
  }
  return out;
}

}  // namespace roombus::auth
