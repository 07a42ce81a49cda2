#include "bridge/server/cli/api_client.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "bridge/server/cli/cli.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::server {

namespace {

namespace bhttp = boost::beast::http;
using steady = std::chrono::steady_clock;

constexpr std::uint64_t max_answer = 256ULL << 20U;
constexpr std::size_t max_frame = 64ULL << 20U;
constexpr std::chrono::seconds stream_silence{45};  // the service says something every 15 s

class owned_socket {
 public:
  owned_socket() = default;
  explicit owned_socket(int fd) : fd_(fd) {}
  owned_socket(owned_socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  owned_socket& operator=(owned_socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~owned_socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_ = -1;
};

/// False when nothing happened in time.
bool wait_for(int fd, short events, steady::time_point until) {
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - steady::now()).count();
    pollfd one{fd, events, 0};
    const int n = ::poll(&one, 1, static_cast<int>(std::max<std::int64_t>(0, left)));
    if (n > 0) return true;
    if (n < 0 && errno == EINTR) continue;
    return false;
  }
}

/// One connection, whose reads and writes wait no longer than they are told.
class connection {
 public:
  connection(const std::string& host, const std::string& port, const std::string& name, steady::time_point until)
      : name_(name) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); code != 0) {
      throw cli_failure(exit_no_service, name_ + ": " + gai_strerror(code));
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
    int problem = 0;
    for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
      problem = try_connect(*a, until);
      if (problem == 0) return;
    }
    throw cli_failure(exit_no_service, name_ + " cannot be reached: " + std::generic_category().message(problem));
  }

  void send(std::string_view bytes, steady::time_point until) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (!wait_for(socket_.get(), POLLOUT, until)) lost("takes nothing");
      } else if (errno != EINTR) {
        lost(std::generic_category().message(errno));
      }
    }
  }

  /// Appends what has come; false at the end of the stream.
  bool read(std::string& to, steady::time_point until) {
    while (true) {
      std::array<char, 16 * 1024> block;
      const ssize_t n = ::recv(socket_.get(), block.data(), block.size(), 0);
      if (n > 0) {
        to.append(block.data(), static_cast<std::size_t>(n));
        return true;
      }
      if (n == 0) return false;
      if (errno == EINTR) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) lost(std::generic_category().message(errno));
      if (!wait_for(socket_.get(), POLLIN, until)) lost("does not answer");
    }
  }

  [[noreturn]] void lost(const std::string& why) const { throw cli_failure(exit_no_service, name_ + ": " + why); }

 private:
  int try_connect(const addrinfo& a, steady::time_point until) {
    owned_socket s(::socket(a.ai_family, a.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a.ai_protocol));
    if (s.get() < 0) return errno;
    if (::connect(s.get(), a.ai_addr, a.ai_addrlen) != 0) {
      if (errno != EINPROGRESS) return errno;
      if (!wait_for(s.get(), POLLOUT, until)) return ETIMEDOUT;
      int problem = 0;
      socklen_t size = sizeof problem;
      ::getsockopt(s.get(), SOL_SOCKET, SO_ERROR, &problem, &size);
      if (problem != 0) return problem;
    }
    socket_ = std::move(s);
    return 0;
  }

  std::string name_;
  owned_socket socket_;
};

using response_parser = bhttp::response_parser<bhttp::string_body>;

/// Reads until `done` answers true after some bytes were parsed, or the answer is complete.
template <class Done>
void read_answer(connection& from, response_parser& parser, const std::function<steady::time_point()>& deadline,
                 Done done) {
  std::string buffer;
  while (!parser.is_done()) {
    if (!from.read(buffer, deadline())) {
      boost::system::error_code error;
      if (parser.got_some()) parser.put_eof(error);
      if (!parser.got_some() || error) from.lost("ended the connection");
      return;
    }
    while (!buffer.empty() && !parser.is_done()) {
      boost::system::error_code error;
      const std::size_t used = parser.put(boost::asio::buffer(std::as_const(buffer)), error);
      buffer.erase(0, used);
      if (error && error != bhttp::error::need_more) from.lost("does not speak HTTP: " + error.message());
      if (used == 0) break;
    }
    if (done()) return;
  }
}

api_outcome outcome_of(unsigned status, std::string body, const std::string& authority) {
  codec_limits limits;
  limits.max_bytes = max_answer;
  limits.max_items = 10'000'000;
  limits.max_depth = 300;
  auto parsed = json::read(body, limits);
  value_map* fields = parsed ? parsed->if_map() : nullptr;
  if (fields == nullptr) {
    throw cli_failure(exit_no_service, authority + " answered " + std::to_string(status) +
                                           " and no JSON: is this the admin listener of a roombus?");
  }
  api_outcome out;
  out.body = std::move(body);
  if (value* error = fields->find("error"); error != nullptr && error->if_map() != nullptr) {
    out.error = *error->if_map();
    const value* text = out.error.find("text");
    if (status == 401) {
      throw cli_failure(exit_no_service, authority + ": " +
                                             (text != nullptr && text->if_text() ? *text->if_text() : "unauthorised") +
                                             " (--key, --key-file, ROOMBUS_KEY)");
    }
    return out;
  }
  out.ok = true;
  if (value* result = fields->find("result")) out.result = std::move(*result);
  if (value* extra = fields->find("extra"); extra != nullptr && extra->if_list() != nullptr) {
    out.extra = std::move(*extra->if_list());
  }
  return out;
}

/// Takes complete event-stream frames out of `text`; false when `on_event` wants no more.
bool take_frames(std::string& text, const std::function<bool(std::string_view, std::string_view)>& on_event) {
  for (std::size_t end = text.find("\n\n"); end != std::string::npos; end = text.find("\n\n")) {
    std::string_view frame = std::string_view(text).substr(0, end);
    std::string_view name;
    std::string_view data;
    while (!frame.empty()) {
      const std::size_t stop = frame.find('\n');
      const std::string_view line = frame.substr(0, stop);
      if (line.starts_with("event: ")) name = line.substr(7);
      if (line.starts_with("data: ")) data = line.substr(6);
      frame.remove_prefix(stop == std::string_view::npos ? frame.size() : stop + 1);
    }
    if (!name.empty() && !on_event(name, data)) return false;
    text.erase(0, end + 2);
  }
  return true;
}

}  // namespace

api_client::api_client(const std::string& url, std::string key, std::chrono::milliseconds timeout)
    : key_(std::move(key)), timeout_(timeout) {
  constexpr std::string_view scheme = "http://";
  const cli_failure wrong(exit_wrong_usage, url + ": expected http://host:port");
  if (!url.starts_with(scheme)) throw wrong;
  authority_ = url.substr(scheme.size());
  while (authority_.ends_with('/'))
    authority_.pop_back();
  if (authority_.empty() || authority_.find_first_of("/?#@ \t\r\n") != std::string::npos) throw wrong;
  const std::size_t colon = authority_.rfind(':');
  const bool has_port = colon != std::string::npos && authority_.find(']', colon) == std::string::npos;
  host_ = authority_.substr(0, has_port ? colon : std::string::npos);
  port_ = has_port ? authority_.substr(colon + 1) : "80";
  if (host_.starts_with('[') && host_.ends_with(']')) host_ = host_.substr(1, host_.size() - 2);
  if (host_.empty() || port_.empty() || port_.find_first_not_of("0123456789") != std::string::npos) throw wrong;
}

api_outcome api_client::call(std::string_view method, const value& args) {
  const auto until = steady::now() + timeout_;
  connection to(host_, port_, authority_, until);
  const std::string body = json::write(args);
  std::string request = "POST /api/v1/" + percent_encoded(method) + " HTTP/1.1\r\nHost: " + authority_ +
                        "\r\nConnection: close\r\nContent-Type: application/json\r\nAccept: application/json\r\n";
  if (!key_.empty()) request += "Authorization: Bearer " + key_ + "\r\n";
  request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  to.send(request, until);
  response_parser parser;
  parser.body_limit(max_answer);
  parser.eager(true);
  read_answer(
      to, parser, [until] { return until; }, [] { return false; });
  return outcome_of(parser.get().result_int(), std::move(parser.get().body()), authority_);
}

api_outcome api_client::stream(std::string_view path,
                               const std::function<bool(std::string_view, std::string_view)>& on_event) {
  const auto until = steady::now() + timeout_;
  connection to(host_, port_, authority_, until);
  std::string request = "GET /api/v1/" + std::string(path) + " HTTP/1.1\r\nHost: " + authority_ +
                        "\r\nAccept: text/event-stream, application/json\r\n";
  if (!key_.empty()) request += "Authorization: Bearer " + key_ + "\r\n";
  to.send(request + "\r\n", until);
  response_parser parser;
  parser.body_limit(boost::none);
  parser.eager(true);
  std::string text;
  bool wanted = true;
  const auto is_stream = [&parser] { return parser.is_header_done() && parser.get().result_int() == 200; };
  read_answer(
      to, parser, [&] { return is_stream() ? steady::now() + stream_silence : until; },
      [&] {
        if (!is_stream()) return false;
        text += std::exchange(parser.get().body(), {});
        wanted = take_frames(text, on_event);
        if (text.size() > max_frame) to.lost("sends an event without an end");
        return !wanted;
      });
  if (!is_stream()) return outcome_of(parser.get().result_int(), std::move(parser.get().body()), authority_);
  if (wanted) throw cli_failure(exit_no_service, authority_ + " ended the stream");
  api_outcome out;
  out.ok = true;
  return out;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '~' || c == '.';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += digits[byte >> 4];
      out += digits[byte & 15];
    }
  }
  return out;
}

}  // namespace roombus::server
