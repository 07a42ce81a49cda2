#include "bridge/paho/job_thread.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace roombus::mqtt {

struct job_thread::state {
  std::mutex lock;
  std::condition_variable changed;
  std::deque<std::function<void()>> jobs;
  bool busy = false;
  bool last = false;  // no job comes any more
  bool ended = false;
  std::thread thread;

  void work() {
    std::unique_lock guard(lock);
    for (;;) {
      changed.wait(guard, [this] { return last || !jobs.empty(); });
      if (jobs.empty()) break;
      std::function<void()> job = std::move(jobs.front());
      jobs.pop_front();
      busy = true;
      guard.unlock();
      job();
      job = nullptr;  // what it owns goes outside the lock
      guard.lock();
      busy = false;
    }
    ended = true;
    changed.notify_all();
  }
};

job_thread::job_thread() : state_(std::make_shared<state>()) {
  state_->thread = std::thread([s = state_] { s->work(); });
}

job_thread::~job_thread() {
  std::unique_lock guard(state_->lock);
  state_->last = true;
  state_->changed.notify_all();
  const bool ended = state_->changed.wait_for(guard, limit, [this] { return state_->ended; });
  guard.unlock();
  if (ended) {
    state_->thread.join();
  } else {
    state_->thread.detach();
  }
}

void job_thread::run(std::function<void()> job) {
  const std::lock_guard guard(state_->lock);
  state_->jobs.push_back(std::move(job));
  state_->changed.notify_all();
}

bool job_thread::idle() const {
  const std::lock_guard guard(state_->lock);
  return !state_->busy && state_->jobs.empty();
}

}  // namespace roombus::mqtt
