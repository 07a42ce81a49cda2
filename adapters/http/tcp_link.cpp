#include "adapters/http/tcp_link.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <boost/asio/post.hpp>

namespace roombus::http {

namespace asio = boost::asio;

namespace {

constexpr std::size_t small_push = 1024;            // below this a copy is cheaper than an entry of its own
constexpr std::size_t own_chunk_limit = 32 * 1024;  // small pushes are gathered up to this
constexpr std::size_t gather_buffers = 64;
constexpr std::size_t gather_bytes = 256 * 1024;
constexpr std::size_t kept_capacity = 4 * 1024;  // of an empty queue's buffer
constexpr std::size_t drained_input_limit = 16 * 1024 * 1024;

}  // namespace

tcp_link::tcp_link(std::shared_ptr<server_core> core, tcp_socket socket, std::string remote_address)
    : core_(std::move(core)), socket_(std::move(socket)), remote_address_(std::move(remote_address)) {}

bool tcp_link::admit(std::size_t n) {
  if (state_ != state::open || n == 0) return false;
  if (max_queue_ > 0 && queued_ + n > max_queue_) {
    core_->metrics.slow_consumers.add();
    core_->log.write(log_level::warning, "slow_consumer",
                     remote_address_ + " reads too slowly: " + std::to_string(queued_) +
                         " bytes are queued for it, the connection is ended");
    fail();
    return false;
  }
  if (queued_ == 0) progress_ms_ = server_core::now_ms();
  queued_ += n;
  return true;
}

void tcp_link::push(shared_buffer bytes) {
  if (bytes->size() < small_push) return push_copy(*bytes);
  if (!admit(bytes->size())) return;
  chunks_.push_back({std::move(bytes), {}});
  schedule_flush();
}

void tcp_link::push(std::string bytes) {
  if (bytes.size() < small_push) return push_copy(bytes);
  if (!admit(bytes.size())) return;
  chunks_.push_back({nullptr, std::move(bytes)});
  schedule_flush();
}

void tcp_link::push_copy(std::string_view bytes) {
  if (!admit(bytes.size())) return;
  const bool append =
      !chunks_.empty() && !chunks_.back().shared && chunks_.back().own.size() + bytes.size() <= own_chunk_limit;
  if (append) {
    chunks_.back().own += bytes;
  } else {
    chunks_.push_back({nullptr, std::string(bytes)});
  }
  schedule_flush();
}

void tcp_link::notify_drained() {
  notify_drained_ = true;
  schedule_flush();
}

void tcp_link::schedule_flush() {
  if (flush_pending_ || waiting_writable_) return;
  flush_pending_ = true;
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->flush(); });
}

void tcp_link::flush() {
  flush_pending_ = false;
  if (state_ == state::closed || waiting_writable_) return;
  while (queued_ > 0) {
    std::array<iovec, gather_buffers> parts;
    std::size_t count = 0;
    std::size_t total = 0;
    for (std::size_t i = first_; i < chunks_.size() && count < gather_buffers && total < gather_bytes; ++i) {
      std::string_view bytes = chunks_[i].bytes();
      if (i == first_) bytes.remove_prefix(first_offset_);
      if (bytes.empty()) continue;
      // sendmsg does not write to its buffers, its C interface only cannot say so
      parts[count++] = {const_cast<char*>(bytes.data()), bytes.size()};
      total += bytes.size();
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return wait_writable();
      return fail();
    }
    consume(static_cast<std::size_t>(sent));
    if (static_cast<std::size_t>(sent) < total) return wait_writable();
  }
  if (state_ == state::finishing) return shut_down();
  if (std::exchange(notify_drained_, false) && owner_) {
    auto owner = owner_;
    owner->on_drained();
  }
}

void tcp_link::consume(std::size_t n) {
  core_->metrics.bytes_sent.add(n);
  queued_ -= n;
  if (n > 0 && queued_ > 0) progress_ms_ = server_core::now_ms();
  if (queued_ == 0) {
    // keeps one small buffer, so that the next frame needs no allocation
    if (!chunks_.back().shared && chunks_.back().own.capacity() <= kept_capacity) {
      if (chunks_.size() > 1) std::swap(chunks_.front(), chunks_.back());
      chunks_.resize(1);
      chunks_.front().own.clear();
    } else {
      chunks_.clear();
    }
    if (chunks_.capacity() > gather_buffers) chunks_.shrink_to_fit();
    first_ = 0;
    first_offset_ = 0;
    return;
  }
  first_offset_ += n;
  while (first_offset_ >= chunks_[first_].bytes().size()) {
    first_offset_ -= chunks_[first_].bytes().size();
    chunks_[first_] = {};
    ++first_;
  }
  if (first_ > gather_buffers && first_ > chunks_.size() / 2) {
    chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void tcp_link::wait_writable() {
  waiting_writable_ = true;
  socket_.async_wait(tcp_socket::wait_write, [self = shared_from_this()](const boost::system::error_code& error) {
    self->waiting_writable_ = false;
    if (self->state_ == state::closed) return;
    // aborted: the session cancelled its own read, which cancels all that waits on the socket
    if (error && error != asio::error::operation_aborted) return self->fail();
    self->flush();
  });
}

void tcp_link::close_socket() {
  state_ = state::closed;
  boost::system::error_code ignored;
  socket_.close(ignored);
  chunks_.clear();
  first_ = first_offset_ = queued_ = 0;
}

void tcp_link::fail() {
  if (state_ == state::closed) return;
  boost::system::error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close_socket();
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (auto owner = std::exchange(self->owner_, nullptr)) owner->on_failed();
    self->core_->remove(self);
  });
}

void tcp_link::leave() {
  if (state_ != state::open) return;
  if (queued_ > 0) return finish();
  close_socket();
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (auto owner = std::exchange(self->owner_, nullptr)) owner->on_failed();
    self->core_->remove(self);
  });
}

void tcp_link::finish() {
  if (state_ != state::open) return;
  state_ = state::finishing;
  constexpr std::uint32_t wait_while_stopping_ms = 250;  // a stop does not wait long for peers that do not look
  const std::uint32_t wait_ms = core_->bounds.close_wait_ms;
  deadline_ms_ = server_core::now_ms() + (core_->closing ? std::min(wait_ms, wait_while_stopping_ms) : wait_ms);
  // posted: the owner may be what calls us
  asio::post(socket_.get_executor(), [owner = std::exchange(owner_, nullptr)] {});
  schedule_flush();
}

void tcp_link::shut_down() {
  boost::system::error_code error;
  socket_.shutdown(tcp_socket::shutdown_send, error);
  drain_input();
}

void tcp_link::drain_input() {
  socket_.async_wait(tcp_socket::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
    if (self->state_ == state::closed) return;
    std::array<char, 16 * 1024> sink;
    const ssize_t n = error ? -1 : ::recv(self->socket_.native_handle(), sink.data(), sink.size(), MSG_DONTWAIT);
    const bool again = n < 0 && !error && (errno == EAGAIN || errno == EINTR);
    if (n > 0) self->drained_input_ += static_cast<std::size_t>(n);
    if (again || (n > 0 && self->drained_input_ < drained_input_limit)) return self->drain_input();
    self->close_socket();
    self->core_->remove(self);
  });
}

void tcp_link::drop() {
  if (state_ != state::closed) close_socket();
  if (auto owner = std::exchange(owner_, nullptr)) owner->on_dropped();
}

void tcp_link::check(std::int64_t now_ms) {
  if (state_ == state::finishing && now_ms >= deadline_ms_) return fail();
  if (state_ == state::open && owner_) {
    auto owner = owner_;
    owner->on_check(now_ms);
  }
}

void tcp_link::server_close() {
  if (state_ != state::open || !owner_) return;
  auto owner = owner_;
  owner->on_server_close();
}

}  // namespace roombus::http
