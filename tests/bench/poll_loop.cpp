#include "tests/bench/poll_loop.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace roombus::bench {

void fail(const std::string& reason) {
  std::cerr << "roombus_load: " << reason << std::endl;
  std::exit(1);
}

address address::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  address result;
  if (colon != std::string_view::npos) {
    result.host = text.substr(0, colon);
    const auto port = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), result.port);
    if (error == std::errc() && end == port.data() + port.size()) return result;
  }
  fail("no address of the form host:port: " + std::string(text));
}

stream::stream(poll_loop& loop, const address& to) : loop_(loop), fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (fd_ < 0) fail(std::string("socket: ") + std::strerror(errno));
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in peer{};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(to.port);
  if (inet_pton(AF_INET, to.host.c_str(), &peer.sin_addr) != 1) fail("not an IPv4 address: " + to.host);
  // a blocking connect to loopback is fine: connecting is never measured
  if (connect(fd_, reinterpret_cast<sockaddr*>(&peer), sizeof peer) != 0) {
    fail("connect to " + to.str() + ": " + std::strerror(errno));
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = this;
  if (epoll_ctl(loop_.fd(), EPOLL_CTL_ADD, fd_, &event) != 0) fail("epoll_ctl");
}

stream::~stream() {
  close(fd_);
}

void stream::on_ready(std::uint32_t epoll_events) {
  if ((epoll_events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    static std::array<char, 65536> buffer;
    const ssize_t got = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got == 0) fail("the server closed a connection");
    if (got < 0 && errno != EAGAIN && errno != EINTR) fail(std::string("recv: ") + std::strerror(errno));
    if (got > 0) {
      input_.append(buffer.data(), static_cast<std::size_t>(got));
      input_.erase(0, consume(input_));
    }
  }
  flush();
}

void stream::flush() {
  while (!output_.empty()) {
    const ssize_t sent = send(fd_, output_.data(), output_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) break;
      if (errno == EINTR) continue;
      fail(std::string("send: ") + std::strerror(errno));
    }
    output_.erase(0, static_cast<std::size_t>(sent));
  }
  watch(!output_.empty());
}

void stream::watch(bool writable) {
  if (writable == watching_writable_) return;
  watching_writable_ = writable;
  epoll_event event{};
  event.events = writable ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = this;
  epoll_ctl(loop_.fd(), EPOLL_CTL_MOD, fd_, &event);
}

poll_loop::poll_loop() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (fd_ < 0) fail("epoll_create1");
}

poll_loop::~poll_loop() {
  close(fd_);
}

bool poll_loop::run(const std::function<bool()>& done, clock::time_point until) {
  std::array<epoll_event, 256> events{};
  while (!done()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now()).count();
    if (left <= 0) return false;
    const int count = epoll_wait(fd_, events.data(), static_cast<int>(events.size()), static_cast<int>(left));
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      static_cast<stream*>(event.data.ptr)->on_ready(event.events);
    }
  }
  return true;
}

}  // namespace roombus::bench
