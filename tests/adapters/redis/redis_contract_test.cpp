#include <memory>

#include "tests/adapters/redis/redis_driver.hpp"

namespace roombus::test {

namespace {

// one Redis and one cluster for all tests of the process; each test has keys of its own

std::unique_ptr<store_driver> on_one_redis() {
  static redis_process server;
  return std::make_unique<redis_driver>(server.url());
}

std::unique_ptr<store_driver> on_a_cluster() {
  static redis_cluster_processes cluster(3);
  return std::make_unique<redis_driver>(cluster.urls(), true);
}

std::unique_ptr<store_driver> with_a_replica() {
  static redis_process master;
  static redis_process replica({"--replicaof", "127.0.0.1 " + std::to_string(master.port())});
  static const bool follows = replica.follows();
  EXPECT_TRUE(follows);
  redis_options options;
  options.replicas = true;
  return std::make_unique<redis_driver>(master.url(), false, options);
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(redis, store_contract,
                         ::testing::Values(store_kind{"redis", on_one_redis}, store_kind{"cluster", on_a_cluster},
                                           store_kind{"replicated", with_a_replica}),
                         driver_name);

}  // namespace roombus::test
