#include "adapters/hooks/hook_url.hpp"

#include <gtest/gtest.h>

#include "adapters/hooks/hook_signature.hpp"

namespace roombus::hooks {
namespace {

TEST(hook_url_test, parts) {
  struct row {
    const char* text;
    const char* host;
    std::uint16_t port;
    const char* path;
    const char* authority;
  };
  for (const row& r : {row{"http://127.0.0.1:9000/hooks", "127.0.0.1", 9000, "/hooks", "127.0.0.1:9000"},
                       row{"http://hooks.example/", "hooks.example", 80, "", "hooks.example:80"},
                       row{"https://hooks.example/a", "hooks.example", 443, "/a", "hooks.example:443"},
                       row{"https://[::1]:8", "::1", 8, "", "[::1]:8"}, row{"http://h", "h", 80, "", "h:80"},
                       row{"http://[::1]:8/a/b/", "::1", 8, "/a/b", "[::1]:8"}}) {
    const auto url = hook_url::parse(r.text);
    ASSERT_TRUE(url) << r.text;
    EXPECT_EQ(url->host, r.host);
    EXPECT_EQ(url->port, r.port);
    EXPECT_EQ(url->path, r.path);
    EXPECT_EQ(url->tls, std::string_view(r.text).starts_with("https:"));
    EXPECT_EQ(url->authority(), r.authority);
  }
}

TEST(hook_url_test, refused) {
  for (const char* text : {"",
                           "http://",
                           "https://",
                           "httpss://h",
                           "h:80",
                           "http://:80",
                           "http://h:",
                           "http://h:0",
                           "http://h:65536",
                           "http://h:8x",
                           "http://u:p@h/",
                           "http://h/?a",
                           "http://h/#a",
                           "http://h/a b",
                           "http://h/a\r\nX: y",
                           "http://[::1",
                           "http://[]",
                           "http://[h]",
                           "ftp://h",
                           "http://h\r\n"}) {
    EXPECT_FALSE(hook_url::parse(text)) << text;
  }
}

TEST(hook_signature_test, is_what_others_compute) {
  // printf '1700000000000.{"hook":"onJoin"}' | openssl dgst -sha256 -hmac secret
  EXPECT_EQ(hook_signature("secret", "1700000000000", R"({"hook":"onJoin"})"),
            "sha256=2bd795b4ec70f06bd8a31af9fbc22e99eeb6512c5591096baa64b89bc43771f6");
}

}  // namespace
}  // namespace roombus::hooks
