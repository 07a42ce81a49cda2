#include "adapters/net/client_stream.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "adapters/loop/event_loop.hpp"
#include "adapters/net/tls_context_impl.hpp"
#include "adapters/net/tls_trouble.hpp"

namespace roombus::net {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

namespace {

// with the loop's own executor type: that of any executor costs some hundred instructions per operation
using loop_executor = asio::io_context::executor_type;
using tcp_socket = asio::basic_stream_socket<tcp, loop_executor>;
using tcp_resolver = asio::ip::basic_resolver<tcp, loop_executor>;

}  // namespace

class client_stream::machine : public std::enable_shared_from_this<machine> {
 public:
  machine(event_loop& loop, std::shared_ptr<tls_context> context, std::size_t input_bytes)
      : socket_(loop.context()), resolver_(loop.context()), context_(std::move(context)), input_(input_bytes) {
    if (context_) tls_.emplace(socket_, context_->settings);
  }

  // --- connecting ---

  void connect(const std::string& host, std::uint16_t port, std::function<void(std::string)> done) {
    host_ = host;
    on_connected_ = std::move(done);
    step_ = "connecting";
    error_code not_numeric;
    const auto address = asio::ip::make_address(host_, not_numeric);
    numeric_ = !not_numeric;
    // numeric addresses are not asked of anybody
    if (numeric_) {
      socket_.async_connect(tcp::endpoint(address, port),
                            [self = shared_from_this()](const error_code& error) { self->on_tcp(error); });
      return;
    }
    step_ = "looking for the host";
    resolver_.async_resolve(
        host_, std::to_string(port), tcp_resolver::numeric_service,
        [self = shared_from_this()](const error_code& error, const tcp_resolver::results_type& all) {
          if (self->closed_) return;
          if (error) return self->connected("cannot find the host: " + error.message());
          self->step_ = "connecting";
          asio::async_connect(self->socket_, all,
                              [self](const error_code& failed, const tcp::endpoint&) { self->on_tcp(failed); });
        });
  }

  [[nodiscard]] std::string_view step() const { return step_; }

  // --- bytes ---

  void write(std::shared_ptr<const std::string> bytes, std::function<void(const error_code&, bool)> done) {
    output_ = std::move(bytes);
    on_written_ = std::move(done);
    auto handler = [self = shared_from_this()](const error_code& error, std::size_t written) {
      self->output_.reset();
      if (self->closed_) return;
      if (error && self->tls_) return self->fail_write(error);
      std::exchange(self->on_written_, nullptr)(error, written > 0);
    };
    if (tls_) {
      asio::async_write(*tls_, asio::buffer(*output_), std::move(handler));
    } else {
      asio::async_write(socket_, asio::buffer(*output_), std::move(handler));
    }
  }

  void read(std::function<void(const error_code&, std::string_view)> done) {
    on_read_ = std::move(done);
    if (kept_) {
      asio::post(socket_.get_executor(), [self = shared_from_this()] { self->hand_out(); });
    } else if (!reading_) {
      start_reading();
    }
  }

  void read_on() {
    again_ = true;
    start_reading();
  }

  // --- resting ---

  void rest(std::function<void()> ended) {
    ended_ = std::move(ended);
    if (tls_) {
      if (!reading_) start_reading();
    } else if (!watching_) {
      watching_ = true;
      socket_.async_wait(tcp_socket::wait_read, [self = shared_from_this()](const error_code&) {
        self->watching_ = false;
        self->tell_ended();
      });
    }
  }

  void resume(std::function<void(bool)> then) {
    ended_ = nullptr;
    if (tls_) return settle(std::move(then), max_turns);
    if (peek() == inbox::empty) return then(true);
    asio::post(socket_.get_executor(), [self = shared_from_this(), then = std::move(then)] {
      if (!self->closed_) then(false);
    });
  }

  void close() {
    closed_ = true;
    on_connected_ = nullptr;
    on_written_ = nullptr;
    on_read_ = nullptr;
    on_last_words_ = nullptr;
    ended_ = nullptr;
    error_code ignored;
    resolver_.cancel();
    socket_.close(ignored);
  }

 private:
  enum class inbox { empty, something, ended };
  struct completed_read {
    error_code error;
    std::size_t size = 0;
  };
  static constexpr int max_turns = 16;

  void on_tcp(const error_code& error) {
    if (closed_) return;
    if (error) return connected("cannot connect: " + error.message());
    error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    if (!tls_) return connected("");
    step_ = "in the TLS handshake";
    if (!expect_host()) return connected("TLS: no certificate can be for \"" + host_ + "\"");
    tls_->async_handshake(asio::ssl::stream_base::client, [self = shared_from_this()](const error_code& failed) {
      if (self->closed_) return;
      self->connected(failed ? handshake_trouble(failed, self->tls_->native_handle(), self->host_) : "");
    });
  }

  /// Says whom we want (SNI), and what the certificate must be for. False when that cannot be checked.
  bool expect_host() {
    SSL* session = tls_->native_handle();
    X509_VERIFY_PARAM* wanted = SSL_get0_param(session);
    if (numeric_) return X509_VERIFY_PARAM_set1_ip_asc(wanted, host_.c_str()) == 1;  // SNI has no addresses
    std::string name = host_;
    if (name.ends_with('.')) name.pop_back();  // the root of the DNS is not in certificates
    if (name.empty()) return false;
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(wanted, name.data(), name.size()) == 1 &&
           SSL_set_tlsext_host_name(session, name.c_str()) == 1;
  }

  void connected(std::string trouble) {
    if (auto tell = std::exchange(on_connected_, nullptr)) tell(std::move(trouble));
  }

  void start_reading() {
    reading_ = true;
    auto handler = [self = shared_from_this()](const error_code& error, std::size_t size) {
      self->reading_ = false;
      if (self->closed_) return;
      self->kept_ = completed_read{error, size};
      if (auto tell = std::exchange(self->on_last_words_, nullptr)) return tell();
      if (self->on_read_) return self->hand_out();
      self->tell_ended();
    };
    if (tls_) {
      tls_->async_read_some(asio::buffer(input_), std::move(handler));
    } else {
      socket_.async_read_some(asio::buffer(input_), std::move(handler));
    }
  }

  /// Of a write over TLS that failed nobody tells how much had left. Whoever closed the connection may have said why
  /// (an alert, such as for a certificate of ours that is missing): that was sent before, and says more.
  void fail_write(const error_code& error) {
    on_last_words_ = [this, error] {
      const bool alert = kept_->error.category() == asio::error::get_ssl_category();
      std::exchange(on_written_, nullptr)(alert ? kept_->error : error, true);
    };
    if (kept_) return std::exchange(on_last_words_, nullptr)();
    if (!reading_) start_reading();
  }

  void hand_out() {
    if (closed_ || !kept_ || !on_read_) return;
    const completed_read got = *kept_;
    kept_.reset();
    again_ = false;
    auto tell = std::exchange(on_read_, nullptr);
    tell(got.error, {input_.data(), got.size});
    if (again_ && !closed_) on_read_ = std::move(tell);
  }

  void tell_ended() {
    if (auto tell = std::exchange(ended_, nullptr)) tell();
  }

  /// What the system has for us that nobody has read.
  inbox peek() {
    char byte = 0;
    const ssize_t peeked = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (peeked > 0) return inbox::something;
    return peeked < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? inbox::empty : inbox::ended;
  }

  /// With TLS, bytes say nothing before they are decrypted: the read of the rest, which is still under way, gets a few
  /// turns of the loop to take them.
  void settle(std::function<void(bool)> then, int turns) {
    asio::post(socket_.get_executor(), [self = shared_from_this(), then = std::move(then), turns]() mutable {
      if (self->closed_) return;
      const inbox state = self->kept_ ? inbox::ended : self->peek();
      if (state == inbox::something && turns > 0) return self->settle(std::move(then), turns - 1);
      then(state == inbox::empty);
    });
  }

  tcp_socket socket_;
  tcp_resolver resolver_;
  std::shared_ptr<tls_context> context_;
  std::optional<asio::ssl::stream<tcp_socket&>> tls_;
  std::string host_;
  bool numeric_ = false;
  bool closed_ = false;
  bool watching_ = false;  // somebody waits for the socket to be readable
  bool reading_ = false;   // into `input_`
  std::string_view step_;
  bool again_ = false;  // what gets the present read gets the next, too
  std::vector<char> input_;
  std::shared_ptr<const std::string> output_;  // while a write is under way
  std::optional<completed_read> kept_;         // what nobody has asked for yet
  std::function<void(std::string)> on_connected_;
  std::function<void(const error_code&, bool)> on_written_;
  std::function<void(const error_code&, std::string_view)> on_read_;
  std::function<void()> on_last_words_;
  std::function<void()> ended_;
};

client_stream::client_stream(event_loop& loop, std::shared_ptr<tls_context> tls, std::size_t input_bytes)
    : machine_(std::make_shared<machine>(loop, std::move(tls), input_bytes)) {}

client_stream::~client_stream() {
  machine_->close();
}

void client_stream::connect(const std::string& host, std::uint16_t port, std::function<void(std::string)> done) {
  machine_->connect(host, port, std::move(done));
}

std::string_view client_stream::step() const {
  return machine_->step();
}

void client_stream::write(std::shared_ptr<const std::string> bytes, std::function<void(const error_code&, bool)> done) {
  machine_->write(std::move(bytes), std::move(done));
}

void client_stream::read(std::function<void(const error_code&, std::string_view)> done) {
  machine_->read(std::move(done));
}

void client_stream::read_on() {
  machine_->read_on();
}

void client_stream::rest(std::function<void()> ended) {
  machine_->rest(std::move(ended));
}

void client_stream::resume(std::function<void(bool)> then) {
  machine_->resume(std::move(then));
}

void client_stream::close() {
  machine_->close();
}

}  // namespace roombus::net
