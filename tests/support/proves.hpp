#pragma once

// Tests name the statements of the contract that they prove; tests/contract_statements/check.mjs reads it.

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace roombus::test {

/// Notes in the test's report which statements of tests/contract_statements/statements.json the running test proves.
template <class... Ids>
void proves(const Ids&... ids) {
  std::string all;
  for (const char* id : std::initializer_list<const char*>{ids...})
    all += (all.empty() ? "" : " ") + std::string(id);
  ::testing::Test::RecordProperty("contract", all);
}

}  // namespace roombus::test
