#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace roombus::mqtt {

/// A thread for calls that may block: runs jobs one after the other.
class job_thread {
 public:
  job_thread();
  job_thread(const job_thread&) = delete;
  job_thread& operator=(const job_thread&) = delete;
  /// Runs what is queued, and waits for it until `limit` after the call; a job that hangs longer is left to itself,
  /// so jobs own what they use.
  ~job_thread();

  void run(std::function<void()> job);
  /// Nothing runs and nothing is queued.
  [[nodiscard]] bool idle() const;

  static constexpr std::chrono::seconds limit{3};

 private:
  struct state;
  std::shared_ptr<state> state_;  // shared with the thread, which may be left behind
};

}  // namespace roombus::mqtt
