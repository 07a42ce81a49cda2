// The rows of schemas/vectors, each checked in every direction that it describes.

#include "tests/schemas/vectors.hpp"

#include <gtest/gtest.h>

#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"

namespace roombus {
namespace {

using test::from_hex;
using test::load_vectors;
using test::text_of;
using test::text_or;
using test::to_hex;

std::string transcoded(const std::string& cbor, bool has_bytes) {
  return json::write(value(std::make_shared<const encoded_map>(cbor, has_bytes)));
}

TEST(Vectors, valid_cbor_is_read_and_written) {
  for (const value& row : load_vectors("cbor_valid.json")) {
    SCOPED_TRACE(text_of(row, "name"));
    const std::string& hex = text_of(row, "hex");
    const auto v = cbor::read(from_hex(hex), {});
    if (!v) {
      ADD_FAILURE() << to_text(v.error());
      continue;
    }
    EXPECT_EQ(to_hex(cbor::write(*v)), text_or(row, "canonical", hex));
    EXPECT_EQ(json::write(*v), text_of(row, "json"));
    // the way without a tree gives the same text, from either encoding
    EXPECT_EQ(transcoded(from_hex(hex), cbor::has_bytes(*v)), text_of(row, "json"));
    EXPECT_EQ(transcoded(cbor::write(*v), cbor::has_bytes(*v)), text_of(row, "json"));
  }
}

TEST(Vectors, invalid_cbor_is_refused) {
  for (const value& row : load_vectors("cbor_invalid.json")) {
    SCOPED_TRACE(text_of(row, "name"));
    const auto v = cbor::read(from_hex(text_of(row, "hex")), {});
    if (v) {
      ADD_FAILURE() << "accepted as " << json::write(*v);
      continue;
    }
    EXPECT_EQ(test::name_of(v.error().code), text_of(row, "error")) << to_text(v.error());
  }
}

TEST(Vectors, valid_json_is_read_and_written) {
  for (const value& row : load_vectors("json_valid.json")) {
    SCOPED_TRACE(text_of(row, "name"));
    const std::string& text = text_of(row, "text");
    const auto v = json::read(text, {});
    if (!v) {
      ADD_FAILURE() << to_text(v.error());
      continue;
    }
    EXPECT_EQ(json::write(*v), text_or(row, "written", text));
    EXPECT_EQ(to_hex(cbor::write(*v)), text_of(row, "cbor"));
  }
}

TEST(Vectors, invalid_json_is_refused) {
  for (const value& row : load_vectors("json_invalid.json")) {
    SCOPED_TRACE(text_of(row, "name"));
    const bool raw = row.if_map()->find("hex") != nullptr;
    const auto v = json::read(raw ? from_hex(text_of(row, "hex")) : text_of(row, "text"), {});
    if (v) {
      ADD_FAILURE() << "accepted as " << json::write(*v);
      continue;
    }
    EXPECT_EQ(test::name_of(v.error().code), text_of(row, "error")) << to_text(v.error());
  }
}

// Every proper prefix of something valid ends too early; nothing is read beyond the end (the sanitizers watch).
TEST(Vectors, a_cut_payload_is_refused) {
  for (const value& row : load_vectors("cbor_valid.json")) {
    SCOPED_TRACE(text_of(row, "name"));
    const std::string bytes = from_hex(text_of(row, "hex"));
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      const std::vector<char> part(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));  // exact allocation
      const auto v = cbor::read(std::string_view(part.data(), part.size()), {});
      ASSERT_FALSE(v) << "prefix of " << n;
      EXPECT_EQ(v.error().code, codec_errc::truncated) << "prefix of " << n;
    }
  }
}

}  // namespace
}  // namespace roombus
