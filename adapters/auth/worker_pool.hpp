#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace roombus::auth {

/// A few threads for work that takes the core's thread too long.
class worker_pool {
 public:
  worker_pool(std::size_t threads, std::size_t max_queue);
  /// Lets running jobs finish; those still queued are dropped.
  ~worker_pool();
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  /// Queues a job, which must not throw. False when the queue is full.
  [[nodiscard]] bool submit(std::function<void()> job);

 private:
  void work();

  const std::size_t max_queue_;
  std::mutex lock_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace roombus::auth
