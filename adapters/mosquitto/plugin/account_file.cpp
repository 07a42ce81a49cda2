#include "adapters/mosquitto/plugin/account_file.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "adapters/mosquitto/plugin/topic_policy.hpp"

namespace roombus::plugin {

namespace {

constexpr std::size_t max_password = 1024;
constexpr int max_iterations = 10'000'000;

std::optional<std::vector<unsigned char>> unbase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0 || text.size() > 1024) return std::nullopt;
  std::vector<unsigned char> out(text.size() / 4 * 3);
  const int length =
      EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  std::size_t size = static_cast<std::size_t>(length);
  for (std::size_t i = text.size(); i > 0 && text[i - 1] == '='; --i)
    --size;
  out.resize(size);
  return out;
}

struct pbkdf2 {
  int iterations = 0;
  std::vector<unsigned char> salt;
  std::vector<unsigned char> hash;
};

/// `$7$iterations$salt$hash`
std::optional<pbkdf2> parse(std::string_view text) {
  if (!text.starts_with("$7$")) return std::nullopt;
  text.remove_prefix(3);
  const std::size_t first = text.find('$');
  const std::size_t second = first == std::string_view::npos ? first : text.find('$', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  pbkdf2 out;
  const auto number = std::from_chars(text.data(), text.data() + first, out.iterations);
  if (number.ec != std::errc() || number.ptr != text.data() + first) return std::nullopt;
  if (out.iterations < 1 || out.iterations > max_iterations) return std::nullopt;
  auto salt = unbase64(text.substr(first + 1, second - first - 1));
  auto hash = unbase64(text.substr(second + 1));
  if (!salt || !hash || hash->size() != 64) return std::nullopt;
  out.salt = std::move(*salt);
  out.hash = std::move(*hash);
  return out;
}

}  // namespace

bool is_password_hash(std::string_view hash) {
  return parse(hash).has_value();
}

bool verify_password(std::string_view hash, std::string_view password) {
  const auto expected = parse(hash);
  if (!expected || password.size() > max_password) return false;
  std::vector<unsigned char> actual(expected->hash.size());
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), expected->salt.data(),
                        static_cast<int>(expected->salt.size()), expected->iterations, EVP_sha512(),
                        static_cast<int>(actual.size()), actual.data()) != 1) {
    return false;
  }
  return CRYPTO_memcmp(actual.data(), expected->hash.data(), actual.size()) == 0;
}

std::string account_file::load(std::string_view text) {
  hashes_.clear();
  std::size_t number = 0;
  std::string problem;
  while (!text.empty() && problem.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const std::size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    const std::string_view hash = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (!is_name_level(name)) {
      problem = "line " + std::to_string(number) + ": the name is not 1 to 128 of A-Z a-z 0-9 _ ~ - . @";
    } else if (!is_password_hash(hash)) {
      problem = "line " + std::to_string(number) + ": no hash as mosquitto_passwd writes it ($7$)";
    } else {
      hashes_.insert_or_assign(std::string(name), std::string(hash));
    }
  }
  if (!problem.empty()) hashes_.clear();
  return problem;
}

bool account_file::verify(std::string_view name, std::string_view password) const {
  if (auto it = hashes_.find(name); it != hashes_.end()) return verify_password(it->second, password);
  if (!hashes_.empty()) (void)verify_password(hashes_.begin()->second, password);
  return false;
}

}  // namespace roombus::plugin
