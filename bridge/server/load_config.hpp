#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bridge/server/command_line.hpp"
#include "bridge/server/config.hpp"

namespace roombus::server {

using environment_list = std::vector<std::pair<std::string, std::string>>;

/// The variables of a process (`environ`).
[[nodiscard]] environment_list read_environment(const char* const* variables);

/// What the program was asked to do, and with what configuration.
struct config_result {
  program_command command = program_command::help;
  std::string ready_file;  ///< empty: none asked for
  std::string url;         ///< of healthcheck; empty: /healthz of http.listen
  config settings;         ///< only right when there are no errors
  std::vector<std::string> warnings;
  std::vector<std::string> errors;  ///< all that were found, each naming file and line, variable or flag
};

/// Reads the configuration: flags before environment before file before defaults. `args` are those behind the program's
/// name. The file is named by --config or the variable ROOMBUS_CONFIG; an empty variable counts as not set. Of the
/// environment only `ROOMBUS_…__…` is looked at (and a key's variable written with one underscore, to say so).
/// Help, version and reference need no configuration and read none.
[[nodiscard]] config_result load_config(std::span<const std::string> args, const environment_list& environment);

}  // namespace roombus::server
