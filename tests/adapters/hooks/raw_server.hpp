#pragma once

// A hook server for tests on POSIX sockets: answers exactly the bytes it is told to, or none; each connection has a
// thread. Shares no code with the client.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/test_certificates.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace roombus::test {

/// One request as it came.
struct raw_request {
  std::string head;  ///< without the empty line
  std::string body;
  /// Value of the header `name` (as written), or "".
  [[nodiscard]] std::string header(std::string_view name) const;
};

/// The server's end of one connection.
class raw_connection {
 public:
  raw_connection(int fd, std::size_t n, ssl_st* tls) : number(n), fd_(fd), tls_(tls) {}
  /// Nothing when the client closes or the server stops.
  std::optional<raw_request> read();
  /// False when the client is gone.
  bool send(std::string_view bytes);
  /// 200 with a JSON body and its length.
  bool answer(std::string_view json, std::string_view extra_headers = {});
  /// Waits until the client closes or the server stops.
  void wait_for_end();
  /// Says that nothing comes any more: by TLS where it is spoken, and then by TCP.
  void end();
  /// Whom the client wants, by TLS's server name indication; "" when it does not say.
  [[nodiscard]] std::string wanted_host() const;
  /// With TLS 1.3: what a server may send at any time, and what no client asked for.
  void send_session_ticket();

  const std::size_t number;  ///< of the connection, from 1
  bool ends_tls = true;      ///< before it closes the connection

 private:
  int fd_;
  ssl_st* tls_;  // or null
  std::string buffer_;
};

class raw_server {
 public:
  /// `serve` runs for each connection, on its own thread; the connection is closed when it returns.
  /// With a certificate it speaks TLS; who does not get through the handshake is not served.
  explicit raw_server(std::function<void(raw_connection&)> serve, const std::optional<certificate_files>& own = {});
  /// Ends all connections.
  ~raw_server();

  std::uint16_t port = 0;
  [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
  void accept_all();

  void serve_one(int fd, std::size_t number);

  std::function<void(raw_connection&)> serve_;
  std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> tls_;
  int listener_ = -1;
  std::atomic<std::size_t> connections_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex lock_;
  std::vector<int> open_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

/// A port on which nobody listens.
[[nodiscard]] std::uint16_t closed_port();

}  // namespace roombus::test
