#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/ports/environment.hpp"

namespace boost::asio {
class io_context;
}

namespace roombus {

/// The one thread that runs core and adapters: an Asio io_context behind the core's scheduler port.
class event_loop final : public scheduler {
 public:
  event_loop();
  ~event_loop() override;

  timer_handle after(std::chrono::milliseconds delay, std::function<void()> fn) override;
  void post(std::function<void()> fn) override;

  /// Runs until `stop`. An exception that a handler throws leaves `run`.
  void run();
  /// Makes `run` return after the current handler. Safe from any thread.
  void stop();
  /// Calls `fn` on the loop's thread each time the process gets one of SIGINT, SIGTERM, SIGHUP, with its number.
  void on_signal(std::function<void(int)> fn);

  /// For adapters that drive sockets.
  [[nodiscard]] boost::asio::io_context& context();

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// The system's clocks.
class system_clock final : public clock {
 public:
  [[nodiscard]] std::int64_t now_ms() const override;
  [[nodiscard]] std::int64_t steady_ms() const override;
};

/// The kernel's random source (getrandom), read in blocks.
class system_random final : public random_source {
 public:
  void fill(std::span<std::uint8_t> bytes) override;

 private:
  std::vector<std::uint8_t> pool_;
  std::size_t used_ = 0;
};

}  // namespace roombus
