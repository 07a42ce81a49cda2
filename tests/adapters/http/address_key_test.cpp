#include "adapters/http/address_key.hpp"

#include <gtest/gtest.h>

namespace roombus::http {
namespace {

TEST(address_key_test, an_ipv6_customer_is_one_address) {
  EXPECT_EQ(address_key("2001:db8:1:2::1"), address_key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  EXPECT_NE(address_key("2001:db8:1:2::1"), address_key("2001:db8:1:3::1"));
  EXPECT_EQ(address_key("fe80::1%eth0"), address_key("fe80::2"));
}

TEST(address_key_test, an_ipv4_address_is_itself_in_either_form) {
  EXPECT_NE(address_key("192.0.2.1"), address_key("192.0.2.2"));
  EXPECT_EQ(address_key("192.0.2.1"), address_key("::ffff:192.0.2.1"));
  EXPECT_NE(address_key("127.0.0.1"), address_key("::1"));
}

TEST(address_key_test, what_is_no_address_has_one_key) {
  EXPECT_EQ(address_key("nonsense"), address_key(""));
  EXPECT_NE(address_key("nonsense"), address_key("::"));
}

}  // namespace
}  // namespace roombus::http
