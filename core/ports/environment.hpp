#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace roombus {

/// Time as the core sees it.
class clock {
 public:
  virtual ~clock() = default;
  /// Wall clock in ms since 1970; may step back.
  [[nodiscard]] virtual std::int64_t now_ms() const = 0;
  /// A clock that never steps back, in ms from an arbitrary start.
  [[nodiscard]] virtual std::int64_t steady_ms() const = 0;
};

/// Source of unpredictable bytes; never fails (the process ends if the system's source does).
class random_source {
 public:
  virtual ~random_source() = default;
  virtual void fill(std::span<std::uint8_t> bytes) = 0;
};

/// `bytes` random bytes as lower-case hex.
[[nodiscard]] std::string random_hex(random_source& random, std::size_t bytes);
/// 128 random bits as 22 characters of `A–Z a–z 0–9 - _`.
[[nodiscard]] std::string random_id(random_source& random);

/// Cancels its timer when it goes; `cancel` after the timer ran does nothing.
class timer_handle {
 public:
  timer_handle() = default;
  explicit timer_handle(std::function<void()> cancel) : cancel_(std::move(cancel)) {}
  timer_handle(timer_handle&& other) noexcept : cancel_(std::exchange(other.cancel_, nullptr)) {}
  timer_handle& operator=(timer_handle&& other) noexcept {
    if (this != &other) {
      cancel();
      cancel_ = std::exchange(other.cancel_, nullptr);
    }
    return *this;
  }
  ~timer_handle() { cancel(); }

  void cancel() {
    if (auto run = std::exchange(cancel_, nullptr)) run();
  }

 private:
  std::function<void()> cancel_;
};

/// Runs functions later, on the core's thread.
class scheduler {
 public:
  virtual ~scheduler() = default;
  /// Runs `fn` once after `delay` (ms resolution), unless the handle goes before.
  [[nodiscard]] virtual timer_handle after(std::chrono::milliseconds delay, std::function<void()> fn) = 0;
  /// Runs `fn` after the current turn. Safe from any thread: the door for foreign threads.
  virtual void post(std::function<void()> fn) = 0;
};

enum class log_level : std::uint8_t { debug, info, warning, error };

/// Where the program's log goes. `event` is a short fixed name (`mqtt_connected`), `text` is for people, and names the
/// connection, room and user where there are any. Never logs payloads or secrets. Callable from any thread.
class log_sink {
 public:
  virtual ~log_sink() = default;
  virtual void write(log_level level, std::string_view event, std::string_view text) = 0;
};

}  // namespace roombus
