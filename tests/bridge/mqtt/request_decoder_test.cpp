#include "bridge/mqtt/request_decoder.hpp"

#include <gtest/gtest.h>

#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::mqtt {
namespace {

using namespace std::string_literals;

/// Command and arguments, or the error, and the encoding that the request showed.
std::string decoded(const pending_request& request, codec_limits limits = {}) {
  std::optional<wire> used;
  const result<call> c = request_decoder(limits).decode(request, used);
  const std::string shown = !used ? " -" : *used == wire::json ? " json" : " cbor";
  if (!c) return std::string(c.error().code_name()) + json::write(value(c.error().args())) + shown;
  return c->command + json::write(value(c->args)) + shown;
}

pending_request call_of(std::string command, std::string payload) {
  pending_request request;
  request.target = std::move(command);
  request.payload = std::move(payload);
  return request;
}

pending_request send_of(std::string payload) {
  pending_request request;
  request.target = room_name("kitchen");
  request.payload = std::move(payload);
  return request;
}

TEST(request_decoder, calls) {
  EXPECT_EQ(decoded(call_of("roomJoin", R"(["kitchen"])")), R"(roomJoin["kitchen"] json)");
  EXPECT_EQ(decoded(call_of("roomJoin", R"({"room":"kitchen","options":{"after":3}})")),
            R"(roomJoin["kitchen",{"after":3}] json)");
  EXPECT_EQ(decoded(call_of("listOwnSockets", "")), "listOwnSockets[] -");
  const value_map named{{"room", value("kitchen")}};
  EXPECT_EQ(decoded(call_of("roomJoin", cbor::write(named))), R"(roomJoin["kitchen"] cbor)");
}

TEST(request_decoder, calls_that_do_not_decode) {
  EXPECT_EQ(decoded(call_of("noSuch", "{")), R"(noCommand["noSuch"] -)");
  EXPECT_EQ(decoded(call_of("roomJoin", R"({"rom":"kitchen"})")), R"(badArgument[1,"rom"] json)");
  for (const std::string& payload :
       {"{"s, "[1,2"s, "17"s, "true"s, "\"x\""s, "kitchen"s, "[\"\xff\"]"s, "\x81"s, "\xa1\x01\x02"s,
        R"({"a":1,"a":2})"s, std::string(40, '[') + std::string(40, ']')}) {
    const std::string outcome = decoded(call_of("roomJoin", payload));
    EXPECT_TRUE(outcome.starts_with("badArgument[0,\"")) << payload << ": " << outcome;
  }
  codec_limits small;
  small.max_bytes = 8;
  EXPECT_EQ(decoded(call_of("roomJoin", R"(["kitchen"])"), small), "payloadTooLarge[] -");
}

TEST(request_decoder, sends) {
  EXPECT_EQ(decoded(send_of(R"({"temp":21})")), R"(roomMessage["kitchen",{"temp":21}] json)");
  EXPECT_EQ(decoded(send_of("21.5 C")), R"(roomMessage["kitchen",{"textMessage":"21.5 C"}] -)");
  const value_map reading{{"temp", value(21)}};
  EXPECT_EQ(decoded(send_of(cbor::write(reading))), R"(roomMessage["kitchen",{"temp":21}] cbor)");
  EXPECT_TRUE(decoded(send_of("{\"temp\":")).starts_with("badArgument[0,"));
}

TEST(request_decoder, a_text_does_not_pass_for_json) {
  EXPECT_EQ(decoded(send_of("[warning] hot")), R"(roomMessage["kitchen",{"textMessage":"[warning] hot"}] -)");
}

TEST(request_decoder, a_picture_does_not_pass_for_cbor) {
  const std::string outcome = decoded(send_of("\x89PNG\r\n\x1a\n\xff"));
  EXPECT_EQ(outcome, R"(roomMessage["kitchen",{"data":{"type":"Buffer","data":"iVBORw0KGgr/"}}] -)");
}

TEST(request_decoder, an_idempotency_key_goes_with_the_message) {
  pending_request request = send_of("{}");
  request.idempotency_key = "k1";
  EXPECT_EQ(decoded(request), R"(roomMessage["kitchen",{},{"idempotencyKey":"k1"}] json)");
}

TEST(request_decoder, keys_from_correlation_data) {
  EXPECT_EQ(idempotency_key_of("k1"), "k1");
  EXPECT_EQ(idempotency_key_of(""), std::nullopt);
  EXPECT_EQ(idempotency_key_of(std::string(128, 'k')), std::string(128, 'k'));
  EXPECT_EQ(idempotency_key_of(std::string(129, 'k')), std::nullopt);
  EXPECT_EQ(idempotency_key_of("\xff\x00\x0a"s), "hex:ff000a");
  EXPECT_EQ(idempotency_key_of(std::string(62, '\xff'))->size(), 128u);
  EXPECT_EQ(idempotency_key_of(std::string(63, '\xff')), std::nullopt);
}

}  // namespace
}  // namespace roombus::mqtt
