#include "schemas/codec/payload.hpp"

#include <gtest/gtest.h>

#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"
#include "tests/schemas/vectors.hpp"

namespace roombus {
namespace {

using payload::encoding;
using test::from_hex;
using type = std::optional<std::string_view>;

constexpr type none = std::nullopt;
constexpr type json_type = "application/json";
constexpr type cbor_type = "application/cbor";

std::string show(const decoded<value_map>& message) {
  return message ? json::write(value(*message)) : std::string(test::name_of(message.error().code));
}

TEST(Payload, encoding_is_detected) {
  const struct {
    const char* name;
    std::string payload;
    type content_type;
    std::optional<encoding> expected;
  } rows[] = {
      {"object", "{}", none, encoding::json},
      {"list", "[]", none, encoding::json},
      {"object after blanks", " \r\n\t{", none, encoding::json},
      {"cbor list", from_hex("80"), none, encoding::cbor},
      {"cbor open map", from_hex("bf"), none, encoding::cbor},
      {"self-described cbor", from_hex("d9d9f7a0"), none, encoding::cbor},
      {"part of the self-description", from_hex("d9d9"), none, std::nullopt},
      {"cbor text", from_hex("60"), none, std::nullopt},
      {"tag", from_hex("c0"), none, std::nullopt},
      {"blank before cbor", from_hex("2080"), none, std::nullopt},
      {"text", "hello", none, std::nullopt},
      {"empty", "", none, std::nullopt},
      {"blanks", "  ", none, std::nullopt},
      {"content type wins", "{}", cbor_type, encoding::cbor},
      {"content type wins over bytes", from_hex("a0"), json_type, encoding::json},
      {"parameters", "x", type("application/json; charset=utf-8"), encoding::json},
      {"parameters without blank", "x", type("application/cbor;v=1"), encoding::cbor},
      {"case and blanks", "x", type(" Application/JSON "), encoding::json},
      {"other type", "{}", type("text/plain"), encoding::json},
      {"longer type", "x", type("application/json-seq"), std::nullopt},
      {"empty type", "x", type(""), std::nullopt},
  };
  for (const auto& row : rows)
    EXPECT_EQ(payload::detect(row.payload, row.content_type), row.expected) << row.name;
}

TEST(Payload, requests) {
  const struct {
    const char* name;
    std::string payload;
    type content_type;
    std::string expected;  ///< JSON of the arguments, or the error
  } rows[] = {
      {"empty", "", none, "[]"},
      {"empty with a type", "", cbor_type, "[]"},
      {"list", R"(["kitchen",{"a":1}])", none, R"(["kitchen",{"a":1}])"},
      {"named", R"({"room":"kitchen"})", none, R"({"room":"kitchen"})"},
      {"cbor list", from_hex("8101"), none, "[1]"},
      {"cbor map", from_hex("a1616101"), cbor_type, R"({"a":1})"},
      {"self-described cbor", from_hex("d9d9f78101"), none, "[1]"},
      {"text", "hello", none, "wrong_type"},
      {"number", "5", none, "wrong_type"},
      {"declared number", "5", json_type, "wrong_type"},
      {"declared cbor number", from_hex("05"), cbor_type, "wrong_type"},
      {"bytes", R"({"type":"Buffer","data":"AQID"})", none, "wrong_type"},
      {"declared, blanks only", "  ", json_type, "truncated"},
      {"bad json", "[1,", none, "truncated"},
      {"bad cbor", from_hex("82"), none, "truncated"},
      {"two values", "[][]", none, "syntax"},
      {"not what it is said to be", "[]", cbor_type, "truncated"},
      {"too large", "[" + std::string(100, ' ') + "]", none, "too_large"},
      {"large text", std::string(101, 'x'), none, "too_large"},
  };
  const codec_limits limits{32, 100, 1000};
  for (const auto& row : rows) {
    const auto request = payload::decode_request(row.payload, row.content_type, limits);
    EXPECT_EQ(request ? json::write(request->arguments) : std::string(test::name_of(request.error().code)),
              row.expected)
        << row.name;
  }
  EXPECT_EQ(payload::decode_request("", none, limits)->used, std::nullopt);
  EXPECT_EQ(payload::decode_request("", cbor_type, limits)->used, encoding::cbor);
  EXPECT_EQ(payload::decode_request("[]", none, limits)->used, encoding::json);
}

TEST(Payload, sends) {
  const struct {
    const char* name;
    std::string payload;
    type content_type;
    std::string expected;  ///< JSON of the message, or the error
  } rows[] = {
      {"object", R"({"temp":21.5})", none, R"({"temp":21.5})"},
      {"object after blanks", " {} ", none, "{}"},
      {"cbor map", from_hex("a16474656d7015"), none, R"({"temp":21})"},
      {"self-described cbor map", from_hex("d9d9f7a0"), none, "{}"},
      {"open cbor map", from_hex("bfff"), none, "{}"},
      {"text", "hello", none, R"({"textMessage":"hello"})"},
      {"number", "21.5", none, R"({"textMessage":"21.5"})"},
      {"json list", "[1,2]", none, R"({"textMessage":"[1,2]"})"},
      {"declared json list", "[1]", json_type, R"({"textMessage":"[1]"})"},
      {"declared json, plain text", "on", json_type, R"({"textMessage":"on"})"},
      {"empty", "", none, R"({"textMessage":""})"},
      {"utf-8", "gr\xc3\xbc\xc3\x9f", none, "{\"textMessage\":\"gr\xc3\xbc\xc3\x9f\"}"},
      {"broken object", "{\"a\":", none, "truncated"},
      {"object and more", "{}x", none, "syntax"},
      {"object with a duplicate key", R"({"a":1,"a":2})", none, "duplicate_key"},
      {"object of some other type", "{oops", type("text/plain"), "syntax"},
      {"cbor map and more", from_hex("a000"), none, R"({"data":{"type":"Buffer","data":"oAA="}})"},
      {"half a cbor map", from_hex("a1"), none, R"({"data":{"type":"Buffer","data":"oQ=="}})"},
      {"cbor map with a duplicate key", from_hex("a2616101616102"), none,
       R"({"data":{"type":"Buffer","data":"omFhAWFhAg=="}})"},
      {"cbor list", from_hex("8101"), none, R"({"data":{"type":"Buffer","data":"gQE="}})"},
      {"self-described cbor list", from_hex("d9d9f780"), none, R"({"data":{"type":"Buffer","data":"2dn3gA=="}})"},
      {"declared cbor text", from_hex("6161"), cbor_type, R"({"data":{"type":"Buffer","data":"YWE="}})"},
      {"no utf-8", from_hex("ff00"), none, R"({"data":{"type":"Buffer","data":"/wA="}})"},
      {"declared json, no utf-8", from_hex("ff00"), json_type, R"({"data":{"type":"Buffer","data":"/wA="}})"},
      {"picture", from_hex("ffd8ffe0"), none, R"({"data":{"type":"Buffer","data":"/9j/4A=="}})"},
      {"buffer object", R"({"type":"Buffer","data":"AQID"})", none, R"({"data":{"type":"Buffer","data":"AQID"}})"},
      {"too large", std::string(101, 'x'), none, "too_large"},
  };
  const codec_limits limits{32, 100, 1000};
  for (const auto& row : rows) {
    EXPECT_EQ(show(payload::decode_send(row.payload, row.content_type, limits)), row.expected) << row.name;
  }
}

TEST(Payload, replies) {
  const struct {
    result<value_list> reply;
    std::string_view json;
  } rows[] = {
      {value_list{}, R"({"result":null})"},
      {value_list{value()}, R"({"result":null})"},
      {value_list{7}, R"({"result":7})"},
      {value_list{7, "x", value()}, R"({"result":7,"extra":["x",null]})"},
      {no_room("kitchen"), R"({"error":{"code":"noRoom","args":["kitchen"],"text":"No such room kitchen"}})"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(payload::reply_payload(row.reply, encoding::json), row.json);
    const auto same = cbor::read(payload::reply_payload(row.reply, encoding::cbor), {});
    ASSERT_TRUE(same) << row.json;
    EXPECT_EQ(json::write(*same), row.json);
  }
}

TEST(Payload, notifications) {
  const auto stored = std::make_shared<const encoded_map>(cbor::write(value_map{{"temp", 21}, {"id", 7}}), false);
  const struct {
    event e;
    std::string_view json;
  } rows[] = {
      {event(notification::room_message, {"kitchen", value(stored)}), R"({"temp":21,"id":7})"},
      {event(notification::direct_message, {value(stored)}), R"({"message":{"temp":21,"id":7}})"},
      {event(notification::room_user_joined, {"kitchen", "alice"}), R"({"room":"kitchen","user":"alice"})"},
      {event(notification::room_access_list_added, {"r", "whitelist", value_list{"a"}}),
       R"({"room":"r","list":"whitelist","users":["a"]})"},
      {event(notification::system_message, {byte_string{"\x01"}}), R"({"data":{"type":"Buffer","data":"AQ=="}})"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(payload::notification_payload(row.e, encoding::json), row.json);
    const auto same = cbor::read(payload::notification_payload(row.e, encoding::cbor), {});
    ASSERT_TRUE(same) << row.json;
    EXPECT_EQ(json::write(*same), row.json);
  }
}

}  // namespace
}  // namespace roombus
