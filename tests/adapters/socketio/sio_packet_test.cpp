#include "adapters/socketio/sio_packet.hpp"

#include <gtest/gtest.h>

#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::socketio {
namespace {

using type = sio_packet_type;

sio_decoder make_decoder() {
  sio_limits limits;
  limits.max_attachments = 4;
  limits.max_attachment_bytes = 100;
  return sio_decoder(limits);
}

struct text_case {
  const char* name;
  const char* text;
  type kind;
  const char* nsp;
  std::optional<std::uint64_t> id;
  const char* data;
};

const std::vector<text_case> text_cases = {
    {"connect", "0", type::connect, "/", {}, "null"},
    {"connect_with_auth", R"(0{"a":1})", type::connect, "/", {}, R"({"a":1})"},
    {"connect_nsp", "0/x", type::connect, "/x", {}, "null"},
    {"connect_nsp_comma", "0/x,", type::connect, "/x", {}, "null"},
    {"connect_nsp_auth", R"(0/x,{"a":1})", type::connect, "/x", {}, R"({"a":1})"},
    {"disconnect", "1/x,", type::disconnect, "/x", {}, "null"},
    {"event", R"(2["a",1])", type::event, "/", {}, R"(["a",1])"},
    {"event_number_name", "2[1]", type::event, "/", {}, "[1]"},
    {"event_with_ack", R"(212["a"])", type::event, "/", 12, R"(["a"])"},
    {"event_nsp_ack", R"(2/x,0["a"])", type::event, "/x", 0, R"(["a"])"},
    {"placeholder_in_plain_event_is_data",
     R"(2["a",{"_placeholder":true,"num":0}])",
     type::event,
     "/",
     {},
     R"(["a",{"_placeholder":true,"num":0}])"},
    {"ack", "37[]", type::ack, "/", 7, "[]"},
    {"binary_event_without_attachments", R"(50-["a"])", type::event, "/", {}, R"(["a"])"},
};

TEST(sio_decoder, reads_text_packets) {
  for (const auto& c : text_cases) {
    SCOPED_TRACE(c.name);
    auto decoder = make_decoder();
    const auto outcome = decoder.on_text(c.text);
    const auto* packet = std::get_if<sio_packet>(&outcome);
    ASSERT_NE(packet, nullptr);
    EXPECT_EQ(packet->type, c.kind);
    EXPECT_EQ(packet->nsp, c.nsp);
    EXPECT_EQ(packet->id, c.id);
    EXPECT_EQ(json::write(packet->data), c.data);
  }
}

TEST(sio_decoder, takes_the_query_off_the_namespace) {
  auto decoder = make_decoder();
  const auto outcome = decoder.on_text("0/x?a=1&b=/2,");
  const auto* packet = std::get_if<sio_packet>(&outcome);
  ASSERT_NE(packet, nullptr);
  EXPECT_EQ(packet->nsp, "/x");
  EXPECT_EQ(packet->nsp_query, "a=1&b=/2");
}

struct fault_case {
  const char* name;
  std::string text;
  sio_fault fault;
};

const std::vector<fault_case> fault_cases = {
    {"empty", "", sio_fault::malformed},
    {"unknown_type", "abc", sio_fault::malformed},
    {"type_7", "7", sio_fault::malformed},
    {"connect_with_list", "0[]", sio_fault::malformed},
    {"connect_with_text", "0\"x\"", sio_fault::malformed},
    {"disconnect_with_data", "1{}", sio_fault::malformed},
    {"event_without_data", "2", sio_fault::malformed},
    {"event_object", "2{}", sio_fault::malformed},
    {"event_empty", "2[]", sio_fault::malformed},
    {"event_object_name", "2[{}]", sio_fault::malformed},
    {"event_null_name", "2[null]", sio_fault::malformed},
    {"event_cut_off", "2[\"a\"", sio_fault::malformed},
    {"event_rubbish_behind", "2[\"a\"]x", sio_fault::malformed},
    {"ack_without_id", "3[]", sio_fault::malformed},
    {"ack_object", "31{}", sio_fault::malformed},
    {"ack_id_text", "2abc[\"a\"]", sio_fault::malformed},
    {"ack_id_above_2_53", "29007199254740992[\"a\"]", sio_fault::malformed},
    {"ack_id_overflow", "2" + std::string(40, '9') + "[\"a\"]", sio_fault::malformed},
    {"connect_error", "4{}", sio_fault::malformed},
    {"no_attachment_count", "5-[\"a\"]", sio_fault::malformed},
    {"no_dash", "51[\"a\"]", sio_fault::malformed},
    {"too_many_attachments", "55-[\"a\"]", sio_fault::attachments},
    {"attachment_overflow", "5" + std::string(40, '9') + "-[\"a\"]", sio_fault::malformed},
    {"reserved", "2[\"disconnect\"]", sio_fault::reserved},
    {"reserved_binary", "51-[\"connect\"]", sio_fault::reserved},
    {"placeholder_but_no_attachments", R"(50-["a",{"_placeholder":true,"num":0}])", sio_fault::attachments},
    {"endless_namespace", "2/" + std::string(1000, 'x') + ",[\"a\"]", sio_fault::malformed},
    {"deep", "2" + std::string(1000, '['), sio_fault::malformed},
    {"lone_surrogate", R"(2["\ud800"])", sio_fault::malformed},
};

TEST(sio_decoder, refuses_what_is_malformed) {
  for (const auto& c : fault_cases) {
    SCOPED_TRACE(c.name);
    auto decoder = make_decoder();
    const auto outcome = decoder.on_text(c.text);
    const auto* fault = std::get_if<sio_fault>(&outcome);
    ASSERT_NE(fault, nullptr);
    EXPECT_EQ(*fault, c.fault);
  }
}

TEST(sio_decoder, puts_attachments_in_their_places) {
  auto decoder = make_decoder();
  EXPECT_TRUE(std::holds_alternative<std::monostate>(
      decoder.on_text(R"(52-/x,9["a",{"p":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":0}])")));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(decoder.on_binary("zero")));
  const auto outcome = decoder.on_binary("one");
  const auto* packet = std::get_if<sio_packet>(&outcome);
  ASSERT_NE(packet, nullptr);
  EXPECT_EQ(packet->type, type::event);
  EXPECT_EQ(packet->nsp, "/x");
  EXPECT_EQ(packet->id, 9U);
  const value expected(
      value_list{value("a"), value(value_map{{"p", value(byte_string{"one"})}}), value(byte_string{"zero"})});
  EXPECT_EQ(packet->data, expected);
  EXPECT_TRUE(std::holds_alternative<sio_packet>(decoder.on_text("2[\"next\"]")));
}

struct attachment_fault {
  const char* name;
  const char* text;
  std::vector<std::string> attachments;
};

const std::vector<attachment_fault> attachment_faults = {
    {"index_out_of_range", R"(51-["a",{"_placeholder":true,"num":1}])", {"x"}},
    {"index_negative", R"(51-["a",{"_placeholder":true,"num":-1}])", {"x"}},
    {"index_fraction", R"(51-["a",{"_placeholder":true,"num":0.5}])", {"x"}},
    {"index_text", R"(51-["a",{"_placeholder":true,"num":"0"}])", {"x"}},
    {"index_missing", R"(51-["a",{"_placeholder":true}])", {"x"}},
    {"more_keys", R"(51-["a",{"_placeholder":true,"num":0,"x":1}])", {"x"}},
    {"too_large", R"(52-["a"])", {std::string(60, 'x'), std::string(60, 'x')}},
    {"copies_too_large",
     R"(51-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}])",
     {std::string(60, 'x')}},
};

TEST(sio_decoder, refuses_wrong_attachments) {
  for (const auto& c : attachment_faults) {
    SCOPED_TRACE(c.name);
    auto decoder = make_decoder();
    auto outcome = decoder.on_text(c.text);
    for (const auto& data : c.attachments)
      outcome = decoder.on_binary(data);
    const auto* fault = std::get_if<sio_fault>(&outcome);
    ASSERT_NE(fault, nullptr);
    EXPECT_EQ(*fault, sio_fault::attachments);
  }
}

TEST(sio_decoder, refuses_stray_binary_and_text_in_between) {
  auto stray = make_decoder();
  EXPECT_TRUE(std::holds_alternative<sio_fault>(stray.on_binary("x")));
  auto between = make_decoder();
  EXPECT_TRUE(std::holds_alternative<std::monostate>(between.on_text(R"(51-["a"])")));
  EXPECT_TRUE(std::holds_alternative<sio_fault>(between.on_text("2[\"b\"]")));
}

TEST(sio_encoder, writes_packets) {
  EXPECT_EQ(encode_event("/", "a", {}).text, R"(2["a"])");
  EXPECT_EQ(encode_event("/x", "a", {value(1), value("ü\"")}).text, R"(2/x,["a",1,"ü\""])");
  EXPECT_EQ(encode_event("/x", "a", {}, 5).text, R"(2/x,5["a"])");
  EXPECT_EQ(encode_ack("/x", 5, {value(nullptr), value(nullptr)}).text, "3/x,5[null,null]");
  EXPECT_EQ(encode_ack("/", 0, {}).text, "30[]");
  EXPECT_EQ(encode_plain(type::disconnect, "/x", "").text, "1/x,");
  EXPECT_EQ(encode_plain(type::connect_error, "/random", R"({"message":"Invalid namespace"})").text,
            R"(4/random,{"message":"Invalid namespace"})");
}

TEST(sio_encoder, turns_bytes_into_attachments) {
  const auto packet =
      encode_event("/x", "a", {value(byte_string{"one"}), value(value_list{value(byte_string{"two"})})}, 3);
  EXPECT_EQ(packet.text, R"(52-/x,3["a",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]])");
  ASSERT_EQ(packet.attachments.size(), 2U);
  EXPECT_EQ(*packet.attachments[1], "two");
  const auto v3 = to_frames(eio_version::v3, packet);
  ASSERT_EQ(v3.size(), 3U);
  EXPECT_EQ(v3[0]->payload().front(), '4');
  EXPECT_EQ(v3[1]->payload(), "\x04one");
  EXPECT_EQ(to_frames(eio_version::v4, packet)[1]->payload(), "one");
  EXPECT_EQ(encode_ack("/", 1, {value(byte_string{""})}).text, R"(61-1[{"_placeholder":true,"num":0}])");
}

// A receiver would take such a map for an attachment, or drop its connection over it.
TEST(sio_encoder, maps_that_pose_as_placeholders_are_disarmed_beside_attachments) {
  const value liar(value_map{{"_placeholder", value(true)}, {"num", value(99)}});
  EXPECT_EQ(encode_event("/", "a", {liar}).text, R"(2["a",{"_placeholder":true,"num":99}])");
  const value_map message{{"lie", liar}, {"picture", value(byte_string{"x"})}};
  const std::string expected =
      R"(51-["a",{"lie":{"_placeholder":1,"num":99},"picture":{"_placeholder":true,"num":0}}])";
  EXPECT_EQ(encode_event("/", "a", {value(message)}).text, expected);
  const auto stored = std::make_shared<const encoded_map>(cbor::write(message), true);
  const auto packet = encode_event("/", "a", {value(stored)});
  EXPECT_EQ(packet.text, expected);
  EXPECT_EQ(packet.attachments.size(), 1U);
  const value quoted(std::string(R"("_placeholder":true)"));
  EXPECT_EQ(encode_event("/", "a", {quoted, value(byte_string{"x"})}).text,
            R"(51-["a","\"_placeholder\":true",{"_placeholder":true,"num":0}])");
}

TEST(sio_codec, round_trip) {
  const value_list args{value("text"), value(byte_string{std::string("\0\xFF", 2)}), value(1.5), value(nullptr)};
  const auto packet = encode_event("/x", "a", args, 1);
  auto decoder = make_decoder();
  auto outcome = decoder.on_text(packet.text);
  for (const auto& attachment : packet.attachments)
    outcome = decoder.on_binary(*attachment);
  const auto* back = std::get_if<sio_packet>(&outcome);
  ASSERT_NE(back, nullptr);
  value_list expected{value("a")};
  expected.insert(expected.end(), args.begin(), args.end());
  EXPECT_EQ(back->data, value(expected));
}

TEST(sio_decoder, holds_little_for_strangers) {
  sio_limits limits;
  limits.max_held_unknown = 100;
  for (const bool known : {false, true}) {
    SCOPED_TRACE(known);
    sio_decoder decoder(limits);
    decoder.set_known(known);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(decoder.on_text(R"(52-["a"])")));
    EXPECT_TRUE(std::holds_alternative<std::monostate>(decoder.on_binary(std::string(60, 'x'))));
    EXPECT_EQ(std::holds_alternative<sio_fault>(decoder.on_binary(std::string(60, 'x'))), !known);
    sio_decoder large(limits);
    large.set_known(known);
    EXPECT_EQ(std::holds_alternative<sio_fault>(large.on_text("51-[\"" + std::string(100, 'a') + "\"]")), !known);
  }
}

TEST(sio_decoder, a_connect_is_short) {
  sio_limits limits;
  limits.max_connect_bytes = 100;
  limits.max_connect_items = 10;
  sio_decoder decoder(limits);
  decoder.set_known(true);
  EXPECT_TRUE(std::holds_alternative<sio_packet>(decoder.on_text("0{\"token\":\"" + std::string(80, 'a') + "\"}")));
  EXPECT_TRUE(std::holds_alternative<sio_fault>(decoder.on_text("0{\"token\":\"" + std::string(90, 'a') + "\"}")));
  EXPECT_TRUE(std::holds_alternative<sio_fault>(decoder.on_text("0/chat?" + std::string(100, 'a') + ",")));
  EXPECT_TRUE(std::holds_alternative<sio_fault>(decoder.on_text("0{\"a\":[1,2,3,4,5,6,7,8,9,10]}")));
  EXPECT_TRUE(std::holds_alternative<sio_packet>(decoder.on_text("2[\"a\",1,2,3,4,5,6,7,8,9,10]"))) << "others are not";
}

}  // namespace
}  // namespace roombus::socketio
