#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/task.hpp"
#include "core/value.hpp"

namespace roombus {

/// Why a hook gave no answer.
enum class hook_failure : std::uint8_t {
  timeout,       ///< none in time
  unreachable,   ///< no connection, or it broke
  refused,       ///< another status than success
  malformed,     ///< an answer that cannot be read, or with fields of wrong types
  too_large,     ///< an answer over the limit
  overload,      ///< too many calls wait already
  circuit_open,  ///< not asked, because of failures before
  count
};
[[nodiscard]] std::string_view to_text(hook_failure failure);

/// What came of calling a hook: its answer, or why there is none.
struct hook_outcome {
  hook_outcome() = default;
  hook_outcome(value_map given) : answer(std::move(given)) {}
  hook_outcome(hook_failure why, std::string text) : failure(why), detail(std::move(text)) {}

  std::optional<value_map> answer;
  hook_failure failure = hook_failure::unreachable;  ///< without answer
  std::string detail;                                ///< of a failure, for the log
};

/// Calls hooks outside of the process.
class hook_caller {
 public:
  virtual ~hook_caller() = default;
  /// Asks `hook` once, and completes when the answer is there or cannot come any more; within a time of the caller's
  /// own, waiting included. Never throws.
  virtual task<hook_outcome> call(std::string hook, value_map body) = 0;
};

}  // namespace roombus
