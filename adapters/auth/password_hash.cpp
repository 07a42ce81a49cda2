#include "adapters/auth/password_hash.hpp"

#include <argon2.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <vector>

#include "adapters/auth/base64url.hpp"

namespace roombus::auth {

namespace {

constexpr std::uint64_t max_memory = 256ULL * 1024 * 1024;  // bytes, of one check
constexpr std::uint32_t max_passes = 16;
constexpr std::uint32_t max_lanes = 16;
constexpr std::size_t salt_bytes = 16;
constexpr std::size_t hash_bytes = 32;

/// `name=digits`, without sign or leading zeros.
bool read_parameter(std::string_view text, std::string_view name, std::uint32_t& out) {
  if (!text.starts_with(name) || text.size() <= name.size() + 1 || text[name.size()] != '=') return false;
  const auto digits = text.substr(name.size() + 1);
  if (digits.front() < '1' || digits.front() > '9') return false;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return error == std::errc{} && end == digits.data() + digits.size();
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  while (out.size() < 8) {
    const auto end = text.find(at);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return out;
}

bool read_parameters(std::string_view text, const std::array<std::string_view, 3>& names,
                     const std::array<std::uint32_t*, 3>& places) {
  const auto parts = split(text, ',');
  if (parts.size() != names.size()) return false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!read_parameter(parts[i], names[i], *places[i])) return false;
  }
  return true;
}

}  // namespace

std::optional<password_hash> password_hash::parse(std::string_view text) {
  const auto parts = split(text, '$');
  password_hash out;
  std::size_t at = 2;
  bool ok = false;
  if (parts.size() == 6 && parts[1] == "argon2id" && parts[2] == "v=19") {
    at = 3;
    ok = read_parameters(parts[at], {"m", "t", "p"}, {&out.memory_, &out.passes_, &out.lanes_}) &&
         out.memory_ <= max_memory / 1024 && out.passes_ <= max_passes && out.lanes_ <= max_lanes &&
         out.memory_ >= 8 * out.lanes_;
  } else if (parts.size() == 5 && parts[1] == "scrypt") {
    out.scheme_ = password_scheme::scrypt;
    ok = read_parameters(parts[at], {"ln", "r", "p"}, {&out.memory_, &out.passes_, &out.lanes_}) && out.memory_ <= 24 &&
         out.passes_ <= 64 && out.lanes_ <= max_lanes && (128ULL * out.passes_ << out.memory_) <= max_memory;
  }
  if (!ok || !parts[0].empty()) return std::nullopt;
  auto salt = decode_bare_base64(parts[at + 1]);
  auto hash = decode_bare_base64(parts[at + 2]);
  if (!salt || !hash || salt->size() < 8 || salt->size() > 64 || hash->size() < 16 || hash->size() > 64) {
    return std::nullopt;
  }
  out.salt_ = std::move(*salt);
  out.hash_ = std::move(*hash);
  return out;
}

std::optional<password_hash> password_hash::make(std::string_view password, password_scheme scheme,
                                                 random_source& random) {
  password_hash out;
  out.scheme_ = scheme;
  if (scheme == password_scheme::scrypt) {
    out.memory_ = 15;
    out.passes_ = 8;
  }
  std::array<std::uint8_t, salt_bytes> salt{};
  random.fill(salt);
  out.salt_.assign(salt.begin(), salt.end());
  out.hash_ = out.compute(password, hash_bytes);
  if (out.hash_.empty()) return std::nullopt;
  return out;
}

std::string password_hash::compute(std::string_view password, std::size_t size) const {
  std::string out(size, '\0');
  bool ok = false;
  if (scheme_ == password_scheme::argon2id) {
    ok = argon2id_hash_raw(passes_, memory_, lanes_, password.data(), password.size(), salt_.data(), salt_.size(),
                           out.data(), out.size()) == ARGON2_OK;
  } else {
    ok = EVP_PBE_scrypt(password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt_.data()),
                        salt_.size(), std::uint64_t{1} << memory_, passes_, lanes_, 2 * max_memory,
                        reinterpret_cast<unsigned char*>(out.data()), out.size()) == 1;
    ERR_clear_error();
  }
  if (!ok) out.clear();
  return out;
}

bool password_hash::matches(std::string_view password) const {
  const std::string computed = compute(password, hash_.size());
  return !computed.empty() && computed.size() == hash_.size() &&
         CRYPTO_memcmp(computed.data(), hash_.data(), hash_.size()) == 0;
}

std::string password_hash::str() const {
  const bool argon2 = scheme_ == password_scheme::argon2id;
  std::string out = argon2 ? "$argon2id$v=19$m=" : "$scrypt$ln=";
  out += std::to_string(memory_) + (argon2 ? ",t=" : ",r=") + std::to_string(passes_) + ",p=" + std::to_string(lanes_);
  return out + '$' + encode_bare_base64(salt_) + '$' + encode_bare_base64(hash_);
}

}  // namespace roombus::auth
