#pragma once

// Rooms or users by name, loaded when they are asked for, and a gate before each: while an entry is being loaded or an
// exclusive change of it is not yet committed, operations wait in the order in which they came.
//
// An `Entry` derives from `gated` and has `present()` (false: known not to exist), `pinned()` (must stay in memory),
// `cost()` in bytes, and `shrink()` (lets go of what can be read again).

#include <cstddef>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/ports/environment.hpp"
#include "core/task.hpp"

namespace roombus::sqlite {

struct gated {
  bool loaded = false;
  bool locked = false;
  std::deque<completion<bool>> waiting;
  std::size_t charged = 0;               // cost that is in the cache's sum
  std::list<std::string>::iterator age;  // place in the cache's order of use
};

template <class Entry>
class gated_cache {
 public:
  using pointer = std::shared_ptr<Entry>;  // shared with the operations that are at work on it
  using load_function = std::function<task<bool>(pointer)>;

  gated_cache(scheduler& turns, std::size_t max_entries, std::size_t max_cost, load_function load)
      : turns_(turns), max_entries_(max_entries), max_cost_(max_cost), load_(std::move(load)) {}

  /// The entry if an operation can go on at once; else null.
  pointer ready(const std::string& name) {
    auto it = entries_.find(name);
    if (it == entries_.end()) return nullptr;
    pointer entry = it->second;  // held, so that `touch` does not let go of it
    if (!entry->loaded || entry->locked || !entry->waiting.empty()) return nullptr;
    touch(*entry);
    return entry;
  }

  /// The entry, when its turn has come: what follows up to the next wait happens on an unlocked entry. Null if it
  /// could not be loaded.
  task<pointer> enter(std::string name) {
    bool at_turn = false;
    for (;;) {
      pointer entry = find_or_create(name);
      if (entry->locked || (!at_turn && !entry->waiting.empty())) {
        completion<bool> turn;
        entry->waiting.push_back(turn);
        entry.reset();
        co_await turn;
        at_turn = true;
        continue;
      }
      if (entry->loaded) co_return entry;
      entry->locked = true;
      const bool good = co_await load_(entry);
      entry->loaded = good;
      entry->locked = false;
      wake_later(entry);
      if (!good) co_return nullptr;
      touch(*entry);
      co_return entry;
    }
  }

  /// What is in memory, whatever its gate; null when it is not.
  Entry* peek(const std::string& name) {
    auto it = entries_.find(name);
    return it == entries_.end() || !it->second->loaded ? nullptr : it->second.get();
  }

  void lock(const pointer& entry) { entry->locked = true; }

  /// Opens the gate in the next turn, when the effects of the change have been handed out.
  void unlock(const pointer& entry) {
    turns_.post([this, living = std::weak_ptr<bool>(living_), entry] {
      if (living.expired()) return;
      entry->locked = false;
      wake(living, *entry);
    });
  }

  template <class Function>
  void for_each(Function fn) {
    for (auto& [name, entry] : entries_) {
      if (entry->loaded) fn(*entry);
    }
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t cost() const { return cost_; }

 private:
  static constexpr std::size_t looked_at_once = 8;

  /// Who loaded the entry goes on in this turn; those behind must not overtake.
  void wake_later(const pointer& entry) {
    if (entry->waiting.empty()) return;
    turns_.post([this, living = std::weak_ptr<bool>(living_), entry] {
      if (!living.expired()) wake(living, *entry);
    });
  }

  static void wake(const std::weak_ptr<bool>& living, Entry& entry) {
    while (!living.expired() && !entry.locked && !entry.waiting.empty()) {
      const completion<bool> turn = std::move(entry.waiting.front());
      entry.waiting.pop_front();
      turn.complete(true);
    }
  }

  pointer find_or_create(const std::string& name) {
    auto it = entries_.find(name);
    if (it != entries_.end()) {
      pointer entry = it->second;  // held, so that `touch` does not let go of it
      touch(*entry);
      return entry;
    }
    auto entry = std::make_shared<Entry>(name);
    ages_.push_front(name);
    entry->age = ages_.begin();
    entries_.emplace(name, entry);
    evict();
    return entry;
  }

  void touch(Entry& entry) {
    ages_.splice(ages_.begin(), ages_, entry.age);
    const std::size_t now = entry.cost();
    cost_ += now - entry.charged;
    entry.charged = now;
    if (cost_ > max_cost_) evict();
  }

  /// Lets go of what was not used for long; looks at a few only, so that a cache full of pinned entries costs little.
  void evict() {
    for (std::size_t i = 0; i < looked_at_once && (entries_.size() > max_entries_ || cost_ > max_cost_); ++i) {
      auto it = entries_.find(ages_.back());
      Entry& oldest = *it->second;
      const bool in_use = it->second.use_count() > 1 || oldest.locked || !oldest.waiting.empty();
      if (!in_use && !oldest.pinned()) {
        cost_ -= oldest.charged;
        ages_.pop_back();
        entries_.erase(it);
        continue;
      }
      oldest.shrink();
      const std::size_t now = oldest.cost();
      cost_ += now - oldest.charged;
      oldest.charged = now;
      ages_.splice(ages_.begin(), ages_, oldest.age);
    }
  }

  scheduler& turns_;
  std::size_t max_entries_;
  std::size_t max_cost_;
  load_function load_;
  std::size_t cost_ = 0;
  std::list<std::string> ages_;  // the front was used last
  std::unordered_map<std::string, pointer> entries_;
  std::shared_ptr<bool> living_ = std::make_shared<bool>(true);  // posted functions may run when the cache is gone
};

}  // namespace roombus::sqlite
