#pragma once

#include <memory>
#include <string>
#include <utility>

#include "adapters/sqlite/sqlite_store.hpp"
#include "tests/contract/posting_scheduler.hpp"
#include "tests/contract/store_contract.hpp"
#include "tests/support/live_loop.hpp"
#include "tests/support/temp_folder.hpp"

namespace roombus::test {

/// A SQLite store on a file of its own, which can be closed and opened again.
class sqlite_driver final : public store_driver {
 public:
  explicit sqlite_driver(sqlite_options given = {}) : options(std::move(given)) {
    time.wall = 1;  // a store that never was in use has nothing to end, whatever the time
    options.path = folder.file("rooms.db");
    options.lock_wait_ms = 0;
    open();
  }

  store& data() override { return *opened_.data; }
  bool run_until(const std::function<bool()>& done) override { return turns.run_until(done); }

  /// The error, or "".
  std::string open() {
    opened_ = open_sqlite_store(options, time, turns, log, metrics);
    return opened_.error;
  }
  void close() { opened_ = opened_store(); }
  std::string reopen() {
    close();
    return open();
  }

  temp_folder folder;
  sqlite_options options;
  log_collector log;
  metrics_registry metrics;
  posting_scheduler turns;

 private:
  opened_store opened_;
};

/// Tests of the SQLite store alone, in the short forms of the contract.
class sqlite_test : public store_operations, public ::testing::Test {
 protected:
  store& data() override { return driver->data(); }
  bool run_until(const std::function<bool()>& done) override { return driver->run_until(done); }
  void SetUp() override { driver = std::make_unique<sqlite_driver>(); }

  std::unique_ptr<sqlite_driver> driver;
};

}  // namespace roombus::test
