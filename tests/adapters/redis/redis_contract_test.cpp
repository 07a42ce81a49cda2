#include <memory>

#include "tests/adapters/redis/log_keepers.hpp"

namespace roombus::test {

namespace {

// one Redis and one cluster for all tests of the process; each test has keys of its own

redis_process& one_redis() {
  static redis_process server;
  return server;
}

std::unique_ptr<store_driver> on_one_redis() {
  return std::make_unique<redis_driver>(one_redis().url());
}

std::unique_ptr<store_driver> with_logs() {
  return std::make_unique<logging_driver>(one_redis().url());
}

redis_cluster_processes& one_cluster() {
  static redis_cluster_processes cluster(3);
  return cluster;
}

std::unique_ptr<store_driver> on_a_cluster() {
  return std::make_unique<redis_driver>(one_cluster().urls(), true);
}

std::unique_ptr<store_driver> with_logs_on_a_cluster() {
  return std::make_unique<logging_driver>(one_cluster().urls(), true);
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
                                           store_kind{"replicated", with_a_replica}, store_kind{"logged", with_logs},
                                           store_kind{"logged_cluster", with_logs_on_a_cluster}),
                         driver_name);

}  // namespace roombus::test
