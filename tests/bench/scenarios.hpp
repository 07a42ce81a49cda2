#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/chat_client.hpp"

namespace roombus::bench {

/// How one run is made.
struct run_options {
  address to;
  protocol speaks = protocol::eio3;
  std::vector<pid_t> pids;    ///< the processes whose CPU and memory are counted
  double seconds = 5;         ///< measured window
  double warmup = 1;          ///< before it, not counted
  std::size_t count = 0;      ///< connections or subscribers; 0: what the scenario is named for
  std::string tag = "bench";  ///< part of all names, so that runs against one server do not meet
};

/// A scenario: its name, what it does, and its run, which answers the figures as one JSON object.
struct scenario {
  const char* name;
  const char* help;
  std::string (*run)(const run_options&);
};

[[nodiscard]] const std::vector<scenario>& all_scenarios();

}  // namespace roombus::bench
