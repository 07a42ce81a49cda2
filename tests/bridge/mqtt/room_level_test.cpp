#include "bridge/mqtt/room_level.hpp"

#include <gtest/gtest.h>

namespace roombus::mqtt {
namespace {

struct level_case {
  const char* name;
  std::string room;
  std::string level;
};

TEST(room_level, encodes_and_decodes) {
  const level_case cases[] = {
      {"plain", "kitchen-1_~Z", "kitchen-1_~Z"},
      {"space", "living room", "living%20room"},
      {"wildcards", "a+b/#", "a%2Bb%2F%23"},
      {"dot_and_star", "a.b*", "a%2Eb%2A"},
      {"percent", "100%", "100%25"},
      {"two_bytes", "caf\xc3\xa9", "caf%C3%A9"},
      {"next_line_character", "\xc2\x85", "%C2%85"},
      {"looks_encoded", "%41", "%2541"},
      {"dollar", "$SYS", "%24SYS"},
  };
  for (const level_case& c : cases) {
    EXPECT_EQ(encode_room_level(c.room), c.level) << c.name;
    EXPECT_EQ(decode_room_level(c.level), room_name(c.room)) << c.name;
  }
}

TEST(room_level, every_byte_has_one_form) {
  for (int i = 1; i < 128; ++i) {
    const std::string room(1, static_cast<char>(i));
    EXPECT_EQ(decode_room_level(encode_room_level(room)), room_name(room)) << i;
  }
}

TEST(room_level, refuses_what_is_not_canonical) {
  const std::pair<const char*, const char*> cases[] = {
      {"empty", ""},        {"lower_case_hex", "a%2f"},    {"needless", "%41"}, {"needless_tilde", "%7E"},
      {"cut", "a%2"},       {"percent_at_the_end", "a%"},  {"no_hex", "%G0"},   {"plain_space", "a b"},
      {"plain_dot", "a.b"}, {"plain_utf8", "caf\xc3\xa9"}, {"bad_utf8", "%FF"}, {"half_character", "%C3"},
      {"slash", "a/b"},     {"overlong", "%C0%AF"},        {"sign", "%+1"},     {"surrogate", "%ED%A0%80"},
  };
  for (const auto& [name, level] : cases)
    EXPECT_EQ(decode_room_level(level), std::nullopt) << name;
}

}  // namespace
}  // namespace roombus::mqtt
