#include "adapters/socketio/url_query.hpp"

#include <gtest/gtest.h>

namespace roombus::socketio {
namespace {

struct query_case {
  const char* name;
  const char* text;
  query_list parameters;
};
const std::vector<query_case> cases = {
    {"empty", "", {}},
    {"plain", "a=1&b=2", {{"a", "1"}, {"b", "2"}}},
    {"escapes", "a=%20x+y&%C3%BC=%E2%82%AC", {{"a", " x y"}, {"ü", "€"}}},
    {"no_value", "a&b=", {{"a", ""}, {"b", ""}}},
    {"equals_in_value", "a=b=c", {{"a", "b=c"}}},
    {"empty_parts", "&&a=1&", {{"a", "1"}}},
    {"bad_escapes_are_left_out", "a=%&b=%2&c=%zz&d=1", {{"d", "1"}}},
    {"bad_utf8_is_left_out", "a=%FF&b=1", {{"b", "1"}}},
};

TEST(url_query, parses) {
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(parse_query(c.text), c.parameters);
  }
}

TEST(url_query, is_bounded) {
  std::string text;
  for (int i = 0; i < 1000; ++i)
    text += "a&";
  EXPECT_EQ(parse_query(text).size(), max_query_parameters);
}

}  // namespace
}  // namespace roombus::socketio
