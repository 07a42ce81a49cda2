#include "core/value.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace roombus {
namespace {

TEST(value, whole_doubles_are_integers) {
  EXPECT_TRUE(std::holds_alternative<std::int64_t>(value(1.0).data()));
  EXPECT_EQ(value(1.0), value(1));
  EXPECT_TRUE(std::holds_alternative<std::int64_t>(value(-9223372036854775808.0).data()));
  EXPECT_TRUE(std::holds_alternative<std::uint64_t>(value(9223372036854775808.0).data()));
  EXPECT_TRUE(std::holds_alternative<double>(value(18446744073709551616.0).data()));
  EXPECT_TRUE(std::holds_alternative<double>(value(21.5).data()));
}

TEST(value, minus_zero_is_kept_and_equals_zero) {
  const value minus_zero(-0.0);
  EXPECT_TRUE(std::signbit(minus_zero.as_double()));
  EXPECT_EQ(minus_zero, value(0));
}

TEST(value, small_unsigned_is_signed) {
  EXPECT_EQ(value(std::uint64_t{7}), value(7));
  EXPECT_NE(value(std::numeric_limits<std::uint64_t>::max()), value(-1));
}

TEST(value, floor_to_uint_clamps) {
  EXPECT_EQ(value(2.9).floor_to_uint(), 2U);
  EXPECT_EQ(value(-5).floor_to_uint(), 0U);
  EXPECT_EQ(value(1e300).floor_to_uint(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(value(std::nan("")).floor_to_uint(), std::nullopt);
  EXPECT_EQ(value("1").floor_to_uint(), std::nullopt);
}

TEST(value_map, keeps_the_order_of_keys_and_compares_without_it) {
  value_map map{{"b", value(1)}, {"a", value(2)}};
  map.set("b", value(3));
  map.set("c", value());
  EXPECT_EQ(map.begin()->first, "b");
  EXPECT_EQ(*map.find("b"), value(3));
  EXPECT_TRUE(map.erase("c"));
  EXPECT_FALSE(map.erase("c"));
  EXPECT_EQ(map, (value_map{{"a", value(2)}, {"b", value(3)}}));
  EXPECT_NE(map, (value_map{{"a", value(2)}}));
}

}  // namespace
}  // namespace roombus
