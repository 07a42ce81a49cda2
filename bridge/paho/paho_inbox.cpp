#include "bridge/paho/paho_inbox.hpp"

#include <utility>

namespace roombus::mqtt {

paho_inbox::paho_inbox(scheduler& loop, std::function<void()> wake, std::size_t max_bytes)
    : loop_(&loop), wake_(std::move(wake)), max_bytes_(max_bytes) {}

void paho_inbox::push(paho_event event) {
  const std::lock_guard guard(lock_);
  if (loop_ == nullptr) return;
  if (event.what == paho_event::kind::message) {
    const std::size_t size = sizeof(paho_event) - sizeof(received_message) + weight(event.message);
    if (bytes_ + size > max_bytes_) {
      ++waiting_.dropped;
      return wake_core();
    }
    bytes_ += size;
  }
  waiting_.events.push_back(std::move(event));
  wake_core();
}

void paho_inbox::push(paho_completion completion) {
  const std::lock_guard guard(lock_);
  if (loop_ == nullptr) return;
  waiting_.completions.push_back(completion);
  wake_core();
}

void paho_inbox::wake_core() {
  if (std::exchange(posted_, true)) return;
  loop_->post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->wake_) self->wake_();
  });
}

void paho_inbox::take(batch& into) {
  into.completions.clear();
  into.events.clear();
  into.dropped = 0;
  const std::lock_guard guard(lock_);
  std::swap(waiting_, into);
  bytes_ = 0;
  posted_ = false;
}

void paho_inbox::close() {
  wake_ = nullptr;
  const std::lock_guard guard(lock_);
  loop_ = nullptr;
}

}  // namespace roombus::mqtt
