#include "adapters/auth/failure_limit.hpp"

#include <gtest/gtest.h>

namespace roombus::auth {
namespace {

TEST(failure_limit, blocks_an_address_until_its_window_is_over) {
  failure_limit limit(3, 1000);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(limit.is_blocked("10.0.0.1", 100 + i));
    limit.add_failure("10.0.0.1", 100 + i);
  }
  EXPECT_TRUE(limit.is_blocked("10.0.0.1", 103));
  EXPECT_TRUE(limit.is_blocked("::ffff:10.0.0.1", 103)) << "the same address in another spelling";
  EXPECT_TRUE(limit.is_blocked("10.0.0.1", 1099));
  EXPECT_FALSE(limit.is_blocked("10.0.0.1", 1100));
  EXPECT_FALSE(limit.is_blocked("10.0.0.2", 103));
  limit.add_failure("10.0.0.1", 1100);
  EXPECT_FALSE(limit.is_blocked("10.0.0.1", 1100)) << "a new window counts anew";
}

TEST(failure_limit, counts_an_ipv6_network_as_one) {
  failure_limit limit(1, 1000);
  limit.add_failure("fd00:1:2:3::1", 0);
  EXPECT_TRUE(limit.is_blocked("fd00:1:2:3:ffff::9", 0));
  EXPECT_FALSE(limit.is_blocked("fd00:1:2:4::1", 0));
}

TEST(failure_limit, is_bounded_and_lets_the_oldest_go) {
  failure_limit limit(1, 1000, 3);
  for (int i = 0; i < 100; ++i)
    limit.add_failure("10.0.0." + std::to_string(i), i);
  EXPECT_EQ(limit.size(), 3U);
  EXPECT_TRUE(limit.is_blocked("10.0.0.99", 100));
  EXPECT_FALSE(limit.is_blocked("10.0.0.1", 100));
  limit.add_failure("10.1.0.1", 5000);
  EXPECT_EQ(limit.size(), 1U) << "windows that are over go first";
}

}  // namespace
}  // namespace roombus::auth
