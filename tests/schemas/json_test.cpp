#include "schemas/codec/json.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "schemas/codec/cbor.hpp"
#include "tests/schemas/vectors.hpp"

namespace roombus {
namespace {

using json::bytes_as;

std::shared_ptr<const encoded_map> encoded(const value_map& map) {
  return std::make_shared<const encoded_map>(cbor::write(map), cbor::has_bytes(map));
}

TEST(Json, limits_are_exact) {
  const codec_limits small{2, 10, 4};
  EXPECT_TRUE(json::read("[[1]]", small));
  EXPECT_EQ(json::read("[[[]]]", small).error().code, codec_errc::too_deep);
  EXPECT_EQ(json::read("[[{}]]", small).error().code, codec_errc::too_deep);
  EXPECT_TRUE(json::read("[1,1,1]", small));
  EXPECT_EQ(json::read("[1,1,1,1]", small).error().code, codec_errc::too_large);
  EXPECT_TRUE(json::read("\"abcdefgh\"", small));
  EXPECT_EQ(json::read("\"abcdefghi\"", small).error().code, codec_errc::too_large);
  EXPECT_TRUE(json::read("1", {0, 1, 1})) << "a plain number has depth 0";
  EXPECT_EQ(json::read("[]", {0, 2, 1}).error().code, codec_errc::too_deep);
}

TEST(Json, an_error_tells_its_place) {
  EXPECT_EQ(json::read("[1,x]", {}).error(), (codec_error{codec_errc::syntax, 3}));
  EXPECT_EQ(json::read("[1,1e999]", {}).error(), (codec_error{codec_errc::bad_number, 3}));
  EXPECT_EQ(json::read("[1] 2", {}).error(), (codec_error{codec_errc::syntax, 4}));
}

TEST(Json, a_special_character_is_found_at_every_place) {
  // the scanner takes eight bytes at once, so each position in and around a word is tried
  for (std::size_t n = 0; n < 40; ++n) {
    const std::string text(n, 'a');
    EXPECT_EQ(json::read("\"" + text + "\"", {}).value(), value(text));
    EXPECT_EQ(json::read("\"" + text + "\\n" + text + "\"", {}).value(), value(text + "\n" + text));
    EXPECT_EQ(json::read("\"" + text + "\xc3\xbc" + text + "\"", {}).value(), value(text + "\xc3\xbc" + text));
    EXPECT_EQ(json::read("\"" + text + "\x1f\"", {}).error(), (codec_error{codec_errc::syntax, n + 1}));
    EXPECT_EQ(json::read("\"" + text + "\xff" + text + "\"", {}).error().code, codec_errc::invalid_utf8);
    EXPECT_EQ(json::write(value(text + "\"" + text)), "\"" + text + "\\\"" + text + "\"");
    EXPECT_EQ(json::read("\"" + text, {}).error(), (codec_error{codec_errc::truncated, n + 1}));
  }
}

TEST(Json, every_character_below_128_comes_back) {
  std::string all;
  for (char c = 0; c < 127; ++c)
    all.push_back(c);
  EXPECT_EQ(json::read(json::write(value(all)), {}).value(), value(all));
}

TEST(Json, kinds_of_numbers) {
  const auto kind = [](std::string_view text) { return json::read(text, {}).value().data().index(); };
  EXPECT_EQ(kind("1"), value(1).data().index());
  EXPECT_EQ(kind("1.0"), value(1).data().index());
  EXPECT_EQ(kind("-0"), value(-0.0).data().index());
  EXPECT_EQ(kind("9223372036854775808"), value(std::uint64_t{1} << 63).data().index());
  EXPECT_TRUE(std::signbit(json::read("-0", {}).value().as_double()));
  EXPECT_EQ(json::write(value(std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(json::write(value(std::nan(""))), "null");
  EXPECT_EQ(json::write(value(21.5)), "21.5");
  EXPECT_EQ(json::write(value(-0.0)), "-0");
}

TEST(Json, many_keys_cost_no_square) {
  std::string text = "{";
  for (int i = 0; i < 99'998; ++i)
    text += "\"k" + std::to_string(i) + "\":0,";
  const codec_limits limits{32, 10'000'000, 100'000};
  EXPECT_EQ(json::read(text + "\"k\":0}", limits)->if_map()->size(), 99'999U);
  EXPECT_EQ(json::read(text + "\"k5\":0}", limits).error().code, codec_errc::duplicate_key);
}

TEST(Json, a_deep_limit_bounds_the_recursion) {
  const codec_limits limits{500, 1'000'000, 1'000'000};
  EXPECT_TRUE(json::read(std::string(500, '[') + std::string(500, ']'), limits));
  EXPECT_EQ(json::read(std::string(900'000, '['), limits).error().code, codec_errc::too_deep);
}

TEST(Json, placeholder_form_leaves_maps_alone) {
  const std::string buffer = R"({"type":"Buffer","data":"AQID"})";
  const auto as_map = json::read(buffer, {}, bytes_as::placeholder).value();
  ASSERT_NE(as_map.if_map(), nullptr);
  EXPECT_EQ(json::write(as_map), buffer);
  EXPECT_EQ(json::read(buffer, {}, bytes_as::buffer_object).value(), value(byte_string{"\x01\x02\x03"}));
  EXPECT_NE(json::read(R"({"_placeholder":true,"num":0})", {}, bytes_as::placeholder).value().if_map(), nullptr);
}

TEST(Json, socketio_bytes_become_attachments) {
  std::vector<shared_buffer> attachments{std::make_shared<const std::string>("first")};
  const value tree(value_list{byte_string{"a"}, value(value_map{{"x", byte_string{"b"}}}), "t"});
  std::string out = "42";
  json::write_socketio(out, tree, attachments);
  EXPECT_EQ(out, R"(42[{"_placeholder":true,"num":1},{"x":{"_placeholder":true,"num":2}},"t"])");
  ASSERT_EQ(attachments.size(), 3U);
  EXPECT_EQ(*attachments[1], "a");
  EXPECT_EQ(*attachments[2], "b");
}

TEST(Json, a_stored_message_is_transcoded_once) {
  const auto message = encoded({{"textMessage", "hi"}, {"id", 7}, {"t", 21.5}});
  const std::string expected = R"({"textMessage":"hi","id":7,"t":21.5})";
  EXPECT_EQ(json::write(value(message)), expected);
  const shared_buffer kept = message->encoding(encoded_map::format::json);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(json::write(value(value_list{value(message), value(message)})), "[" + expected + "," + expected + "]");
  EXPECT_EQ(message->encoding(encoded_map::format::json), kept);

  std::vector<shared_buffer> attachments;
  std::string out;
  json::write_socketio(out, value(message), attachments);
  EXPECT_EQ(out, expected);
  EXPECT_TRUE(attachments.empty());
  EXPECT_EQ(message->encoding(encoded_map::format::socketio_json), kept) << "the same text is kept once";
}

TEST(Json, a_stored_message_with_bytes_has_fresh_placeholders) {
  const auto message = encoded({{"pic", byte_string{"\x01\x02\x03"}}, {"id", 7}});
  EXPECT_EQ(json::write(value(message)), R"({"pic":{"type":"Buffer","data":"AQID"},"id":7})");
  std::vector<shared_buffer> attachments;
  std::string out;
  json::write_socketio(out, value(value_list{value(message), value(message)}), attachments);
  EXPECT_EQ(out, R"([{"pic":{"_placeholder":true,"num":0},"id":7},{"pic":{"_placeholder":true,"num":1},"id":7}])");
  ASSERT_EQ(attachments.size(), 2U);
  EXPECT_EQ(*attachments[1], "\x01\x02\x03");
}

TEST(Json, a_stored_message_that_does_not_decode_is_null) {
  for (const char* hex : {"", "a1", "a16161", "a161ff01", "a1616143", "a0a0", "a10101", "a16161f7"}) {
    const auto broken = std::make_shared<const encoded_map>(test::from_hex(hex), true);
    EXPECT_EQ(json::write(value(value_list{value(broken)})), "[null]") << hex;
    std::vector<shared_buffer> attachments;
    std::string out;
    json::write_socketio(out, value(broken), attachments);
    EXPECT_EQ(out, "null") << hex;
  }
  // what was already handed over goes again
  const auto late = std::make_shared<const encoded_map>(test::from_hex("a261614101616201ff"), true);
  std::vector<shared_buffer> attachments;
  std::string out;
  json::write_socketio(out, value(late), attachments);
  EXPECT_EQ(out, "null");
  EXPECT_TRUE(attachments.empty());
}

}  // namespace
}  // namespace roombus
