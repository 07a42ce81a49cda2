#include "bridge/server/command_line.hpp"

#include <gtest/gtest.h>

namespace roombus::server {
namespace {

command_line parse(std::vector<std::string> args) {
  return parse_command_line(args);
}

using settings = std::vector<std::pair<std::string, std::string>>;

TEST(command_line, serve_with_all_kinds_of_flags) {
  const auto line = parse({"serve", "--config", "a.toml", "--ready-file=r", "--dev", "--http.listen", "[::1]:1",
                           "--mqtt.prefix=x", "--http.page", "--http.compression", "false", "--mqtt.password="});
  EXPECT_EQ(line.errors, std::vector<std::string>{});
  EXPECT_EQ(line.command, program_command::serve);
  EXPECT_EQ(line.config_file, "a.toml");
  EXPECT_EQ(line.ready_file, "r");
  EXPECT_EQ(line.settings, (settings{{"auth.dev", "true"},
                                     {"http.listen", "[::1]:1"},
                                     {"mqtt.prefix", "x"},
                                     {"http.page", "true"},
                                     {"http.compression", "false"},
                                     {"mqtt.password", ""}}));
}

TEST(command_line, other_commands) {
  EXPECT_EQ(parse({"--help"}).command, program_command::help);
  EXPECT_EQ(parse({"serve", "--help"}).command, program_command::help);
  EXPECT_EQ(parse({"--version"}).command, program_command::version);
  EXPECT_EQ(parse({"check-config", "--config", "f"}).command, program_command::check_config);
  EXPECT_EQ(parse({"config-reference"}).command, program_command::config_reference);
  const auto health = parse({"healthcheck", "--url", "http://127.0.0.1:1/healthz"});
  EXPECT_EQ(health.command, program_command::healthcheck);
  EXPECT_EQ(health.url, "http://127.0.0.1:1/healthz");
}

TEST(command_line, tells_every_mistake) {
  struct row {
    std::vector<std::string> args;
    std::vector<std::string> errors;
  };
  for (const row& r : {
           row{{}, {"no command; roombus --help lists them"}},
           row{{"sevre"}, {"sevre: no such command; did you mean serve?"}},
           row{{"start"}, {"start: no such command"}},
           row{{"serve", "extra"}, {"extra: not expected here; roombus --help lists what is"}},
           row{{"--version", "--dev"}, {"--dev: not expected here; roombus --help lists what is"}},
           row{{"serve", "--http.lisen", "1", "--dve"},
               {"--http.lisen: no such flag; did you mean --http.listen?", "--dve: no such flag; did you mean --dev?"}},
           row{{"serve", "--config"}, {"--config: expected a file name behind it"}},
           row{{"serve", "--http.max_header", "--dev"},
               {"--http.max_header: expected an integer from 1024 to 1048576 behind it"}},
           row{{"check-config", "--ready-file", "x"}, {"--ready-file: no such flag; did you mean --ready-file?"}},
       }) {
    EXPECT_EQ(parse(r.args).errors, r.errors);
  }
}

}  // namespace
}  // namespace roombus::server
