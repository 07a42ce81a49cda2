#pragma once

// Hooks that live outside of the process, over any `hook_caller`: who is asked, what an answer means, and what happens
// when there is none.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/circuit_breaker.hpp"
#include "core/hook_names.hpp"
#include "core/hooks.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"
#include "core/ports/hook_caller.hpp"

namespace roombus {

/// What happens when a hook gives no answer. After hooks, onLeave, onDisconnect and onClose change nothing then, under
/// either policy.
enum class hook_policy : std::uint8_t {
  reject,  ///< before, onConnect, onJoin and checkers give `unavailable`, onStart fails the start
  go_on    ///< as if the answer were `{}`; for onConnect that is `noLogin`
};

struct remote_hooks_options {
  std::string transport;           ///< "http" or "mqtt": for metrics and log
  std::string instance;            ///< who calls
  std::vector<std::string> hooks;  ///< names as `find_hook` knows them; only these are asked
  hook_policy on_failure = hook_policy::reject;
  std::map<std::string, hook_policy> policy;  ///< of single hooks, instead of `on_failure`
  circuit_breaker::times breaker;
};

/// Makes hooks of the listed names that ask through `caller`. The caller, the log, the clock and the metrics outlive
/// what uses the hooks.
class remote_hooks {
 public:
  struct environment {
    hook_caller& caller;
    clock& time;
    log_sink& log;
    metrics_registry& metrics;
  };

  remote_hooks(remote_hooks_options options, environment env);
  ~remote_hooks();
  remote_hooks(const remote_hooks&) = delete;
  remote_hooks& operator=(const remote_hooks&) = delete;

  /// Adds the hooks to `to`. They may be called as long as this object lives.
  void add_to(service_hooks& to);

 private:
  class impl;
  std::shared_ptr<impl> impl_;  // shared with calls that wait
};

}  // namespace roombus
