#include "adapters/memory/memory_store.hpp"

#include "tests/contract/store_contract.hpp"

namespace roombus::test {

namespace {

class memory_driver final : public store_driver {
 public:
  store& data() override { return *data_; }
  // every operation is done when its call returns
  bool run_until(const std::function<bool()>& done) override { return done(); }

 private:
  std::unique_ptr<store> data_ = make_memory_store(time);
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(memory, store_contract,
                         ::testing::Values(store_kind{"memory", [] { return std::make_unique<memory_driver>(); }}),
                         driver_name);

}  // namespace roombus::test
