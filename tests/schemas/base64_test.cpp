#include "schemas/codec/base64.hpp"

#include <gtest/gtest.h>

namespace roombus {
namespace {

TEST(Base64, examples_of_rfc_4648) {
  const struct {
    std::string_view bytes;
    std::string_view text;
  } rows[] = {{"", ""},
              {"f", "Zg=="},
              {"fo", "Zm8="},
              {"foo", "Zm9v"},
              {"foob", "Zm9vYg=="},
              {"fooba", "Zm9vYmE="},
              {"foobar", "Zm9vYmFy"},
              {"\xff\xfe\xfd", "//79"}};
  for (const auto& row : rows) {
    std::string out = ">";
    append_base64(out, row.bytes);
    EXPECT_EQ(out, ">" + std::string(row.text));
    EXPECT_EQ(decode_base64(row.text), row.bytes);
  }
}

TEST(Base64, every_length_and_byte_comes_back) {
  std::string bytes;
  for (int i = 0; i < 600; ++i) {
    std::string text;
    append_base64(text, bytes);
    EXPECT_EQ(text.size(), (bytes.size() + 2) / 3 * 4);
    ASSERT_EQ(decode_base64(text), bytes) << "length " << i;
    bytes.push_back(static_cast<char>(i * 7 + i / 256));
  }
}

TEST(Base64, anything_but_the_one_right_text_is_refused) {
  for (const char* text : {"A", "AA", "AAA", "AAAAA", "Zg=", "Zg", "Zh==", "Zm9=", "====", "A===", "=AAA",
                           "Z=g=", "Zg==Zg==", "Zm 9", "Zm9\n", "-_-_", "Zm9\xc3", "Zg==\n"}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace roombus
