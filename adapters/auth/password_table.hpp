#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/auth/password_hash.hpp"

namespace roombus::auth {

/// The users of a password file. Never changed after it was read, so threads may share it.
class password_table {
 public:
  /// Reads lines `user:hash`; empty lines and those that begin with `#` do not count. Not empty: what is wrong, with
  /// its line. A user twice is wrong.
  [[nodiscard]] std::string read(std::string_view content);

  /// Takes as long for unknown users as for known ones: these are checked against the hash of somebody else, in vain.
  [[nodiscard]] bool verify(const std::string& user, std::string_view password) const;
  /// The user's hash, or null.
  [[nodiscard]] const password_hash* find(const std::string& user) const;
  [[nodiscard]] std::size_t size() const { return hashes_.size(); }

 private:
  std::map<std::string, std::size_t, std::less<>> users_;
  std::vector<password_hash> hashes_;
};

}  // namespace roombus::auth
