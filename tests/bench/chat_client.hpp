#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/poll_loop.hpp"

namespace roombus::bench {

enum class protocol : std::uint8_t { eio3, eio4, mqtt311, mqtt5 };

/// One connection of one user, whatever it speaks. Commands are answered in any order; the payloads are JSON text.
class chat_client : public stream {
 public:
  using stream::stream;
  /// The login is through (socket.io), or the subscriptions are (MQTT).
  [[nodiscard]] bool ready() const { return ready_; }
  /// Sends a command with its arguments as the inside of a JSON array, in a write of its own, as clients do that are no
  /// load generators.
  void call(std::string_view command, std::string_view json_arguments) {
    queue_call(command, json_arguments);
    flush();
  }
  [[nodiscard]] std::uint64_t answers() const { return answers_; }
  [[nodiscard]] std::uint64_t messages() const { return messages_; }

  std::function<void()> on_answer;   ///< a command succeeded
  std::function<void()> on_message;  ///< a roomMessage notification arrived

 protected:
  virtual void queue_call(std::string_view command, std::string_view json_arguments) = 0;
  void set_ready() { ready_ = true; }
  void answered(bool success, std::string_view text);
  void notified();

 private:
  bool ready_ = false;
  std::uint64_t answers_ = 0;
  std::uint64_t messages_ = 0;
};

/// Connects as `user`. The address is that of HTTP or of the broker.
[[nodiscard]] std::unique_ptr<chat_client> connect_client(poll_loop& loop, const address& to, protocol speaks,
                                                          const std::string& user);

// what connect_client chooses from
[[nodiscard]] std::unique_ptr<chat_client> connect_socketio(poll_loop& loop, const address& to, int eio,
                                                            const std::string& user);
[[nodiscard]] std::unique_ptr<chat_client> connect_mqtt(poll_loop& loop, const address& to, int version,
                                                        const std::string& user);

}  // namespace roombus::bench
