#pragma once

#include <iosfwd>
#include <span>
#include <string>

namespace roombus::server {

/// True for the first words of the commands here.
[[nodiscard]] bool is_login_command(const std::string& word);

/// Where these commands read and write. With `terminal` a password is asked for without echo, twice.
struct login_command_streams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool terminal = false;
};

/// `roombus token …` makes a token, `roombus hash-password …` a line for the password file. `args` begin with the
/// command. 0 when it worked, 2 for wrong arguments, 1 for other errors.
[[nodiscard]] int run_login_command(std::span<const std::string> args, login_command_streams streams);

}  // namespace roombus::server
