#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace roombus::server {

enum class program_command {
  help,
  version,
  serve,
  check_config,
  healthcheck,
  config_reference,
  api_reference,
  openapi
};

/// The command line, taken apart; values of keys are not checked yet.
struct command_line {
  program_command command = program_command::help;
  std::string config_file;                                    ///< --config
  std::string ready_file;                                     ///< --ready-file, of serve
  std::string url;                                            ///< --url, of healthcheck
  std::vector<std::pair<std::string, std::string>> settings;  ///< section.key and value, --dev included
  std::vector<std::string> errors;
};

/// First words of the commands that talk to a running service (bridge/server/cli); `parse_command_line` does not take
/// them.
[[nodiscard]] const std::vector<std::string>& client_commands();
[[nodiscard]] bool is_client_command(const std::string& word);
/// All first words, flags among them.
[[nodiscard]] std::vector<std::string> program_words();

/// Reads the arguments behind the program's name.
[[nodiscard]] command_line parse_command_line(std::span<const std::string> args);

}  // namespace roombus::server
