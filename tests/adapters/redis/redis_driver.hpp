#pragma once

#include <memory>
#include <string>
#include <utility>

#include "adapters/redis/redis_store.hpp"
#include "tests/adapters/redis/redis_process.hpp"
#include "tests/contract/store_contract.hpp"
#include "tests/support/live_loop.hpp"

namespace roombus::test {

/// The wall clock of a test beside the real steady one: a store's time limits are real.
class test_clock final : public clock {
 public:
  explicit test_clock(fake_clock& wall) : wall_(wall) {}
  [[nodiscard]] std::int64_t now_ms() const override { return wall_.now_ms(); }
  [[nodiscard]] std::int64_t steady_ms() const override { return steady_.steady_ms(); }

 private:
  fake_clock& wall_;
  system_clock steady_;
};

/// A Redis store under test, with keys of its own wherever it is.
class redis_driver : public store_driver {
 public:
  explicit redis_driver(const std::string& urls, bool cluster = false, redis_options given = {})
      : options(std::move(given)) {
    options.urls = *redis::redis_url::parse_list(urls);
    options.cluster = cluster;
    system_random dice;
    options.prefix = "test-" + random_hex(dice, 4);
    open();
  }

  shared_store& data() override { return *data_; }
  bool run_until(const std::function<bool()>& done) override { return live.run_until(done); }
  /// Another instance of the same store.
  void open() { data_ = make_redis_store(options, redis_environment{live.loop, clocks, random, log, metrics}); }
  [[nodiscard]] std::string room_key(const std::string& room) const {
    return "{" + options.prefix + ":r:" + room + "}";
  }

  redis_options options;
  live_loop live;
  test_clock clocks{time};
  system_random random;
  log_collector log;
  metrics_registry metrics;

 private:
  std::unique_ptr<shared_store> data_;
};

}  // namespace roombus::test
