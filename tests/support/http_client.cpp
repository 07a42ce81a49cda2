#include "tests/support/http_client.hpp"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <stdexcept>
#include <utility>

namespace roombus::test {

int ws_message::close_code() const {
  if (payload.size() < 2) return 1005;
  return static_cast<unsigned char>(payload[0]) * 256 + static_cast<unsigned char>(payload[1]);
}

http_client::http_client(std::uint16_t port, int receive_buffer) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
  if (fd_ < 0) throw std::runtime_error("no socket");
  if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    ::close(fd_);
    throw std::runtime_error("cannot connect");
  }
}

http_client::~http_client() {
  if (fd_ >= 0) ::close(fd_);
}

bool http_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void http_client::shut_down() {
  ::shutdown(fd_, SHUT_WR);
}

void http_client::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd_);
  fd_ = -1;
}

bool http_client::fill() {
  pollfd ready{fd_, POLLIN, 0};
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  if (::poll(&ready, 1, static_cast<int>(wait)) <= 0) return false;
  std::array<char, 64 * 1024> part;
  const ssize_t n = ::recv(fd_, part.data(), part.size(), 0);
  if (n <= 0) return false;
  buffer_.append(part.data(), static_cast<std::size_t>(n));
  return true;
}

std::string http_client::read_some() {
  if (buffer_.empty()) fill();
  return std::exchange(buffer_, {});
}

bool http_client::at_end() {
  if (!buffer_.empty()) return false;
  pollfd ready{fd_, POLLIN, 0};
  const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(patience).count();
  if (::poll(&ready, 1, static_cast<int>(wait)) <= 0) return false;
  char byte = 0;
  return ::recv(fd_, &byte, 1, MSG_PEEK) <= 0;
}

std::optional<std::string> http_client::take(std::size_t n) {
  while (buffer_.size() < n) {
    if (!fill()) return std::nullopt;
  }
  std::string out = buffer_.substr(0, n);
  buffer_.erase(0, n);
  return out;
}

std::optional<http_answer> http_client::read_answer(bool head) {
  std::size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return std::nullopt;
  }
  const std::string lines = *take(end + 4);
  http_answer out;
  out.status = std::stoi(lines.substr(lines.find(' ') + 1, 3));
  for (std::size_t at = lines.find("\r\n") + 2; at + 2 < lines.size();) {
    const std::size_t stop = lines.find("\r\n", at);
    const std::size_t colon = lines.find(':', at);
    std::string name = lines.substr(at, colon - at);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    out.headers[name] = lines.substr(colon + 2, stop - colon - 2);
    at = stop + 2;
  }
  if (head || !out.headers.contains("content-length")) return out;
  auto body = take(std::stoul(out.headers["content-length"]));
  if (!body) return std::nullopt;
  out.body = std::move(*body);
  return out;
}

std::optional<http_answer> http_client::get(std::string_view target, std::string_view extra_headers) {
  send("GET " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" + std::string(extra_headers) + "\r\n");
  return read_answer();
}

std::optional<http_answer> http_client::upgrade(std::string_view target, std::string_view extra_headers) {
  send("GET " + std::string(target) +
       " HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
       std::string(extra_headers) + "\r\n");
  return read_answer();
}

std::string http_client::frame(int opcode, std::string_view payload, bool fin, bool masked, bool compressed) {
  std::string out;
  out += static_cast<char>((fin ? 0x80 : 0) | (compressed ? 0x40 : 0) | opcode);
  const int mask_bit = masked ? 0x80 : 0;
  auto put = [&](unsigned octets) {
    for (unsigned left = octets; left > 0; --left)
      out += static_cast<char>((payload.size() >> (8 * (left - 1))) & 0xff);
  };
  if (payload.size() < 126) {
    out += static_cast<char>(mask_bit | static_cast<int>(payload.size()));
  } else if (payload.size() < 65536) {
    out += static_cast<char>(mask_bit | 126);
    put(2);
  } else {
    out += static_cast<char>(mask_bit | 127);
    put(8);
  }
  if (!masked) return out.append(payload);
  constexpr std::string_view key = "\x11\x22\x33\x44";
  out += key;
  for (std::size_t i = 0; i < payload.size(); ++i)
    out += static_cast<char>(payload[i] ^ key[i % 4]);
  return out;
}

std::optional<ws_message> http_client::read_frame() {
  const auto head = take(2);
  if (!head) return std::nullopt;
  ws_message out;
  const auto first = static_cast<unsigned char>((*head)[0]);
  out.fin = (first & 0x80) != 0;
  out.compressed = (first & 0x40) != 0;
  out.opcode = first & 0x0f;
  std::size_t size = static_cast<unsigned char>((*head)[1]);  // a set mask bit makes this fail, as it should
  if (size == 126 || size == 127) {
    const auto more = take(size == 126 ? 2 : 8);
    if (!more) return std::nullopt;
    size = 0;
    for (unsigned char c : *more)
      size = size * 256 + c;
  }
  auto payload = take(size);
  if (!payload) return std::nullopt;
  out.payload = std::move(*payload);
  return out;
}

unsigned http_client::data_segments() const {
  tcp_info info{};
  socklen_t size = sizeof info;
  ::getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size);
  return info.tcpi_data_segs_in;
}

}  // namespace roombus::test
