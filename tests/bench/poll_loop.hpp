#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace roombus::bench {

/// host:port of an IPv4 listener.
struct address {
  std::string host;
  std::uint16_t port = 0;
  /// Ends the program with a message when the text is none.
  static address parse(std::string_view text);
  [[nodiscard]] std::string str() const { return host + ":" + std::to_string(port); }
};

class poll_loop;

/// One TCP connection of the load generator. Reads and writes never block.
class stream {
 public:
  stream(poll_loop& loop, const address& to);
  virtual ~stream();
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  /// Called by the loop.
  void on_ready(std::uint32_t epoll_events);
  /// Writes what `queue` collected.
  void flush();

 protected:
  /// Takes complete messages off the front of `input` and returns how many bytes were used.
  virtual std::size_t consume(std::string_view input) = 0;
  void queue(std::string_view bytes) { output_.append(bytes); }

 private:
  void watch(bool writable);

  poll_loop& loop_;
  int fd_;
  bool watching_writable_ = false;
  std::string input_;
  std::string output_;
};

/// One thread's epoll.
class poll_loop {
 public:
  poll_loop();
  ~poll_loop();
  poll_loop(const poll_loop&) = delete;
  poll_loop& operator=(const poll_loop&) = delete;

  using clock = std::chrono::steady_clock;
  /// Serves the streams until `done()`, which is asked after every round, or the time is over; answers `done()`.
  bool run(const std::function<bool()>& done, clock::time_point until);
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

/// Prints a reason and ends the program: a measurement that went wrong gives no figure.
[[noreturn]] void fail(const std::string& reason);

}  // namespace roombus::bench
