#include "bridge/server/config_reference.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "bridge/server/config_key.hpp"

namespace roombus::server {
namespace {

TEST(config_reference, the_documented_keys_are_those_of_the_program) {
  std::ifstream in(ROOMBUS_DOCS "/configuration.md");
  std::ostringstream text;
  text << in.rdbuf();
  const std::string marker = "<!-- below: roombus config-reference -->\n\n";
  const auto at = text.str().find(marker);
  ASSERT_NE(at, std::string::npos) << "docs/configuration.md has no generated part";
  EXPECT_EQ(text.str().substr(at + marker.size()), config_reference()) << "run scripts/docs";
}

TEST(config_reference, every_key_is_explained_once) {
  const auto help = help_text();
  std::set<std::string> paths;
  for (const auto& key : config_keys()) {
    EXPECT_TRUE(paths.insert(key.path()).second) << key.path();
    EXPECT_NE(help.find("--" + key.path() + " "), std::string::npos) << key.path();
    EXPECT_FALSE(key.help.empty()) << key.path();
  }
}

TEST(config_reference, the_defaults_are_right_values) {
  const config defaults;
  config copy;
  for (const auto& key : config_keys())
    EXPECT_TRUE(key.set(copy, key.get(defaults))) << key.path();
}

}  // namespace
}  // namespace roombus::server
