// Random values through all codecs: what comes back is what went in, and two ways to one format agree.

#include <gtest/gtest.h>

#include <cmath>

#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"
#include "tests/schemas/random_value.hpp"
#include "tests/schemas/vectors.hpp"

namespace roombus {
namespace {

constexpr int rounds = 20'000;

TEST(Differential, every_value_comes_back) {
  for (std::uint64_t seed = 0; seed < rounds; ++seed) {
    const value v = test::random_values(seed).any(4);
    const std::string cbor = cbor::write(v);
    const auto from_cbor = cbor::read(cbor, {});
    ASSERT_TRUE(from_cbor) << "seed " << seed << ": " << to_text(from_cbor.error());
    ASSERT_EQ(*from_cbor, v) << "seed " << seed;
    ASSERT_EQ(cbor::write(*from_cbor), cbor) << "seed " << seed;  // also what == does not see, as −0

    const std::string json = json::write(v);
    const auto from_json = json::read(json, {});
    ASSERT_TRUE(from_json) << "seed " << seed << ": " << to_text(from_json.error());
    ASSERT_EQ(*from_json, v) << "seed " << seed << ": " << json;
    ASSERT_EQ(json::write(*from_json), json) << "seed " << seed;
    ASSERT_EQ(test::to_hex(cbor::write(*from_json)), test::to_hex(cbor)) << "seed " << seed << ": " << json;
  }
}

TEST(Differential, transcoding_equals_decoding_and_writing) {
  for (std::uint64_t seed = 0; seed < rounds; ++seed) {
    const value_map map = test::random_values(seed).map(4);
    const bool has_bytes = cbor::has_bytes(value(map));
    const value stored(std::make_shared<const encoded_map>(cbor::write(map), has_bytes));
    ASSERT_EQ(json::write(stored), json::write(value(map))) << "seed " << seed;

    std::vector<shared_buffer> fresh_attachments;
    std::string fresh;
    json::write_socketio(fresh, value(map), fresh_attachments);
    std::vector<shared_buffer> attachments;
    std::string out;
    json::write_socketio(out, stored, attachments);
    ASSERT_EQ(out, fresh) << "seed " << seed;
    ASSERT_EQ(attachments.empty(), !has_bytes) << "seed " << seed;
    ASSERT_EQ(attachments.size(), fresh_attachments.size()) << "seed " << seed;
    for (std::size_t i = 0; i < attachments.size(); ++i)
      ASSERT_EQ(*attachments[i], *fresh_attachments[i]);
  }
}

/// One random change to valid bytes: whatever is still accepted must be kept by writing and reading it again.
template <class Read, class Write>
void mutate(Read read, Write write) {
  int accepted = 0;
  for (std::uint64_t seed = 0; seed < rounds; ++seed) {
    std::mt19937_64 random(seed);
    std::string bytes = write(test::random_values(seed).any(3));
    for (std::uint64_t n = random() % 3 + 1; n > 0; --n) {
      const std::size_t at = random() % bytes.size();
      bytes[at] = static_cast<char>(random() % 2 == 0 ? random() : bytes[random() % bytes.size()]);
    }
    const auto v = read(bytes);
    if (!v) continue;
    ++accepted;
    const auto again = read(write(*v));
    ASSERT_TRUE(again) << "seed " << seed << ": " << to_text(again.error());
    ASSERT_EQ(write(*again), write(*v)) << "seed " << seed;
  }
  EXPECT_GT(accepted, rounds / 100) << "the changes leave nothing to compare";
  EXPECT_LT(accepted, rounds);
}

TEST(Differential, changed_cbor_is_refused_or_kept) {
  mutate([](const std::string& s) { return cbor::read(s, {}); }, [](const value& v) { return cbor::write(v); });
}

TEST(Differential, changed_json_is_refused_or_kept) {
  mutate([](const std::string& s) { return json::read(s, {}); }, [](const value& v) { return json::write(v); });
}

}  // namespace
}  // namespace roombus
