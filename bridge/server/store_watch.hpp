#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/ports/environment.hpp"
#include "core/ports/store.hpp"
#include "core/ports/store_condition.hpp"

namespace roombus::server {

/// Knows whether the store can be used: it asks a store that must be reached over the network every second, and any
/// store that can for its condition.
class store_watch {
 public:
  /// `remote` is what must be reached, for people; empty: nothing. `data` must outlive this.
  store_watch(store& data, std::string remote, std::string instance, scheduler& timers, clock& time);
  store_watch(const store_watch&) = delete;
  store_watch& operator=(const store_watch&) = delete;

  /// Asks once, within the store's own time limit, and from then on every second. Answers "" or why the store cannot
  /// be used and what to look at, as a text for the start.
  task<std::string> reach();
  /// Asks no more.
  void stop();

  /// Empty, or why the store is of no use now; short, without addresses, for anybody.
  [[nodiscard]] std::string trouble() const;
  /// The same with all that is known, as a text for the log.
  [[nodiscard]] std::string explain() const;

 private:
  task<bool> ask();
  task<void> ask_on();
  void ask_later();

  store& data_;
  const store_condition* condition_;  // null: the store cannot tell
  std::string remote_;
  std::string instance_;
  scheduler& timers_;
  clock& time_;
  bool failed_ = false;         // the last question
  std::int64_t asked_ms_ = -1;  // of the question under way; -1: none is
  timer_handle next_;
  std::shared_ptr<bool> living_ = std::make_shared<bool>(true);
};

}  // namespace roombus::server
