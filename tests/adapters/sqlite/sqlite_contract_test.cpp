#include "tests/adapters/sqlite/sqlite_driver.hpp"

namespace roombus::test {

namespace {

std::unique_ptr<store_driver> with_defaults() {
  return std::make_unique<sqlite_driver>();
}

// Caches so small that everything is read from the file again and again.
std::unique_ptr<store_driver> with_tiny_caches() {
  sqlite_options options;
  options.cache_bytes = 4;
  options.max_cached_rooms = 1;
  options.max_cached_users = 1;
  options.sync = sync_mode::normal;
  return std::make_unique<sqlite_driver>(options);
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(sqlite, store_contract,
                         ::testing::Values(store_kind{"defaults", with_defaults},
                                           store_kind{"tiny_caches", with_tiny_caches}),
                         driver_name);

}  // namespace roombus::test
