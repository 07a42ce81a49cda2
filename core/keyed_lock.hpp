#pragma once

// One holder at a time for each key; the others wait in line. A holder that takes longer than the time to live loses
// the lock to the next one: nobody waits for ever, and whoever set the limit is told.

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "core/ports/environment.hpp"
#include "core/task.hpp"

namespace roombus {

class keyed_lock {
 public:
  /// `timers` outlives the lock and its guards.
  keyed_lock(scheduler& timers, std::chrono::milliseconds ttl) : timers_(timers), ttl_(ttl) {}

  /// Lets go of the lock when it goes, unless it was lost before.
  class guard {
   public:
    guard() = default;
    guard(keyed_lock* owner, std::string key, std::uint64_t turn) : owner_(owner), key_(std::move(key)), turn_(turn) {}
    guard(guard&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), key_(std::move(other.key_)), turn_(other.turn_) {}
    guard& operator=(guard&& other) noexcept {
      if (this != &other) {
        release();
        owner_ = std::exchange(other.owner_, nullptr);
        key_ = std::move(other.key_);
        turn_ = other.turn_;
      }
      return *this;
    }
    ~guard() { release(); }

   private:
    void release() {
      if (keyed_lock* owner = std::exchange(owner_, nullptr)) owner->pass_on(key_, turn_);
    }
    keyed_lock* owner_ = nullptr;
    std::string key_;
    std::uint64_t turn_ = 0;
  };

  /// Completes with the lock. `on_exceeded` is called once if the holder still has it after the time to live, just
  /// before the next in line gets it.
  task<guard> acquire(std::string key, std::function<void()> on_exceeded);

 private:
  struct entry {
    std::uint64_t turn = 0;  ///< of the holder
    timer_handle expiry;
    std::function<void()> on_exceeded;
    std::deque<std::pair<completion<std::uint64_t>, std::function<void()>>> waiting;
  };

  void hold(const std::string& key, entry& e, std::function<void()> on_exceeded);
  void expire(const std::string& key, std::uint64_t turn);
  void pass_on(const std::string& key, std::uint64_t turn);

  scheduler& timers_;
  std::chrono::milliseconds ttl_;
  std::uint64_t last_turn_ = 0;
  std::map<std::string, entry> entries_;
};

}  // namespace roombus
