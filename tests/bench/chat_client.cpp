#include "tests/bench/chat_client.hpp"

namespace roombus::bench {

void chat_client::answered(bool success, std::string_view text) {
  // setting up may meet what is there already
  if (!success && text.find("exists") == std::string_view::npos && text.find("roomExists") == std::string_view::npos) {
    fail("a command failed: " + std::string(text.substr(0, 300)));
  }
  ++answers_;
  if (on_answer) on_answer();
}

void chat_client::notified() {
  ++messages_;
  if (on_message) on_message();
}

std::unique_ptr<chat_client> connect_client(poll_loop& loop, const address& to, protocol speaks,
                                            const std::string& user) {
  switch (speaks) {
    case protocol::eio3:
      return connect_socketio(loop, to, 3, user);
    case protocol::eio4:
      return connect_socketio(loop, to, 4, user);
    case protocol::mqtt311:
      return connect_mqtt(loop, to, 4, user);
    case protocol::mqtt5:
      return connect_mqtt(loop, to, 5, user);
  }
  return nullptr;
}

}  // namespace roombus::bench
