#pragma once

#include <deque>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/task.hpp"

namespace roombus::redis {

/// Keeps order where an operation takes two round trips: who enters a gate shuts it behind itself, and those who come
/// later wait, in order, until it is open again. A gate that nobody has entered costs nothing.
class gates {
 public:
  /// Whether `pass` would wait.
  [[nodiscard]] bool shut(const std::string& name) const { return !shut_.empty() && shut_.contains(name); }
  /// Waits until whoever shut the gate, and all who came before, have gone through.
  task<void> pass(std::string name) {
    task<void> turn = enter_if(std::move(name), false);
    co_await turn;
  }
  /// The same, and shuts it; `open` must follow.
  task<void> enter(std::string name) {
    task<void> turn = enter_if(std::move(name), true);
    co_await turn;
  }
  /// Lets the next ones through, up to one that shuts it again. They run within the call.
  void open(const std::string& name) {
    auto it = shut_.find(name);
    while (it != shut_.end()) {
      if (it->second.empty()) {
        shut_.erase(it);
        return;
      }
      auto [go, shuts] = std::move(it->second.front());
      it->second.pop_front();
      go.complete(true);
      if (shuts) return;  // the next one opens it
      it = shut_.find(name);
    }
  }

 private:
  struct waiting {
    completion<bool> go;
    bool shuts;
  };

  task<void> enter_if(std::string name, bool shuts) {
    auto it = shut_.find(name);
    if (it != shut_.end()) {
      waiting place{completion<bool>(), shuts};
      completion<bool> go = place.go;
      it->second.push_back(std::move(place));
      co_await go;
    } else if (shuts) {
      shut_.try_emplace(std::move(name));
    }
  }

  std::unordered_map<std::string, std::deque<waiting>> shut_;
};

}  // namespace roombus::redis
