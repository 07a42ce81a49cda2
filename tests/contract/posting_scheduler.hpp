#pragma once

// A scheduler for stores with threads of their own: what they post, and due timers, run inside `run_until`.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "core/ports/environment.hpp"

namespace roombus::test {

class posting_scheduler final : public scheduler {
 public:
  using steady = std::chrono::steady_clock;

  timer_handle after(std::chrono::milliseconds delay, std::function<void()> fn) override {
    const std::pair<steady::time_point, std::uint64_t> key{steady::now() + delay, ++count_};
    timers_.emplace(key, std::move(fn));
    return timer_handle([this, key] { timers_.erase(key); });
  }

  void post(std::function<void()> fn) override {
    {
      const std::lock_guard guard(lock_);
      posted_.push_back(std::move(fn));
    }
    wake_.notify_one();
  }

  /// Runs what comes until `done` holds; false when `limit` is over first.
  bool run_until(const std::function<bool()>& done, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    const auto end = steady::now() + limit;
    while (!done()) {
      if (steady::now() >= end) return false;
      run_due_timers();
      std::vector<std::function<void()>> now;
      {
        std::unique_lock guard(lock_);
        const auto until = timers_.empty() ? end : std::min(end, timers_.begin()->first.first);
        if (posted_.empty() && !done()) wake_.wait_until(guard, until, [this] { return !posted_.empty(); });
        now.swap(posted_);
      }
      for (auto& fn : now)
        fn();
    }
    return true;
  }

 private:
  void run_due_timers() {
    while (!timers_.empty() && timers_.begin()->first.first <= steady::now()) {
      auto due = timers_.extract(timers_.begin());
      due.mapped()();
    }
  }

  std::uint64_t count_ = 0;
  std::map<std::pair<steady::time_point, std::uint64_t>, std::function<void()>> timers_;  // the loop's thread only
  std::mutex lock_;
  std::condition_variable wake_;
  std::vector<std::function<void()>> posted_;
};

}  // namespace roombus::test
