#include "schemas/codec/error_codec.hpp"

#include <gtest/gtest.h>

#include "core/utf8.hpp"
#include "schemas/codec/json.hpp"

namespace roombus {
namespace {

TEST(ErrorCodec, texts) {
  const struct {
    chat_error error;
    std::string_view text;
  } rows[] = {
      {no_room("kitchen"), "No such room kitchen"},
      {chat_error(errc::not_allowed), "Action is not allowed"},
      {chat_error(errc::bad_argument, {0, "x\"y"}), "Bad argument at position 0, value \"x\\\"y\""},
      {chat_error(errc::bad_argument, {1, value_map{{"a", 1}}}), "Bad argument at position 1, value {\"a\":1}"},
      {chat_error(errc::wrong_arguments_count, {2, 1}), "Expected 2 arguments, got 1"},
      {chat_error(errc::no_user, {value_list{1, "a"}}), "No such user [1,\"a\"]"},
      {chat_error(errc::internal_error, {"disk on fire"}), "disk on fire"},
      {chat_error(errc::no_login), "No login provided"},
      {chat_error(errc::no_room), "No such room %s"},
      {no_room("%s %d"), "No such room %s %d"},
      {chat_error(errc::unavailable), "unavailable"},
      {chat_error::custom("tooTired", {1}), "tooTired"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(error_text(row.error), "ChatServiceError: " + std::string(row.text));
    EXPECT_EQ(*error_reply(row.error).find("text"), value(row.text));
  }
}

TEST(ErrorCodec, objects) {
  EXPECT_EQ(json::write(value(error_object(no_room("kitchen")))),
            R"({"name":"ChatServiceError","code":"noRoom","args":["kitchen"]})");
  EXPECT_EQ(json::write(value(error_reply(chat_error(errc::wrong_arguments_count, {2, 1})))),
            R"({"code":"wrongArgumentsCount","args":[2,1],"text":"Expected 2 arguments, got 1"})");
  EXPECT_EQ(json::write(value(error_object(chat_error::custom("mine")))),
            R"({"name":"ChatServiceError","code":"mine","args":[]})");
}

TEST(ErrorCodec, long_values_are_cut) {
  const auto first_argument = [](value v) {
    return error_object(chat_error(errc::bad_argument, {std::move(v)})).find("args")->if_list()->front();
  };
  const std::string exact(256, 'a');
  EXPECT_EQ(first_argument(exact), value(exact));
  EXPECT_EQ(first_argument(exact + "b"), value(exact));
  EXPECT_EQ(first_argument(std::string(255, 'a') + "\xc3\xbc"), value(std::string(255, 'a'))) << "no half character";

  const value list(value_list(200, value(1)));
  EXPECT_EQ(first_argument(list), value(json::write(list).substr(0, 256)));
  const value fits(value_list(127, value(1)));  // 255 bytes
  EXPECT_EQ(first_argument(fits), fits);

  const std::string text = error_text(chat_error(errc::bad_argument, {0, list}));
  EXPECT_EQ(text, "ChatServiceError: Bad argument at position 0, value " + json::write(list).substr(0, 256));
  const std::string umlauts = error_text(no_room("a" + std::string(100'000, 'x') + "\xc3\xbc"));
  EXPECT_LT(umlauts.size(), 300U);
  EXPECT_TRUE(is_valid_utf8(umlauts));
}

}  // namespace
}  // namespace roombus
