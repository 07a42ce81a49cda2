#pragma once

// Internal to adapters/http: one accepted socket and its outgoing queue.
//
// Everything that goes to the peer (HTTP responses, WebSocket frames of ours and of Beast) is one queue of byte chunks.
// It is flushed once per turn of the loop with gather writes, so all that was pushed in one turn leaves in one system
// call. Writes are non-blocking and synchronous: no chunk is ever in use by the kernel after `flush`, which is why
// small pushes can be appended to the last chunk. The link owns its session; the session reads from the socket.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "adapters/http/server_core.hpp"
#include "core/value.hpp"

namespace roombus::http {

using io_executor = boost::asio::io_context::executor_type;
using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, io_executor>;

/// What a link reports to its session (HTTP or WebSocket). Never called from within one of the link's own functions.
class link_owner {
 public:
  virtual ~link_owner() = default;
  /// The queue is empty; asked for with `notify_drained`, once.
  virtual void on_drained() = 0;
  /// The socket is gone (write error, full queue, `fail`). Last call.
  virtual void on_failed() = 0;
  /// The server is being destroyed: let go of what belongs to handlers (they may hold us), and call none. Last call.
  virtual void on_dropped() = 0;
  /// Every check period: look at deadlines.
  virtual void on_check(std::int64_t now_ms) = 0;
  /// The server wants to end this connection politely.
  virtual void on_server_close() = 0;
};

class tcp_link : public std::enable_shared_from_this<tcp_link> {
 public:
  tcp_link(std::shared_ptr<server_core> core, tcp_socket socket, std::string remote_address);

  [[nodiscard]] tcp_socket& socket() { return socket_; }
  [[nodiscard]] const std::string& remote_address() const { return remote_address_; }
  [[nodiscard]] server_core& core() { return *core_; }
  void set_owner(std::shared_ptr<link_owner> owner) { owner_ = std::move(owner); }

  /// Bytes queued that the kernel has not taken.
  [[nodiscard]] std::size_t queued() const { return queued_; }
  /// When the kernel last took bytes, or the queue stopped being empty (`server_core::now_ms`).
  [[nodiscard]] std::int64_t progress_ms() const { return progress_ms_; }
  [[nodiscard]] bool open() const { return state_ == state::open; }
  /// Queues bytes. They are dropped when the link is not open any more.
  void push(shared_buffer bytes);
  void push(std::string bytes);
  void push_copy(std::string_view bytes);
  /// Makes a queue of more than `max` bytes end the link as a slow consumer. 0: no bound.
  void bound_queue(std::size_t max) { max_queue_ = max; }
  /// Calls the owner's `on_drained` once, when the queue is or becomes empty.
  void notify_drained();

  /// Ends at once: queued bytes are dropped, the peer gets a reset. The owner hears `on_failed` a turn later.
  void fail();
  /// Ends politely: lets the owner go, sends what is queued, shuts down, and reads until the peer's end of stream or
  /// `limits::close_wait`. (Closing a socket with unread bytes would reset it, and the peer might lose our last words.)
  void finish();
  /// Ends at once where nothing is queued and nothing of the peer's is awaited; else `finish`. The owner hears
  /// `on_failed` a turn later.
  void leave();
  /// Closes without telling anybody; for the server's destructor.
  void drop();
  void check(std::int64_t now_ms);
  void server_close();

 private:
  struct chunk {
    shared_buffer shared;
    std::string own;  // used when `shared` is null
    [[nodiscard]] std::string_view bytes() const { return shared ? std::string_view(*shared) : std::string_view(own); }
  };
  enum class state : std::uint8_t { open, finishing, closed };

  [[nodiscard]] bool admit(std::size_t n);
  void schedule_flush();
  void flush();
  void consume(std::size_t n);
  void wait_writable();
  void shut_down();
  void drain_input();
  void close_socket();

  std::shared_ptr<server_core> core_;  // shared: a link that somebody holds may outlive the server
  tcp_socket socket_;
  std::string remote_address_;
  std::shared_ptr<link_owner> owner_;  // shared: pending reads of the session hold it too
  std::vector<chunk> chunks_;
  std::size_t first_ = 0;         // chunk that is sent next
  std::size_t first_offset_ = 0;  // bytes of it that are sent
  std::size_t queued_ = 0;
  std::size_t max_queue_ = 0;
  std::int64_t progress_ms_ = 0;
  std::int64_t deadline_ms_ = 0;  // of finishing
  std::size_t drained_input_ = 0;
  state state_ = state::open;
  bool flush_pending_ = false;
  bool waiting_writable_ = false;
  bool notify_drained_ = false;
};

}  // namespace roombus::http
