#include "bridge/server/cli/cli_options.hpp"

#include <gtest/gtest.h>

#include "bridge/server/cli/api_client.hpp"
#include "bridge/server/cli/cli_output.hpp"
#include "bridge/server/cli/completion.hpp"
#include "bridge/server/command_line.hpp"

namespace roombus::server {
namespace {

cli_options parse(const std::vector<std::string>& args) {
  return parse_cli(args);
}

TEST(cli_options, every_first_word_has_a_command) {
  for (const std::string& word : client_commands()) {
    const cli_options options = parse({word, "--help"});
    EXPECT_TRUE(options.help) << word << ": " << options.error;
    ASSERT_NE(options.command, nullptr) << word;
    EXPECT_TRUE(options.command->name == word || options.command->name == word + " list");
  }
  for (const cli_command& c : cli_commands()) {
    EXPECT_TRUE(is_client_command(std::string(c.name.substr(0, c.name.find(' '))))) << c.name;
    EXPECT_NE(cli_help(c).find("\nExample:\n\n  "), std::string::npos) << c.name;
  }
}

TEST(cli_options, flags_may_stand_anywhere_and_end_at_two_dashes) {
  const cli_options options = parse({"send", "--as", "bob", "kitchen", "--json", "--url=http://x:1", "--", "--hi"});
  EXPECT_EQ(options.error, "");
  EXPECT_EQ(options.arguments, (std::vector<std::string>{"kitchen", "--hi"}));
  EXPECT_EQ(options.get("--as"), "bob");
  EXPECT_EQ(options.get("--url"), "http://x:1");
  EXPECT_TRUE(options.has("--json"));
  EXPECT_EQ(options.get("--key", "none"), "none");
}

TEST(cli_options, a_single_dash_is_an_argument) {
  EXPECT_EQ(parse({"send", "kitchen", "-"}).arguments, (std::vector<std::string>{"kitchen", "-"}));
}

TEST(cli_options, mistakes_are_told) {
  EXPECT_EQ(parse({"rooms", "shwo", "x"}).error, "rooms shwo: no such command; did you mean show?");
  EXPECT_EQ(parse({"tail", "x", "--jsn"}).error, "--jsn: no such flag; did you mean --json?");
  EXPECT_EQ(parse({"tail", "x", "--history"}).error, "--history: expected N behind it");
  EXPECT_EQ(parse({"tail", "x", "--json=1"}).error, "--json: takes no value");
  EXPECT_EQ(parse({"kick"}).error, "usage: roombus kick USER");
  EXPECT_EQ(parse({"kick", "a", "b"}).error, "usage: roombus kick USER");
}

TEST(cli_output, what_people_see_cannot_steer_a_terminal) {
  EXPECT_EQ(harmless("a\x1b[31m\r\n\x7f"), "a\\x1b[31m\\x0d\\x0a\\x7f");
  EXPECT_EQ(harmless("\xc2\x9b"
                     "1m"),
            "\\x9b1m");
  EXPECT_EQ(harmless("Grüße 水"), "Grüße 水");
}

TEST(cli_client, only_http_addresses_are_taken) {
  const auto takes = [](const std::string& url) {
    try {
      const api_client client(url, "", std::chrono::seconds(1));
      return true;
    } catch (const cli_failure& failure) {
      EXPECT_EQ(failure.exit_code, 2) << url;
      return false;
    }
  };
  for (const char* url : {"http://localhost:8001", "http://[::1]:8001/", "http://host", "http://[::1]"})
    EXPECT_TRUE(takes(url)) << url;
  for (const char* url : {"", "localhost:8001", "https://host", "http://", "http://host:port", "http://host/path",
                          "http://user@host", "http://host\r\nX: y"})
    EXPECT_FALSE(takes(url)) << url;
}

TEST(cli_client, names_are_encoded_for_paths) {
  EXPECT_EQ(percent_encoded("a-b_c~d.e"), "a-b_c~d.e");
  EXPECT_EQ(percent_encoded("a/b %ü"), "a%2Fb%20%25%C3%BC");
}

TEST(completion, each_shell_gets_all_commands) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(shell);
    for (const std::string& word : program_words())
      EXPECT_NE(script.find(word), std::string::npos) << shell << " " << word;
  }
  EXPECT_EQ(completion_script("tcsh"), "");
}

}  // namespace
}  // namespace roombus::server
