#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "bridge/server/config_key.hpp"

namespace roombus::server {

/// What stands in a file where no setting can be: its kind, in words ("a table").
struct foreign_value {
  std::string kind;
};

/// One `key = value` of a file.
struct file_entry {
  std::string section;               ///< empty: before the first section; `auth.jwt` inside of `auth`
  std::optional<std::size_t> index;  ///< in `[[section]]`: which one, from 0
  std::string key;                   ///< empty: the section itself
  std::variant<setting, foreign_value> value;
  std::string origin;  ///< "roombus.toml:12"
};

/// A configuration file as it was read: nothing about keys is checked yet.
struct file_content {
  std::vector<file_entry> entries;  ///< in the order of their lines
  std::vector<std::string> errors;  ///< not readable, or no TOML: with line and column
};

/// Reads a TOML file.
[[nodiscard]] file_content read_config_file(const std::string& path);
/// Reads TOML; `path` is only for messages.
[[nodiscard]] file_content parse_config(const std::string& text, const std::string& path);

}  // namespace roombus::server
