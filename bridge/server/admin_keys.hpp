#pragma once

#include <string>
#include <vector>

#include "bridge/server/config.hpp"

namespace roombus::server {

/// What is wrong with a key of the section.
struct admin_key_problem {
  std::string path;  ///< "admin.key_file"
  std::string reason;
};
/// Fills `admin.keys` from the keys and key files of the section.
[[nodiscard]] std::vector<admin_key_problem> read_admin_keys(config::admin_section& admin);

/// With --dev and no key: adds `key` for all methods; true when it did.
bool add_dev_key(config& settings, const std::string& key);

}  // namespace roombus::server
