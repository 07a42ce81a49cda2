#pragma once

#include <iosfwd>
#include <span>
#include <string>

#include "bridge/server/load_config.hpp"

namespace roombus::server {

/// Exit codes of the commands that talk to a running service.
inline constexpr int exit_refused = 1;      ///< the service answered an error
inline constexpr int exit_wrong_usage = 2;  ///< the command line is wrong
inline constexpr int exit_no_service = 3;   ///< not reachable, or it does not accept the key

struct cli_io {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool to_terminal = false;  ///< `out` is read by a person
};

/// Runs one of `client_commands()`: a call of the server API of a running service, or a completion script. `args` begin
/// with its name. Answers the exit code.
int run_cli(std::span<const std::string> args, const environment_list& environment, const cli_io& io);

}  // namespace roombus::server
