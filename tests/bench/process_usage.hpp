#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace roombus::bench {

/// What the servers under test have used so far, one entry per process, in the order of the pids.
struct process_usage {
  std::vector<double> cpu_seconds;      ///< user and system time of all threads
  std::vector<std::int64_t> rss_bytes;  ///< resident memory
};

/// Reads /proc. Ends the program when a process is gone: a figure of a dead server is worth nothing.
[[nodiscard]] process_usage read_usage(const std::vector<pid_t>& pids);

}  // namespace roombus::bench
