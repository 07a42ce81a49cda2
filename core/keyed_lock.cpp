#include "core/keyed_lock.hpp"

namespace roombus {

task<keyed_lock::guard> keyed_lock::acquire(std::string key, std::function<void()> on_exceeded) {
  auto it = entries_.find(key);
  if (it == entries_.end()) {
    entry& added = entries_[key];
    hold(key, added, std::move(on_exceeded));
    co_return guard(this, std::move(key), added.turn);
  }
  completion<std::uint64_t> my_turn;
  it->second.waiting.emplace_back(my_turn, std::move(on_exceeded));
  const std::uint64_t turn = co_await my_turn;
  co_return guard(this, std::move(key), turn);
}

void keyed_lock::hold(const std::string& key, entry& e, std::function<void()> on_exceeded) {
  e.turn = ++last_turn_;
  e.on_exceeded = std::move(on_exceeded);
  e.expiry = timers_.after(ttl_, [this, key, turn = e.turn] { expire(key, turn); });
}

void keyed_lock::expire(const std::string& key, std::uint64_t turn) {
  auto it = entries_.find(key);
  if (it == entries_.end() || it->second.turn != turn) return;
  if (auto tell = std::exchange(it->second.on_exceeded, nullptr)) tell();
  pass_on(key, turn);
}

void keyed_lock::pass_on(const std::string& key, std::uint64_t turn) {
  auto it = entries_.find(key);
  if (it == entries_.end() || it->second.turn != turn) return;
  entry& e = it->second;
  if (e.waiting.empty()) {
    entries_.erase(it);
    return;
  }
  auto [next, on_exceeded] = std::move(e.waiting.front());
  e.waiting.pop_front();
  hold(key, e, std::move(on_exceeded));
  next.complete(e.turn);
}

}  // namespace roombus
