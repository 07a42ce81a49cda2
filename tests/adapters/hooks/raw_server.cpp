#include "tests/adapters/hooks/raw_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>
#include <utility>

#include <openssl/ssl.h>

namespace roombus::test {

namespace {

int listen_somewhere(std::uint16_t& port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  if (fd < 0 || ::bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(fd, 128) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

std::string raw_request::header(std::string_view name) const {
  const std::string wanted = "\r\n" + std::string(name) + ": ";
  const std::size_t at = head.find(wanted);
  if (at == std::string::npos) return "";
  const std::size_t from = at + wanted.size();
  return head.substr(from, head.find("\r\n", from) - from);
}

std::optional<raw_request> raw_connection::read() {
  while (true) {
    const std::size_t end = buffer_.find("\r\n\r\n");
    if (end != std::string::npos) {
      raw_request out;
      out.head = buffer_.substr(0, end);
      const std::string length = out.header("Content-Length");
      const std::size_t size = length.empty() ? 0 : std::stoul(length);
      if (buffer_.size() >= end + 4 + size) {
        out.body = buffer_.substr(end + 4, size);
        buffer_.erase(0, end + 4 + size);
        return out;
      }
    }
    std::array<char, 16384> block{};
    const ssize_t n = tls_ != nullptr ? SSL_read(tls_, block.data(), static_cast<int>(block.size()))
                                      : ::recv(fd_, block.data(), block.size(), 0);
    if (n <= 0) return std::nullopt;
    buffer_.append(block.data(), static_cast<std::size_t>(n));
  }
}

bool raw_connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                      : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool raw_connection::answer(std::string_view json, std::string_view extra_headers) {
  return send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + std::string(extra_headers) +
              "Content-Length: " + std::to_string(json.size()) + "\r\n\r\n" + std::string(json));
}

void raw_connection::wait_for_end() {
  while (read()) {
  }
}

void raw_connection::end() {
  if (tls_ != nullptr) SSL_shutdown(tls_);
  ::shutdown(fd_, SHUT_WR);
}

std::string raw_connection::wanted_host() const {
  const char* name = tls_ == nullptr ? nullptr : SSL_get_servername(tls_, TLSEXT_NAMETYPE_host_name);
  return name == nullptr ? "" : name;
}

void raw_connection::send_session_ticket() {
  if (SSL_new_session_ticket(tls_) != 1 || SSL_do_handshake(tls_) != 1) throw std::runtime_error("no session ticket");
}

raw_server::raw_server(std::function<void(raw_connection&)> serve, const std::optional<certificate_files>& own)
    : serve_(std::move(serve)), tls_(nullptr, SSL_CTX_free) {
  if (own) {
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to sockets as to files
    tls_.reset(SSL_CTX_new(TLS_server_method()));
    if (SSL_CTX_use_certificate_chain_file(tls_.get(), own->cert.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls_.get(), own->key.c_str(), SSL_FILETYPE_PEM) != 1) {
      throw std::runtime_error("no certificate");
    }
  }
  listener_ = listen_somewhere(port);
  acceptor_ = std::thread([this] { accept_all(); });
}

void raw_server::serve_one(int fd, std::size_t number) {
  if (!tls_) {
    raw_connection connection(fd, number, nullptr);
    return serve_(connection);
  }
  const std::unique_ptr<SSL, void (*)(SSL*)> session(SSL_new(tls_.get()), SSL_free);
  SSL_set_fd(session.get(), fd);
  const int no_delay = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof no_delay);
  if (SSL_accept(session.get()) != 1) return;
  raw_connection connection(fd, number, session.get());
  serve_(connection);
  if (connection.ends_tls) SSL_shutdown(session.get());
}

raw_server::~raw_server() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard guard(lock_);
    for (const int fd : open_)
      ::shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& t : threads_)
    t.join();
  ::close(listener_);
}

void raw_server::accept_all() {
  while (!stopping_) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    const std::size_t number = ++connections_;
    const std::lock_guard guard(lock_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd, number] {
      serve_one(fd, number);
      const std::lock_guard inner(lock_);
      open_.erase(std::find(open_.begin(), open_.end(), fd));
      ::close(fd);
    });
  }
}

std::uint16_t closed_port() {
  std::uint16_t port = 0;
  ::close(listen_somewhere(port));
  return port;
}

}  // namespace roombus::test
