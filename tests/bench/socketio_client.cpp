// The least of socket.io over WebSocket that a client needs: no polling, no binary, no fragments.

#include <array>

#include "tests/bench/chat_client.hpp"

namespace roombus::bench {

namespace {

constexpr std::string_view nsp = "/chat-service,";

class socketio_client final : public chat_client {
 public:
  socketio_client(poll_loop& loop, const address& to, int eio, const std::string& user)
      : chat_client(loop, to), eio_(eio), user_(user) {
    queue("GET /socket.io/?EIO=" + std::to_string(eio) + "&transport=websocket&user=" + user +
          " HTTP/1.1\r\nHost: " + to.str() +
          "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    flush();
  }

 private:
  void queue_call(std::string_view command, std::string_view json_arguments) override {
    packet_ = "42";
    packet_ += nsp;
    packet_ += std::to_string(next_id_++);
    packet_ += "[\"";
    packet_ += command;
    packet_ += '"';
    if (!json_arguments.empty()) packet_ += ',';
    packet_ += json_arguments;
    packet_ += ']';
    send_text(packet_);
  }

  std::size_t consume(std::string_view input) override {
    std::size_t used = 0;
    if (!upgraded_) {
      const auto end = input.find("\r\n\r\n");
      if (end == std::string_view::npos) return 0;
      if (!input.starts_with("HTTP/1.1 101")) fail("no upgrade: " + std::string(input.substr(0, end)));
      upgraded_ = true;
      used = end + 4;
    }
    while (used < input.size()) {
      const std::size_t frame = take_frame(input.substr(used));
      if (frame == 0) break;
      used += frame;
    }
    return used;
  }

  // Handles the frame at the front; its size, or 0 when it is not complete.
  std::size_t take_frame(std::string_view in) {
    if (in.size() < 2) return 0;
    const auto byte = [&](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(in[i])}; };
    std::uint64_t length = byte(1) & 0x7f;
    std::size_t head = 2;
    if (length >= 126) {
      const std::size_t bytes = length == 126 ? 2 : 8;
      head += bytes;
      if (in.size() < head) return 0;
      length = 0;
      for (std::size_t i = 2; i < head; ++i)
        length = length << 8 | byte(i);
    }
    if (in.size() - head < length) return 0;
    const auto opcode = byte(0) & 0x0f;
    if (opcode == 8) fail("the server closed a WebSocket");
    if (opcode == 1) on_text(in.substr(head, length));
    return head + length;
  }

  void on_text(std::string_view text) {
    if (text.starts_with("43/chat-service,")) {
      const auto bracket = text.find('[');
      const auto result = text.substr(bracket + 1);
      answered(result.starts_with("null"), text);
    } else if (text.starts_with("42/chat-service,[\"roomMessage\"")) {
      notified();
    } else if (text.starts_with("42/chat-service,[\"loginConfirmed\"")) {
      set_ready();
    } else if (text.starts_with("42/chat-service,[\"loginRejected\"")) {
      fail("login rejected: " + std::string(text));
    } else if (text.starts_with("0")) {
      send_text(eio_ == 3 ? "40/chat-service?user=" + user_ + "," : "40/chat-service,{\"user\":\"" + user_ + "\"}");
    } else if (text == "2") {
      send_text("3");
    }
  }

  void send_text(std::string_view text) {
    // a client must mask; one key is as good as another for the server's work
    constexpr std::array<unsigned char, 4> mask{0x37, 0xfa, 0x21, 0x3d};
    frame_ = "\x81";
    if (text.size() < 126) {
      frame_ += static_cast<char>(0x80 | text.size());
    } else {
      frame_ += static_cast<char>(0x80 | 126);
      frame_ += static_cast<char>(text.size() >> 8);
      frame_ += static_cast<char>(text.size() & 0xff);
    }
    for (unsigned char b : mask)
      frame_ += static_cast<char>(b);
    for (std::size_t i = 0; i < text.size(); ++i) {
      frame_ += static_cast<char>(static_cast<unsigned char>(text[i]) ^ mask[i % 4]);
    }
    queue(frame_);
  }

  int eio_;
  std::string user_;
  bool upgraded_ = false;
  std::uint64_t next_id_ = 0;
  std::string packet_;
  std::string frame_;
};

}  // namespace

std::unique_ptr<chat_client> connect_socketio(poll_loop& loop, const address& to, int eio, const std::string& user) {
  return std::make_unique<socketio_client>(loop, to, eio, user);
}

}  // namespace roombus::bench
