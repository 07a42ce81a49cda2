#include "adapters/http/uri.hpp"

#include <gtest/gtest.h>

namespace roombus::http {
namespace {

TEST(uri, percent_sequences_become_bytes) {
  EXPECT_EQ(percent_decode("a%20b%C3%a9"), "a b\xc3\xa9");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
}

TEST(uri, broken_percent_sequences_are_refused) {
  for (const char* text : {"%", "a%2", "%zz", "%4", "ok%g0"})
    EXPECT_FALSE(percent_decode(text)) << text;
}

TEST(uri, a_query_is_split_and_decoded) {
  const auto query = parse_query("EIO=4&&user=a%26b+c&flag&empty=&=x&EIO=3&eq=a=b");
  ASSERT_TRUE(query);
  const query_list expected{{"EIO", "4"}, {"user", "a&b c"}, {"flag", ""}, {"empty", ""},
                            {"", "x"},    {"EIO", "3"},      {"eq", "a=b"}};
  EXPECT_EQ(*query, expected);
  EXPECT_EQ(*find_query(*query, "EIO"), "4");
  EXPECT_EQ(find_query(*query, "none"), nullptr);
}

TEST(uri, a_query_with_a_broken_sequence_is_refused_whole) {
  EXPECT_FALSE(parse_query("a=1&b=%4"));
  EXPECT_FALSE(parse_query("%=1"));
  EXPECT_TRUE(parse_query(""));
}

}  // namespace
}  // namespace roombus::http
