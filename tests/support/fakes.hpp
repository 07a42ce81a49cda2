#pragma once

// Twins of the core's environment for tests: time that moves when told, bytes that repeat, timers run by hand.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/ports/environment.hpp"

namespace roombus::test {

class fake_clock final : public clock {
 public:
  [[nodiscard]] std::int64_t now_ms() const override { return wall; }
  [[nodiscard]] std::int64_t steady_ms() const override { return steady; }
  void advance(std::int64_t ms) {
    wall += ms;
    steady += ms;
  }

  std::int64_t wall = 0;
  std::int64_t steady = 0;
};

/// Bytes of a fixed sequence that does not repeat soon.
class fake_random final : public random_source {
 public:
  void fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& b : bytes) {
      state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
      b = static_cast<std::uint8_t>(state_ >> 56);
    }
  }

 private:
  std::uint64_t state_ = 1;
};

/// Runs posted functions and due timers only inside `run_posted` and `advance`.
class fake_scheduler final : public scheduler {
 public:
  fake_scheduler() = default;
  /// Moves `time` along with the timers.
  explicit fake_scheduler(fake_clock& time) : time_(&time) {}

  timer_handle after(std::chrono::milliseconds delay, std::function<void()> fn) override {
    const std::pair<std::int64_t, std::uint64_t> key{now_ + delay.count(), ++count_};
    timers_.emplace(key, std::move(fn));
    return timer_handle([this, key] { timers_.erase(key); });
  }

  void post(std::function<void()> fn) override { posted_.push_back(std::move(fn)); }

  /// Runs what was posted, and what that posts.
  void run_posted() {
    while (!posted_.empty()) {
      for (auto& fn : std::exchange(posted_, {}))
        fn();
    }
  }

  /// Moves time on, running each timer at its time.
  void advance(std::chrono::milliseconds by) {
    run_posted();
    const std::int64_t end = now_ + by.count();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      auto due = timers_.extract(timers_.begin());
      move_to(due.key().first);
      due.mapped()();
      run_posted();
    }
    move_to(end);
  }

  [[nodiscard]] std::size_t pending() const { return timers_.size(); }

 private:
  void move_to(std::int64_t at) {
    if (time_ != nullptr) time_->advance(at - now_);
    now_ = at;
  }

  fake_clock* time_ = nullptr;
  std::int64_t now_ = 0;
  std::uint64_t count_ = 0;
  std::map<std::pair<std::int64_t, std::uint64_t>, std::function<void()>> timers_;
  std::vector<std::function<void()>> posted_;
};

class recording_log final : public log_sink {
 public:
  void write(log_level /*level*/, std::string_view event, std::string_view text) override {
    lines.push_back(std::string(event) + ": " + std::string(text));
  }
  std::vector<std::string> lines;
};

}  // namespace roombus::test
