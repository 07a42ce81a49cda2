#include "adapters/auth/base64url.hpp"

#include <gtest/gtest.h>

namespace roombus::auth {
namespace {

TEST(base64url, is_without_padding_and_with_its_own_two_digits) {
  struct row {
    std::string bytes;
    const char* text;
  };
  for (const row& r : {row{"", ""}, row{"f", "Zg"}, row{"fo", "Zm8"}, row{"foo", "Zm9v"}, row{"\xfb\xff", "-_8"},
                       row{std::string(1, '\0'), "AA"}}) {
    EXPECT_EQ(encode_base64url(r.bytes), r.text);
    EXPECT_EQ(decode_base64url(r.text), r.bytes) << r.text;
  }
}

TEST(base64url, has_one_spelling_for_each_value) {
  for (const char* text : {"Zg==", "Zg=", "Zh", "Zm9", "Z", "+/8", "-/8", "Zm 8", "Zm8\n", "Zm8=", "=", "Zm9v=", "Zg.",
                           "Zm9vZ", "\xc3\xa9g"}) {
    EXPECT_FALSE(decode_base64url(text)) << text;
  }
  EXPECT_FALSE(decode_base64url(std::string_view("Zg\0", 3)));
}

TEST(base64url, bare_base64_is_the_other_alphabet) {
  EXPECT_EQ(encode_bare_base64("\xfb\xff"), "+/8");
  EXPECT_EQ(decode_bare_base64("+/8"), "\xfb\xff");
  EXPECT_FALSE(decode_bare_base64("-_8"));
  EXPECT_FALSE(decode_bare_base64("+/8="));
}

}  // namespace
}  // namespace roombus::auth
