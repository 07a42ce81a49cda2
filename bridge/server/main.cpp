// The program: reads what it was asked to do, and does it.

#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "bridge/server/api_reference.hpp"
#include "bridge/server/cli/cli.hpp"
#include "bridge/server/config_reference.hpp"
#include "bridge/server/healthcheck.hpp"
#include "bridge/server/load_config.hpp"
#include "bridge/server/login_commands.hpp"
#include "bridge/server/serve.hpp"

extern char** environ;

namespace {

using namespace roombus::server;

constexpr int exit_usage = 2;

int report(const config_result& loaded) {
  for (const std::string& error : loaded.errors)
    std::cerr << "roombus: " << error << '\n';
  return exit_usage;
}

/// Where `healthcheck` asks: the url given, else /healthz of the configured listener.
int run_healthcheck(const config_result& loaded) {
  if (loaded.url.empty()) return healthcheck(loaded.settings.http.listen, "/healthz", std::cerr);
  std::string rest = loaded.url;
  if (!rest.starts_with("http://")) {
    std::cerr << "roombus: --url: expected http://host:port/path\n";
    return exit_usage;
  }
  rest.erase(0, std::string("http://").size());
  const std::size_t slash = rest.find('/');
  const auto where = endpoint::parse(rest.substr(0, slash));
  if (!where) {
    std::cerr << "roombus: --url: expected http://host:port/path\n";
    return exit_usage;
  }
  return healthcheck(*where, slash == std::string::npos ? "/healthz" : rest.substr(slash), std::cerr);
}

int run(const std::vector<std::string>& args) {
  const config_result loaded = load_config(args, read_environment(environ));
  if (!loaded.errors.empty()) return report(loaded);
  for (const std::string& warning : loaded.warnings)
    std::cerr << "roombus: warning: " << warning << '\n';
  switch (loaded.command) {
    case program_command::help:
      std::cout << help_text();
      return EXIT_SUCCESS;
    case program_command::version:
      std::cout << "roombus " ROOMBUS_VERSION "\n";
      return EXIT_SUCCESS;
    case program_command::config_reference:
      std::cout << config_reference();
      return EXIT_SUCCESS;
    case program_command::api_reference:
      std::cout << api_reference();
      return EXIT_SUCCESS;
    case program_command::openapi:
      std::cout << openapi();
      return EXIT_SUCCESS;
    case program_command::check_config:
      std::cout << "the configuration is fine\n";
      return EXIT_SUCCESS;
    case program_command::healthcheck:
      return run_healthcheck(loaded);
    case program_command::serve:
      return serve(loaded.settings, loaded.ready_file, std::cout, std::cerr);
  }
  return exit_usage;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> args(argv + 1, argv + argc);
    if (!args.empty() && is_client_command(args.front())) {
      return run_cli(args, read_environment(environ), {std::cin, std::cout, std::cerr, ::isatty(STDOUT_FILENO) == 1});
    }
    if (!args.empty() && is_login_command(args.front())) {
      return run_login_command(args, {std::cin, std::cout, std::cerr, ::isatty(STDIN_FILENO) == 1});
    }
    return run(args);
  } catch (const std::exception& e) {
    std::cerr << "roombus: " << e.what() << '\n';
    return EXIT_FAILURE;
  }
}
