#pragma once

// Asking hooks from inside the service: one that throws is logged and gave no answer, and never takes the service
// along.

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/ports/environment.hpp"
#include "core/task.hpp"

namespace roombus {

inline void log_hook_fault(log_sink& log, std::string_view name, std::string_view fault) {
  log.write(log_level::error, "hook_fault", std::string(name) + ": " + std::string(fault));
}

/// What the hook answered, or nothing when it threw. `log`, `hook` and arguments by reference outlive the task.
template <class Answer, class... Args>
task<std::optional<Answer>> ask_hook(log_sink& log, std::string_view name,
                                     const std::function<task<Answer>(Args...)>& hook,
                                     std::type_identity_t<Args>... args) {
  std::string fault;
  try {
    task<Answer> asked = hook(std::forward<Args>(args)...);
    Answer said = co_await asked;
    co_return said;
  } catch (const std::exception& e) {
    fault = e.what();
  } catch (...) {
    fault = "it threw something that is no exception";
  }
  log_hook_fault(log, name, fault);
  co_return std::nullopt;
}

/// Tells a hook something; whatever becomes of it, the task ends well.
template <class... Args>
task<void> tell_hook(log_sink& log, std::string_view name, const std::function<task<void>(Args...)>& hook,
                     std::type_identity_t<Args>... args) {
  std::string fault;
  try {
    task<void> told = hook(std::forward<Args>(args)...);
    co_await told;
    co_return;
  } catch (const std::exception& e) {
    fault = e.what();
  } catch (...) {
    fault = "it threw something that is no exception";
  }
  log_hook_fault(log, name, fault);
}

}  // namespace roombus
