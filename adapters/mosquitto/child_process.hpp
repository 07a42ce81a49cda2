#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/ports/environment.hpp"

namespace roombus::mosquitto {

/// A child process whose stderr is read line by line and which never outlives this process.
/// One thread of its own waits for output and end and hands both to the scheduler; callbacks come on the core's thread.
/// Goes into a process group of its own, so that a Ctrl-C at the terminal stops us first and it after.
class child_process {
 public:
  struct handlers {
    handlers() = default;
    std::function<void(std::string line)> on_line;  ///< one line of stderr, at most 1000 bytes
    std::function<void(std::string how)> on_exit;   ///< it ended, and was reaped; the last callback
  };
  /// Started as root the child runs as `user` where that account exists.
  struct command {
    command() = default;
    std::string program;
    std::vector<std::string> arguments;
    std::string user;
  };

  /// Null when no process could be made; a program that cannot be run says so on stderr and ends with 127.
  /// Must be called on a thread that lives as long as the process (the kernel ends the child with that thread).
  static std::unique_ptr<child_process> start(const command& c, scheduler& loop, handlers h);

  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  /// Kills and reaps a child that still runs. No callback after it.
  ~child_process();

  /// Sends a signal, unless the child has ended.
  void signal(int number);
  [[nodiscard]] pid_t pid() const;

 private:
  struct state;
  explicit child_process(std::shared_ptr<state> s);
  std::shared_ptr<state> state_;  // shared with the waiting thread and the posted callbacks
};

}  // namespace roombus::mosquitto
