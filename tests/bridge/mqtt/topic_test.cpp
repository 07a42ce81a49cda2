#include "bridge/mqtt/topic.hpp"

#include <gtest/gtest.h>

#include <string>

namespace roombus::mqtt {
namespace {

using namespace std::string_literals;

struct validity_case {
  const char* name;
  std::string text;
  bool is_name;
  bool is_filter;
};

TEST(topic, validity) {
  const validity_case cases[] = {
      {"plain", "a/b", true, true},
      {"empty", "", false, false},
      {"empty_levels", "/", true, true},
      {"nul", "a\0b"s, false, false},
      {"bad_utf8", "a/\xff", false, false},
      {"surrogate", "a/\xed\xa0\x80", false, false},
      {"utf8", "a/\xc3\xa9", true, true},
      {"plus_level", "a/+/b", false, true},
      {"plus_only", "+", false, true},
      {"plus_must_fill_its_level", "a/b+", false, false},
      {"hash_last", "a/#", false, true},
      {"hash_only", "#", false, true},
      {"hash_must_be_last_level", "a/#/b", false, false},
      {"hash_must_fill_its_level", "a/b#", false, false},
      {"longest", std::string(65535, 'a'), true, true},
      {"too_long", std::string(65536, 'a'), false, false},
  };
  for (const validity_case& c : cases) {
    EXPECT_EQ(is_topic_name(c.text), c.is_name) << c.name;
    EXPECT_EQ(is_topic_filter(c.text), c.is_filter) << c.name;
  }
  EXPECT_TRUE(is_topic_name("abc", 3));
  EXPECT_FALSE(is_topic_name("abcd", 3));
}

struct match_case {
  const char* filter;
  const char* name;
  bool matches;
};

TEST(topic, matching_of_the_specification) {
  const match_case cases[] = {
      {"sport/tennis/player1/#", "sport/tennis/player1", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
      {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
      {"sport/tennis/player1/#", "sport/tennis/player2", false},
      {"sport/#", "sport", true},
      {"#", "sport", true},
      {"sport/tennis/+", "sport/tennis/player1", true},
      {"sport/tennis/+", "sport/tennis/player1/ranking", false},
      {"sport/+", "sport", false},
      {"sport/+", "sport/", true},
      {"+/+", "/finance", true},
      {"/+", "/finance", true},
      {"+", "/finance", false},
      {"#", "$SYS/x", false},
      {"+/monitor", "$SYS/monitor", false},
      {"$SYS/#", "$SYS/x", true},
      {"a/b", "a/b", true},
      {"a/b", "a/b/", false},
      {"a/b/", "a/b", false},
      {"a/+/c", "a/b", false},
      {"a/+/#", "a/b", true},
      {"a/+/#", "a", false},
  };
  for (const match_case& c : cases)
    EXPECT_EQ(topic_matches(c.filter, c.name), c.matches) << c.filter << " " << c.name;
}

TEST(topic, characters_that_brokers_close_for) {
  EXPECT_FALSE(has_disallowed_characters("a/\xc3\xa9/\xf0\x9f\x98\x80 ~"));
  for (const char* text : {"\x01", "\x1f", "\x7f", "\xc2\x80", "\xc2\x85", "\xc2\x9f", "\xef\xb7\x90", "\xef\xbf\xbe",
                           "\xef\xbf\xbf", "\xf0\x9f\xbf\xbf", "\xf4\x8f\xbf\xbe"}) {
    EXPECT_TRUE(has_disallowed_characters("a/"s + text + "/b")) << text;
  }
  EXPECT_FALSE(has_disallowed_characters("\xef\xbf\xbd"));  // U+FFFD is a character
}

}  // namespace
}  // namespace roombus::mqtt
