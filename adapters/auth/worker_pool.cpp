#include "adapters/auth/worker_pool.hpp"

#include <utility>

namespace roombus::auth {

worker_pool::worker_pool(std::size_t threads, std::size_t max_queue) : max_queue_(max_queue) {
  for (std::size_t i = 0; i < threads; ++i)
    threads_.emplace_back([this] { work(); });
}

worker_pool::~worker_pool() {
  {
    const std::lock_guard guard(lock_);
    stopping_ = true;
    queue_.clear();
  }
  wake_.notify_all();
  for (std::thread& t : threads_)
    t.join();
}

bool worker_pool::submit(std::function<void()> job) {
  {
    const std::lock_guard guard(lock_);
    if (queue_.size() >= max_queue_) return false;
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

void worker_pool::work() {
  std::unique_lock guard(lock_);
  for (;;) {
    wake_.wait(guard, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    auto job = std::move(queue_.front());
    queue_.pop_front();
    guard.unlock();
    job();
    job = nullptr;  // what it holds goes outside of the lock
    guard.lock();
  }
}

}  // namespace roombus::auth
