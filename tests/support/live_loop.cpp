#include "tests/support/live_loop.hpp"

#include <sys/wait.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <thread>

#include <boost/asio/io_context.hpp>

namespace roombus::test {

bool live_loop::run_until(const std::function<bool()>& done, std::chrono::milliseconds limit) {
  bool late = false;
  const timer_handle deadline = loop.after(limit, [&late] { late = true; });
  while (!done()) {
    if (late) return false;
    loop.context().run_one();
  }
  return true;
}

program_result run_program(live_loop& live, const std::string& command_line) {
  program_result result;
  std::atomic<bool> ended = false;
  std::thread runner([&] {
    if (FILE* out = popen(command_line.c_str(), "r")) {
      std::array<char, 4096> buffer{};
      for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), out)) > 0;) {
        result.output.append(buffer.data(), n);
      }
      const int status = pclose(out);
      if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
    }
    live.loop.post([&ended] { ended = true; });
  });
  (void)live.run_until([&ended] { return ended.load(); }, std::chrono::seconds(60));
  runner.join();
  return result;
}

}  // namespace roombus::test
