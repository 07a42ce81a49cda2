#include "tests/bench/process_usage.hpp"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include <unistd.h>

namespace roombus::bench {

namespace {

std::string slurp(pid_t pid, const char* file) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/" + file);
  std::stringstream text;
  text << in.rdbuf();
  if (text.str().empty()) {
    std::cerr << "process " << pid << " is gone\n";
    std::exit(1);
  }
  return text.str();
}

}  // namespace

process_usage read_usage(const std::vector<pid_t>& pids) {
  static const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
  static const std::int64_t page = sysconf(_SC_PAGESIZE);
  process_usage usage;
  for (pid_t pid : pids) {
    const std::string stat = slurp(pid, "stat");
    // the program's name may hold blanks: the third field stands behind its closing bracket
    std::istringstream fields(stat.substr(stat.rfind(')') + 2));
    std::string skipped;
    for (int field = 3; field < 14; ++field)
      fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    usage.cpu_seconds.push_back((user + system) / ticks);
    std::istringstream statm(slurp(pid, "statm"));
    std::int64_t total = 0;
    std::int64_t resident = 0;
    statm >> total >> resident;
    usage.rss_bytes.push_back(resident * page);
  }
  return usage;
}

}  // namespace roombus::bench
