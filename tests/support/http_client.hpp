#pragma once

// A blocking HTTP and WebSocket client on POSIX sockets for tests: sends exactly the bytes it is told to, also wrong
// ones, and shares no code with the server.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace roombus::test {

struct http_answer {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

struct ws_message {
  bool fin = true;
  bool compressed = false;  ///< RSV1
  int opcode = 0;
  std::string payload;
  /// Of a close frame; 1005 without one.
  [[nodiscard]] int close_code() const;
};

/// One TCP connection to 127.0.0.1. Every read gives up after `patience` and reports a test failure by its result.
class http_client {
 public:
  static constexpr std::chrono::seconds patience{10};

  /// `receive_buffer`: SO_RCVBUF in bytes, 0 leaves the system's.
  explicit http_client(std::uint16_t port, int receive_buffer = 0);
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// False when the peer has closed.
  bool send(std::string_view bytes);
  /// Ends our side.
  void shut_down();
  /// Closes with a reset.
  void reset();

  /// Reads one response; nothing at the end of stream, on a reset, or after `patience`. `head`: it has no body.
  std::optional<http_answer> read_answer(bool head = false);
  /// Sends a GET with Host and reads the answer.
  std::optional<http_answer> get(std::string_view target, std::string_view extra_headers = {});
  /// True when the peer ends the stream (or resets) before sending anything more.
  bool at_end();
  /// One recv's worth of bytes, those already read first; "" at the end.
  std::string read_some();

  /// Sends an upgrade request and reads the answer (101 when it worked).
  std::optional<http_answer> upgrade(std::string_view target, std::string_view extra_headers = {});
  /// One frame, masked unless told otherwise.
  static std::string frame(int opcode, std::string_view payload, bool fin = true, bool masked = true,
                           bool compressed = false);
  bool send_frame(int opcode, std::string_view payload, bool fin = true) { return send(frame(opcode, payload, fin)); }
  /// The next frame, of any kind.
  std::optional<ws_message> read_frame();
  /// TCP segments with data received so far.
  [[nodiscard]] unsigned data_segments() const;

 private:
  bool fill();
  std::optional<std::string> take(std::size_t n);

  int fd_ = -1;
  std::string buffer_;
};

}  // namespace roombus::test
