#include "core/named_string.hpp"

#include <gtest/gtest.h>

#include "core/utf8.hpp"

namespace roombus {
namespace {

struct name_case {
  const char* what;
  std::string name;
  bool valid;
};

const name_case name_cases[] = {
    {"one_letter", "a", true},
    {"spaces_and_dots", "living room v1.2", true},
    {"beyond_ascii", "küche 厨房 🍳", true},
    {"slash_plus_hash", "../x+#", true},
    {"longest", std::string(256, 'x'), true},
    {"empty", "", false},
    {"too_long", std::string(257, 'x'), false},
    {"colon", "a:b", false},
    {"open_brace", "a{", false},
    {"close_brace", "}a", false},
    {"nul", std::string("a\0b", 3), false},
    {"tab", "a\tb", false},
    {"delete", "a\x7f", false},
    {"cut_utf8", "a\xc3", false},
    {"overlong_utf8", "\xc0\xaf", false},
    {"surrogate_utf8", "\xed\xa0\x80", false},
    {"above_unicode", "\xf4\x90\x80\x80", false},
};

TEST(names, valid_ones_and_others) {
  for (const name_case& c : name_cases)
    EXPECT_EQ(is_valid_name(c.name, 256), c.valid) << c.what;
}

TEST(utf8, bad_byte_is_found_at_any_position) {
  for (std::size_t at = 0; at < 40; ++at) {
    std::string text(40, 'a');
    EXPECT_TRUE(is_valid_utf8(text));
    text[at] = '\xff';
    EXPECT_FALSE(is_valid_utf8(text)) << at;
  }
}

TEST(utf8, prefix_never_cuts_a_character) {
  const std::string text = "aé厨🍳";
  for (std::size_t n = 0; n <= text.size(); ++n) {
    const std::string_view prefix = utf8_prefix(text, n);
    EXPECT_LE(prefix.size(), n);
    EXPECT_GT(prefix.size() + 4, n);
    EXPECT_TRUE(is_valid_utf8(prefix)) << n;
  }
}

}  // namespace
}  // namespace roombus
