#include "bridge/server/descriptor_limit.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

namespace roombus::server {
namespace {

TEST(descriptor_limit_test, where_there_are_enough_nothing_changes) {
  config settings;
  EXPECT_EQ(fit_connections(settings, std::nullopt), "");
  EXPECT_FALSE(settings.within_descriptors);
  EXPECT_EQ(fit_connections(settings, 1'048'576), "");
  EXPECT_FALSE(settings.within_descriptors);
}

TEST(descriptor_limit_test, connections_leave_some_for_the_rest) {
  config settings;
  const std::string warning = fit_connections(settings, 1024);
  ASSERT_TRUE(settings.within_descriptors);
  EXPECT_EQ(settings.within_descriptors->admin, 120U);
  EXPECT_EQ(settings.within_descriptors->http, 840U);
  EXPECT_EQ(warning.find("at most 840 connections of clients, not 100000 (http.max_connections)"), 0U) << warning;
}

TEST(descriptor_limit_test, what_needs_more_gets_more) {
  config settings;
  settings.store.kind = store_kind::redis;
  settings.store.cluster = true;
  settings.hooks.http.hooks = {"onConnect"};
  settings.hooks.http.max_connections = 100;
  EXPECT_NE(fit_connections(settings, 4096), "");
  EXPECT_EQ(settings.within_descriptors->http + settings.within_descriptors->admin, 4096U - 64 - 128 - 100);
}

TEST(descriptor_limit_test, operators_are_bounded_where_all_clients_fit) {
  config settings;
  settings.http.max_connections = 1'000;
  EXPECT_EQ(fit_connections(settings, 1'500), "") << "clients get what is configured";
  ASSERT_TRUE(settings.within_descriptors);
  EXPECT_EQ(settings.within_descriptors->http, 1'000U);
  EXPECT_LE(settings.within_descriptors->admin, 436U);
}

TEST(descriptor_limit_test, even_the_smallest_limit_leaves_somebody_a_connection) {
  for (std::size_t limit = 0; limit < 400; ++limit) {
    config settings;
    EXPECT_NE(fit_connections(settings, limit), "") << limit;
    EXPECT_GE(settings.within_descriptors->http, 1U) << limit;
    EXPECT_GE(settings.within_descriptors->admin, 1U) << limit;
  }
}

TEST(descriptor_limit_test, the_soft_limit_is_raised_to_the_hard_one) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = std::min<rlim_t>(before.rlim_max, 256);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto raised = raise_descriptor_limit();
  rlimit after{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  if (before.rlim_max == RLIM_INFINITY) {
    EXPECT_FALSE(raised);
  } else {
    EXPECT_EQ(raised, std::optional<std::size_t>(before.rlim_max));
  }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace roombus::server
