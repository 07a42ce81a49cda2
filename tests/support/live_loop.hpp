#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/loop/event_loop.hpp"

namespace roombus::test {

/// A real event loop that a test runs until a condition holds.
class live_loop {
 public:
  /// Runs the loop until `done` holds; false when `limit` is over first.
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds limit = std::chrono::seconds(20));
  event_loop loop;
};

/// Collects what is logged, from any thread.
class log_collector final : public log_sink {
 public:
  void write(log_level, std::string_view event, std::string_view text) override {
    const std::lock_guard guard(lock_);
    text_ += std::string(event) + ": " + std::string(text) + "\n";
  }
  [[nodiscard]] std::string text() const {
    const std::lock_guard guard(lock_);
    return text_;
  }

 private:
  mutable std::mutex lock_;
  std::string text_;
};

/// Output and end of a program that ran; the wait is bounded by `timeout -s KILL`.
struct program_result {
  int status = -1;
  std::string output;
};

/// Runs a shell command line without blocking the loop that serves it.
program_result run_program(live_loop& live, const std::string& command_line);

}  // namespace roombus::test
