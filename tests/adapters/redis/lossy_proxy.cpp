#include "tests/adapters/redis/lossy_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace roombus::test {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(port);
  return where;
}

}  // namespace

lossy_proxy::lossy_proxy(std::uint16_t server_port)
    : server_port_(server_port), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
  sockaddr_in where = loopback(0);
  socklen_t size = sizeof where;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&where), size) != 0 || ::listen(listener_, 8) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&where), &size) != 0) {
    throw std::runtime_error("the proxy cannot listen");
  }
  port_ = ntohs(where.sin_port);
  thread_ = std::thread([this] { run(); });
}

lossy_proxy::~lossy_proxy() {
  stopping_ = true;
  thread_.join();
  ::close(listener_);
}

/// False when the connection is over.
bool lossy_proxy::pass_on(int from, int to, bool is_answer) {
  std::array<char, 65536> bytes{};
  const ssize_t got = ::recv(from, bytes.data(), bytes.size(), 0);
  if (got <= 0) return false;
  if (is_answer && lose_.exchange(false)) {
    ++lost_;
    return false;
  }
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t n = ::send(to, bytes.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
    if (n <= 0) return false;
    sent += n;
  }
  return true;
}

void lossy_proxy::run() {
  int client = -1;
  int server = -1;
  while (!stopping_) {
    // without a connection only the listener is looked at, with one only its two ends
    std::array<pollfd, 2> watched{pollfd{client < 0 ? listener_ : client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
    if (::poll(watched.data(), client < 0 ? 1 : 2, 20) <= 0) continue;
    if (client < 0) {
      client = ::accept(listener_, nullptr, nullptr);
      server = ::socket(AF_INET, SOCK_STREAM, 0);
      const sockaddr_in where = loopback(server_port_);
      if (::connect(server, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0) continue;
    } else if ((watched[0].revents == 0 || pass_on(client, server, false)) &&
               (watched[1].revents == 0 || pass_on(server, client, true))) {
      continue;
    }
    ::close(client);
    ::close(server);
    client = server = -1;
  }
  if (client >= 0) {
    ::close(client);
    ::close(server);
  }
}

}  // namespace roombus::test
