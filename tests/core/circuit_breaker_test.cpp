#include "core/circuit_breaker.hpp"

#include <gtest/gtest.h>

namespace roombus {
namespace {

/// Admits a call and lets it fail.
void fail_once(circuit_breaker& b, std::int64_t now) {
  ASSERT_TRUE(b.admit(now));
  b.failed(now);
}

TEST(circuit_breaker_test, opens_after_failures_in_a_row) {
  circuit_breaker b;
  for (int i = 0; i < 9; ++i)
    fail_once(b, 0);
  EXPECT_FALSE(b.is_open());
  ASSERT_TRUE(b.admit(0));
  EXPECT_TRUE(b.failed(0));
  EXPECT_FALSE(b.admit(0));
  EXPECT_FALSE(b.admit(999));
}

TEST(circuit_breaker_test, a_success_starts_the_count_anew) {
  circuit_breaker b;
  for (int i = 0; i < 9; ++i)
    fail_once(b, 0);
  EXPECT_FALSE(b.succeeded());
  for (int i = 0; i < 9; ++i)
    fail_once(b, 0);
  EXPECT_FALSE(b.is_open());
}

TEST(circuit_breaker_test, lets_one_probe_through_and_closes_when_it_succeeds) {
  circuit_breaker b;
  for (int i = 0; i < 10; ++i)
    fail_once(b, 0);
  EXPECT_TRUE(b.admit(1000));
  EXPECT_FALSE(b.admit(1000)) << "one probe at a time";
  EXPECT_TRUE(b.succeeded());
  EXPECT_TRUE(b.admit(1000));
  EXPECT_TRUE(b.admit(1000));
}

TEST(circuit_breaker_test, the_pause_doubles_up_to_its_bound) {
  circuit_breaker b;
  for (int i = 0; i < 10; ++i)
    fail_once(b, 0);
  std::int64_t now = 0;
  for (const std::int64_t pause : {1000, 2000, 4000, 8000, 16000, 30000, 30000}) {
    EXPECT_FALSE(b.admit(now + pause - 1)) << pause;
    now += pause;
    ASSERT_TRUE(b.admit(now)) << pause;
    EXPECT_FALSE(b.failed(now));
  }
}

TEST(circuit_breaker_test, failures_of_calls_that_were_under_way_do_not_lengthen_the_pause) {
  circuit_breaker b;
  for (int i = 0; i < 30; ++i)
    ASSERT_TRUE(b.admit(0));
  for (int i = 0; i < 30; ++i)
    b.failed(500);
  EXPECT_FALSE(b.admit(1499));
  EXPECT_TRUE(b.admit(1500));
}

TEST(circuit_breaker_test, a_probe_that_was_not_made_leaves_its_place) {
  circuit_breaker b;
  for (int i = 0; i < 10; ++i)
    fail_once(b, 0);
  ASSERT_TRUE(b.admit(1000));
  b.undecided();
  EXPECT_TRUE(b.is_open());
  EXPECT_TRUE(b.admit(1000)) << "the next one is the probe";
  EXPECT_FALSE(b.admit(1000));
}

}  // namespace
}  // namespace roombus
