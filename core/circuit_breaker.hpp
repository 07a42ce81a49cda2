#pragma once

#include <algorithm>
#include <cstdint>

namespace roombus {

/// Stops asking somebody who does not answer: after `threshold` failures in a row it lets nothing through for a while,
/// then one probe; when the probe fails too, the pause doubles. Times are steady ms.
class circuit_breaker {
 public:
  struct times {
    unsigned threshold = 10;
    std::int64_t first_pause = 1'000;
    std::int64_t longest_pause = 30'000;
  };

  circuit_breaker() = default;
  explicit circuit_breaker(times given) : times_(given), pause_(given.first_pause) {}

  /// True when a call may be made now; its outcome must then be told.
  bool admit(std::int64_t now) {
    if (!open_) return true;
    if (probing_ || now < open_until_) return false;
    probing_ = true;
    return true;
  }

  /// True when this closed it.
  bool succeeded() {
    const bool was_open = open_;
    failures_ = 0;
    open_ = false;
    probing_ = false;
    pause_ = times_.first_pause;
    return was_open;
  }

  /// The call was not made after all: it tells nothing, and another one may be the probe.
  void undecided() { probing_ = false; }

  /// True when this opened it. Calls that were admitted before it opened do not lengthen the pause.
  bool failed(std::int64_t now) {
    if (open_) {
      if (!probing_ || now < open_until_) return false;
      probing_ = false;
      pause_ = std::min(pause_ * 2, times_.longest_pause);
      open_until_ = now + pause_;
      return false;
    }
    if (++failures_ < times_.threshold) return false;
    open_ = true;
    open_until_ = now + pause_;
    return true;
  }

  [[nodiscard]] bool is_open() const { return open_; }

 private:
  times times_;
  std::int64_t pause_ = times{}.first_pause;
  std::int64_t open_until_ = 0;
  unsigned failures_ = 0;
  bool open_ = false;
  bool probing_ = false;
};

}  // namespace roombus
