#include "bridge/server/config_file.hpp"

#include <gtest/gtest.h>

namespace roombus::server {
namespace {

TEST(config_file, keeps_the_order_and_lines_of_entries) {
  const auto file = parse_config(
      "[mqtt]\nprefix = \"x\"\n\n[[room]]\nname = \"a\"\n[[room]]\nname = \"b\"\n[http]\npage = false\n", "f");
  ASSERT_EQ(file.errors, std::vector<std::string>{});
  std::vector<std::string> seen;
  for (const auto& e : file.entries)
    seen.push_back(e.origin + " " + e.section + (e.index ? std::to_string(*e.index) : "") + " " + e.key);
  EXPECT_EQ(seen, (std::vector<std::string>{"f:1 mqtt ", "f:2 mqtt prefix", "f:4 room0 ", "f:5 room0 name",
                                            "f:6 room1 ", "f:7 room1 name", "f:8 http ", "f:9 http page"}));
  EXPECT_EQ(std::get<setting>(file.entries.back().value), setting(false));
}

TEST(config_file, names_line_and_column_of_what_is_no_toml) {
  for (const char* text : {"[http]\npage = yes\n", "[http]\n[http]\n", "[http]\npage = true\npage = true\n", "[http\n",
                           "a = \"\xff\"\n"}) {
    const auto file = parse_config(text, "f.toml");
    ASSERT_EQ(file.errors.size(), 1u) << text;
    EXPECT_TRUE(file.errors[0].starts_with("f.toml:")) << file.errors[0];
    EXPECT_TRUE(file.entries.empty());
  }
  EXPECT_TRUE(parse_config("[http]\npage = yes\n", "f").errors[0].starts_with("f:2:8: "))
      << parse_config("[http]\npage = yes\n", "f").errors[0];
}

TEST(config_file, a_missing_file_is_an_error) {
  EXPECT_EQ(read_config_file("/nonexistent/f.toml").errors,
            std::vector<std::string>{"/nonexistent/f.toml: cannot be read"});
  EXPECT_EQ(read_config_file("/").errors, std::vector<std::string>{"/: cannot be read"});
}

TEST(config_file, sections_may_be_inside_sections) {
  const auto file = parse_config("[a]\nx = 1\n[a.b]\ny = 2\n[c.d.e]\nz = 3\n", "f");
  std::vector<std::string> read;
  for (const auto& e : file.entries)
    read.push_back(e.section + "/" + e.key);
  EXPECT_EQ(read, (std::vector<std::string>{"a/", "a/x", "a.b/", "a.b/y", "c/", "c.d/", "c.d.e/", "c.d.e/z"}));
}

TEST(config_file, what_no_setting_can_be_is_told_as_foreign) {
  const auto file = parse_config("[http]\na.b = 1\nc = 1.5\nd = [1]\ne = 2020-01-01\nf = [\"x\", \"y\"]\n", "f");
  ASSERT_EQ(file.entries.size(), 7u);
  std::vector<std::string> kinds;
  for (const auto& e : file.entries) {
    if (const auto* foreign = std::get_if<foreign_value>(&e.value)) kinds.push_back(foreign->kind);
  }
  EXPECT_EQ(kinds, (std::vector<std::string>{"a table", "a table", "a number with a fraction",
                                             "a list of other things than texts", "a date or time"}));
  EXPECT_EQ(std::get<setting>(file.entries.back().value), setting(std::vector<std::string>{"x", "y"}));
}

}  // namespace
}  // namespace roombus::server
