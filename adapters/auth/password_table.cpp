#include "adapters/auth/password_table.hpp"

#include <functional>

#include "core/named_string.hpp"

namespace roombus::auth {

namespace {

constexpr std::size_t max_users = 1'000'000;
constexpr std::size_t max_name_bytes = 65'535;

}  // namespace

std::string password_table::read(std::string_view content) {
  std::size_t number = 0;
  while (!content.empty()) {
    ++number;
    const auto end = content.find('\n');
    std::string_view line = content.substr(0, end);
    content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    const std::string where = "line " + std::to_string(number) + ": ";
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return where + "expected user:hash";
    std::string user(line.substr(0, colon));
    if (!is_valid_name(user, max_name_bytes)) return where + "expected a user name before the colon";
    auto hash = password_hash::parse(line.substr(colon + 1));
    if (!hash) return where + "expected an argon2id or scrypt hash; roombus hash-password makes one";
    if (users_.size() == max_users) return where + "too many users";
    if (!users_.emplace(std::move(user), hashes_.size()).second) return where + "the user was there before";
    hashes_.push_back(std::move(*hash));
  }
  return "";
}

const password_hash* password_table::find(const std::string& user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? nullptr : &hashes_[found->second];
}

bool password_table::verify(const std::string& user, std::string_view password) const {
  if (hashes_.empty()) return false;
  const auto found = users_.find(user);
  const bool known = found != users_.end();
  // always the same one for the same name, as for a known user
  const std::size_t index = known ? found->second : std::hash<std::string>{}(user) % hashes_.size();
  const bool matches = hashes_[index].matches(password);
  return known && matches;
}

}  // namespace roombus::auth
