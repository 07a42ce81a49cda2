#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace roombus::server {

/// A flag of a command; without `value` it is a switch.
struct cli_flag {
  std::string_view name;   ///< "--owner"
  std::string_view value;  ///< "USER"; empty: a switch
  std::string_view help;
};

/// One command of the command line that talks to a running service.
struct cli_command {
  std::string_view name;       ///< "rooms create"
  std::string_view arguments;  ///< "ROOM [--owner USER] …"
  std::string_view help;
  std::string_view example;
  std::size_t min_arguments = 0;
  std::size_t max_arguments = 0;
  std::vector<cli_flag> flags = {};  ///< beside the common ones
};

[[nodiscard]] const std::vector<cli_command>& cli_commands();
/// Flags of every command that asks the service.
[[nodiscard]] const std::vector<cli_flag>& common_flags();
/// What --help prints for a command.
[[nodiscard]] std::string cli_help(const cli_command& command);

/// A command line taken apart.
struct cli_options {
  const cli_command* command = nullptr;
  std::vector<std::string> arguments;
  std::map<std::string, std::string, std::less<>> flags;  ///< of a switch: "true"
  bool help = false;
  std::string error;  ///< not empty: the rest is of no use

  [[nodiscard]] bool has(std::string_view flag) const { return flags.find(flag) != flags.end(); }
  /// The flag's value, or `otherwise`.
  [[nodiscard]] std::string get(std::string_view flag, std::string_view otherwise = {}) const;
};

[[nodiscard]] cli_options parse_cli(std::span<const std::string> args);

}  // namespace roombus::server
