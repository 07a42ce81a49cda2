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

test_authority& authority() {
  static test_authority one;
  return one;
}

redis_tls tls_of_servers() {
  return {authority().issue("IP:127.0.0.1"), authority().ca_file()};
}

redis_options trusting() {
  redis_options options;
  options.tls = net::open_tls_context({authority().ca_file(), {}, {}}).context;
  return options;
}

std::unique_ptr<store_driver> over_tls() {
  static redis_process server({}, tls_of_servers());
  return std::make_unique<redis_driver>(server.url(), false, trusting());
}

std::unique_ptr<store_driver> on_a_cluster_over_tls() {
  static redis_cluster_processes cluster(3, false, tls_of_servers());
  return std::make_unique<redis_driver>(cluster.urls(), true, trusting());
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
                                           store_kind{"logged_cluster", with_logs_on_a_cluster},
                                           store_kind{"tls", over_tls},
                                           store_kind{"tls_cluster", on_a_cluster_over_tls}),
                         driver_name);

}  // namespace roombus::test
