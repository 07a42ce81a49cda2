#include "schemas/codec/cbor.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/schemas/vectors.hpp"

namespace roombus {
namespace {

using test::from_hex;
using test::to_hex;

value encoded(const value_map& map) {
  return value(std::make_shared<const encoded_map>(cbor::write(map), cbor::has_bytes(map)));
}

TEST(Cbor, limits_are_exact) {
  const codec_limits small{2, 10, 4};
  EXPECT_TRUE(cbor::read(from_hex("818100"), small));
  EXPECT_EQ(cbor::read(from_hex("81818100"), small).error().code, codec_errc::too_deep);
  EXPECT_EQ(cbor::read(from_hex("81a1616180"), small).error().code, codec_errc::too_deep);
  EXPECT_TRUE(cbor::read(from_hex("83000000"), small));
  EXPECT_EQ(cbor::read(from_hex("8400000000"), small).error().code, codec_errc::too_large);
  EXPECT_EQ(cbor::read(from_hex("9f00000000ff"), small).error().code, codec_errc::too_large);
  EXPECT_TRUE(cbor::read(from_hex("69616161616161616161"), small));
  EXPECT_EQ(cbor::read(from_hex("6a61616161616161616161"), small).error().code, codec_errc::too_large);
  EXPECT_TRUE(cbor::read(from_hex("00"), {0, 1, 1})) << "a plain number has depth 0";
  EXPECT_EQ(cbor::read(from_hex("80"), {0, 1, 1}).error().code, codec_errc::too_deep);
}

TEST(Cbor, an_error_tells_its_place) {
  EXPECT_EQ(cbor::read(from_hex("8200f7"), {}).error(), (codec_error{codec_errc::unsupported, 2}));
  EXPECT_EQ(to_text(codec_error{codec_errc::invalid_utf8, 17}), "invalid UTF-8 at byte 17");
}

TEST(Cbor, many_keys_cost_no_square) {
  // 100000 keys; comparing each with each would be 5·10⁹ comparisons, far beyond the time limit of a test
  value_map map;
  for (int i = 0; i < 99'998; ++i)
    map.append("k" + std::to_string(i), value(i));
  const std::string bytes = cbor::write(map);
  const codec_limits limits{32, 10'000'000, 100'000};
  const auto read = cbor::read(bytes, limits);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->if_map()->size(), map.size());
  map.append("k77", value());
  EXPECT_EQ(cbor::read(cbor::write(map), limits).error().code, codec_errc::duplicate_key);
}

TEST(Cbor, a_long_chain_of_tags_is_passed_over) {
  EXPECT_EQ(cbor::read(std::string(500'000, '\xc6') + '\x05', {}).value(), value(5));
}

double half_to_double(std::uint16_t half) {
  const int exponent = half >> 10 & 31;
  const double mantissa = half & 1023;
  double d = 0;
  if (exponent == 0) {
    d = std::ldexp(mantissa, -24);
  } else if (exponent == 31) {
    d = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  } else {
    d = std::ldexp(mantissa + 1024, exponent - 25);
  }
  return (half & 0x8000) != 0 ? -d : d;
}

TEST(Cbor, every_half_is_read_and_written_exactly) {
  for (std::uint32_t half = 0; half <= 0xffff; ++half) {
    const double d = half_to_double(static_cast<std::uint16_t>(half));
    const std::string bytes{'\xf9', static_cast<char>(half >> 8), static_cast<char>(half & 0xff)};
    const auto read = cbor::read(bytes, {});
    ASSERT_TRUE(read);
    ASSERT_EQ(*read, value(d)) << half;
    const bool kept = std::holds_alternative<double>(value(d).data());
    if (kept && !std::isnan(d)) {
      ASSERT_EQ(to_hex(cbor::write(value(d))), to_hex(bytes));
    }
  }
}

TEST(Cbor, the_shortest_exact_float_is_written) {
  const struct {
    double d;
    std::string_view hex;
  } rows[] = {{0.5, "f93800"},
              {-0.0, "f98000"},
              {std::ldexp(1, -24), "f90001"},
              {std::ldexp(1, -25), "fa33000000"},
              {std::ldexp(3, -25), "fa33c00000"},
              {1.0009765625, "f93c01"},
              {1.00048828125, "fa3f801000"},
              {65536.5, "fa47800040"},
              {static_cast<double>(std::numeric_limits<float>::denorm_min()), "fa00000001"},
              {std::ldexp(1, -150), "fb3690000000000000"},
              {1e39, "fb48078287f49c4a1d"},
              {std::nan(""), "f97e00"},
              {-std::nan(""), "f97e00"}};
  for (const auto& row : rows) {
    EXPECT_EQ(to_hex(cbor::write(value(row.d))), row.hex);
  }
}

TEST(Cbor, a_field_is_added_without_decoding) {
  EXPECT_EQ(to_hex(cbor::with_field(from_hex("a0"), "id", 7)), "a162696407");
  EXPECT_EQ(to_hex(cbor::with_field(from_hex("a1616101"), "id", 1000)), "a26161016269641903e8");
  value_map map;
  for (int i = 0; i < 300; ++i) {
    const auto longer = cbor::read(cbor::with_field(cbor::write(map), "id", static_cast<std::uint64_t>(i)), {});
    ASSERT_TRUE(longer);
    value_map expected = map;
    expected.append("id", value(i));
    ASSERT_EQ(*longer, value(expected)) << i << " fields";
    map.append("k" + std::to_string(i), value(i));
  }
}

TEST(Cbor, encoded_maps_are_spliced_and_materialized) {
  const value_map inner{{"x", 1}, {"y", byte_string{"\x01"}}};
  const value tree(value_list{value(value_map{{"m", encoded(inner)}}), 5});
  const value plain(value_list{value(value_map{{"m", inner}}), 5});
  EXPECT_EQ(to_hex(cbor::write(tree)), to_hex(cbor::write(plain)));
  EXPECT_EQ(cbor::materialize(tree), plain);
  EXPECT_TRUE(cbor::has_bytes(tree));
  EXPECT_TRUE(cbor::has_bytes(plain));
  EXPECT_FALSE(cbor::has_bytes(value(value_list{value(value_map{{"a", "b"}})})));
}

TEST(Cbor, an_encoded_map_that_does_not_decode_is_null) {
  for (const char* hex : {"", "a1", "a16161", "01", "a0a0"}) {
    const value broken(std::make_shared<const encoded_map>(from_hex(hex), false));
    EXPECT_EQ(cbor::materialize(value(value_list{broken})), value(value_list{value()})) << hex;
  }
}

}  // namespace
}  // namespace roombus
