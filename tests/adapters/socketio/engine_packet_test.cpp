#include "adapters/socketio/engine_packet.hpp"

#include <gtest/gtest.h>

namespace roombus::socketio {
namespace {

using type = engine_packet_type;
constexpr std::size_t many = 100;

engine_packet text(type t, std::string data) {
  return {t, false, std::move(data)};
}
engine_packet binary(std::string data) {
  return {type::message, true, std::move(data)};
}

struct payload_case {
  const char* name;
  eio_version version;
  bool base64;
  std::string body;
  bool binary_body;
  std::vector<engine_packet> packets;
};

std::string bytes(std::initializer_list<int> list) {
  std::string out;
  for (const int b : list)
    out += static_cast<char>(b);
  return out;
}

const std::vector<payload_case> round_trips = {
    {"v4_one", eio_version::v4, false, "4hello", false, {text(type::message, "hello")}},
    {"v4_several",
     eio_version::v4,
     false,
     "4a\x1e"
     "2\x1e"
     "4",
     false,
     {text(type::message, "a"), text(type::ping, ""), text(type::message, "")}},
    {"v4_binary_is_base64",
     eio_version::v4,
     false,
     "4hello\x1e"
     "bAQIDBA==",
     false,
     {text(type::message, "hello"), binary("\x01\x02\x03\x04")}},
    {"v4_empty_binary", eio_version::v4, false, "b", false, {binary("")}},
    {"v3_one", eio_version::v3, true, "6:4hello", false, {text(type::message, "hello")}},
    {"v3_several", eio_version::v3, true, "2:4a1:2", false, {text(type::message, "a"), text(type::ping, "")}},
    {"v3_length_counts_utf16_units",
     eio_version::v3,
     true,
     "4:4€😀1:3",
     false,
     {text(type::message, "€😀"), text(type::pong, "")}},
    {"v3_base64",
     eio_version::v3,
     true,
     "6:4hello10:b4AQIDBA==",
     false,
     {text(type::message, "hello"), binary("\x01\x02\x03\x04")}},
    {"v3_binary_body",
     eio_version::v3,
     false,
     bytes({0, 6, 255, 52, 104, 101, 108, 108, 111, 1, 5, 255, 4, 1, 2, 3, 4}),
     true,
     {text(type::message, "hello"), binary("\x01\x02\x03\x04")}},
    {"v3_binary_body_counts_bytes",
     eio_version::v3,
     false,
     bytes({0, 4, 255}) + "4€" + bytes({1, 1, 2, 255, 4}) + std::string(11, 'x'),
     true,
     {text(type::message, "€"), binary(std::string(11, 'x'))}},
    {"v3_without_binary_stays_text", eio_version::v3, false, "2:4a", false, {text(type::message, "a")}},
};

http::shared_frame frame_of(eio_version version, const engine_packet& packet) {
  if (packet.binary) return make_binary_message(version, packet.data);
  return make_control_frame(packet.type, packet.data);
}

TEST(engine_payload, reads_and_writes) {
  for (const auto& c : round_trips) {
    SCOPED_TRACE(c.name);
    const auto read = read_engine_payload(c.version, c.body, c.binary_body, many);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, c.packets);
    std::vector<http::shared_frame> frames;
    for (const auto& packet : c.packets)
      frames.push_back(frame_of(c.version, packet));
    const auto written = write_engine_payload(c.version, c.base64, frames);
    EXPECT_EQ(written.body, c.body);
    EXPECT_EQ(written.binary, c.binary_body);
  }
}

struct bad_payload {
  const char* name;
  eio_version version;
  std::string body;
  bool binary_body = false;
};

const std::vector<bad_payload> bad_payloads = {
    {"v4_empty", eio_version::v4, ""},
    {"v4_no_type", eio_version::v4, "abc"},
    {"v4_type_too_high", eio_version::v4, "7"},
    {"v4_empty_packet_at_end", eio_version::v4, "4a\x1e"},
    {"v4_empty_packet_between", eio_version::v4,
     "4a\x1e\x1e"
     "4b"},
    {"v4_bad_base64", eio_version::v4, "bAQ"},
    {"v4_bad_utf8", eio_version::v4, "4\xFF"},
    {"v4_binary_body", eio_version::v4, "4hello", true},
    {"v3_empty", eio_version::v3, ""},
    {"v3_no_length", eio_version::v3, "abc"},
    {"v3_no_digits", eio_version::v3, ":4a"},
    {"v3_negative", eio_version::v3, "-1:4a"},
    {"v3_blank_before_length", eio_version::v3, " 2:4a"},
    {"v3_cut_off", eio_version::v3, "3:4a"},
    {"v3_length_zero", eio_version::v3, "0:"},
    {"v3_left_over", eio_version::v3, "2:4ab"},
    {"v3_endless_length", eio_version::v3, std::string(1000, '1') + ":4a"},
    {"v3_cuts_a_character", eio_version::v3, "2:4😀"},
    {"v3_base64_of_another_type", eio_version::v3, "6:b2AQI="},
    {"v3_base64_without_type", eio_version::v3, "1:b"},
    {"v3_bad_utf8", eio_version::v3, "2:4\xC3"},
    {"v3_binary_unknown_form", eio_version::v3, bytes({2, 1, 255, 52}), true},
    {"v3_binary_no_digits", eio_version::v3, bytes({0, 255, 52}), true},
    {"v3_binary_no_end_of_length", eio_version::v3, bytes({0, 1}), true},
    {"v3_binary_bad_digit", eio_version::v3, bytes({0, 10, 255, 52}), true},
    {"v3_binary_endless_length", eio_version::v3, std::string(1, '\0') + std::string(50, '\1'), true},
    {"v3_binary_cut_off", eio_version::v3, bytes({0, 3, 255, 52}), true},
    {"v3_binary_other_type", eio_version::v3, bytes({1, 1, 255, 2}), true},
    {"v3_binary_length_zero", eio_version::v3, bytes({1, 0, 255}), true},
};

TEST(engine_payload, refuses_what_is_malformed) {
  for (const auto& c : bad_payloads) {
    SCOPED_TRACE(c.name);
    EXPECT_FALSE(read_engine_payload(c.version, c.body, c.binary_body, many).has_value());
  }
}

TEST(engine_payload, refuses_more_packets_than_allowed) {
  EXPECT_TRUE(read_engine_payload(eio_version::v4,
                                  "4\x1e"
                                  "4",
                                  false, 2)
                  .has_value());
  EXPECT_FALSE(read_engine_payload(eio_version::v4,
                                   "4\x1e"
                                   "4\x1e"
                                   "4",
                                   false, 2)
                   .has_value());
  EXPECT_FALSE(read_engine_payload(eio_version::v3, "1:41:41:4", false, 2).has_value());
}

TEST(engine_frame, reads_each_kind) {
  std::string scratch;
  const auto plain = read_engine_frame(eio_version::v4, http::frame_kind::text, "4hi", scratch);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->data, "hi");
  EXPECT_FALSE(plain->binary);
  const auto raw = read_engine_frame(eio_version::v4, http::frame_kind::binary, "", scratch);
  ASSERT_TRUE(raw);
  EXPECT_TRUE(raw->binary);
  const auto prefixed = read_engine_frame(eio_version::v3, http::frame_kind::binary, "\x04\x01", scratch);
  ASSERT_TRUE(prefixed);
  EXPECT_EQ(prefixed->data, "\x01");
  const auto base64 = read_engine_frame(eio_version::v3, http::frame_kind::text, "b4AQ==", scratch);
  ASSERT_TRUE(base64);
  EXPECT_TRUE(base64->binary);
  EXPECT_EQ(base64->data, "\x01");
  EXPECT_FALSE(read_engine_frame(eio_version::v3, http::frame_kind::binary, "", scratch));
  EXPECT_FALSE(read_engine_frame(eio_version::v3, http::frame_kind::binary, "\x01x", scratch));
  EXPECT_FALSE(read_engine_frame(eio_version::v4, http::frame_kind::text, "", scratch));
  EXPECT_FALSE(read_engine_frame(eio_version::v4, http::frame_kind::text, "x", scratch));
}

TEST(engine_frame, binary_of_clients_without_it_becomes_base64) {
  const auto frame = to_base64_frame(*make_binary_message(eio_version::v3, "\x01"));
  EXPECT_EQ(frame->kind(), http::frame_kind::text);
  EXPECT_EQ(frame->payload(), "b4AQ==");
}

}  // namespace
}  // namespace roombus::socketio
