#include "bridge/server/healthcheck.hpp"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <ostream>
#include <system_error>

namespace roombus::server {

namespace {

constexpr timeval wait_limit{3, 0};

class owned_socket {
 public:
  explicit owned_socket(int fd) : fd_(fd) {}
  owned_socket(const owned_socket&) = delete;
  owned_socket& operator=(const owned_socket&) = delete;
  ~owned_socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

int healthcheck(const endpoint& where, const std::string& path, std::ostream& err) {
  std::string host = where.host;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(host.c_str(), std::to_string(where.port).c_str(), &hints, &found); code != 0) {
    err << "healthcheck: " << where.str() << ": " << gai_strerror(code) << '\n';
    return 1;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  const owned_socket socket(::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol));
  // SO_SNDTIMEO bounds connect(), too
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &wait_limit, sizeof wait_limit);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &wait_limit, sizeof wait_limit);
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + where.str() + "\r\nConnection: close\r\n\r\n";
  std::array<char, 4096> answer{};  // what does not fit says nothing more
  std::size_t got = 0;
  if (::connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0 ||
      ::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    err << "healthcheck: " << where.str() << ": " << std::generic_category().message(errno) << '\n';
    return 1;
  }
  while (got < answer.size()) {
    const ssize_t n = ::recv(socket.get(), answer.data() + got, answer.size() - got, 0);
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
  }
  const std::string_view all(answer.data(), got);
  const std::string_view status = all.substr(0, 12);
  if (status.starts_with("HTTP/1.") && status.ends_with(" 200")) return 0;
  err << "healthcheck: " << where.str() << path << " answered "
      << (status.size() < 12 ? std::string_view("nothing") : status.substr(9));
  if (const std::size_t body = all.find("\r\n\r\n"); body != std::string_view::npos) {
    std::string_view why = all.substr(body + 4);
    while (why.ends_with('\n'))
      why.remove_suffix(1);
    if (!why.empty()) err << ": " << why;
  }
  err << '\n';
  return 1;
}

}  // namespace roombus::server
