#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "adapters/mosquitto/plugin/grant_table.hpp"

namespace roombus::plugin {

/// Accounts of a password file: lines of `name:hash`, as `mosquitto_passwd` writes them (PBKDF2-SHA512, `$7$`).
class account_file {
 public:
  /// Takes the place of all accounts; answers what is wrong with the text, "" for nothing. After an error there are
  /// none.
  std::string load(std::string_view text);

  /// A name that is not there costs as much time as one that is.
  [[nodiscard]] bool verify(std::string_view name, std::string_view password) const;
  [[nodiscard]] bool contains(std::string_view name) const { return hashes_.find(name) != hashes_.end(); }
  [[nodiscard]] std::size_t size() const { return hashes_.size(); }

 private:
  std::unordered_map<std::string, std::string, text_hash, std::equal_to<>> hashes_;
};

/// True if the hash has a form that can be verified.
[[nodiscard]] bool is_password_hash(std::string_view hash);
[[nodiscard]] bool verify_password(std::string_view hash, std::string_view password);

}  // namespace roombus::plugin
