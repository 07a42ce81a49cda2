#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/system/error_code.hpp>

#include "adapters/net/tls_context.hpp"

namespace roombus {
class event_loop;
}

namespace roombus::net {

/// One connection that we make, for one life: over TCP, or TLS 1.2 and newer over it. Belongs to the loop's thread.
///
/// With TLS the server must show a certificate that `tls_context` trusts and that is for the host it was asked for, by
/// name or by address (RFC 6125, RFC 2818); without that no byte of ours leaves. Handlers are called later, once, and
/// not any more after `close`; they are let go with what they hold when the operating system has ended what was under
/// way. At most one write and one read are under way at a time.
class client_stream {
 public:
  /// Without a context it is plain TCP. `input_bytes`: of the buffer, and so of one read.
  client_stream(event_loop& loop, std::shared_ptr<tls_context> tls, std::size_t input_bytes);
  /// Closes.
  ~client_stream();
  client_stream(const client_stream&) = delete;
  client_stream& operator=(const client_stream&) = delete;

  /// `host`: name or address, without brackets. `done` gets what went wrong, for people, or "". There is no time limit
  /// here: whoever is tired of waiting closes.
  void connect(const std::string& host, std::uint16_t port, std::function<void(std::string trouble)> done);
  /// What `connect` is at, for people: "connecting", or one of its other steps.
  [[nodiscard]] std::string_view step() const;

  /// Writes all of `bytes`. `may_have_left`, with an error: the peer may have got some of them.
  void write(std::shared_ptr<const std::string> bytes,
             std::function<void(const boost::system::error_code& error, bool may_have_left)> done);
  /// Reads what comes next; it is good during the call. An end that the peer meant is asio::error::eof; with TLS an end
  /// that it did not announce is another error.
  void read(std::function<void(const boost::system::error_code& error, std::string_view bytes)> done);
  /// In `done` of a read: the next read, with the same `done`.
  void read_on();

  /// While nothing is asked of the peer: calls `ended` when it closes or says something. What belongs to TLS itself
  /// (session tickets come after the handshake, as bytes that can be read) is neither.
  void rest(std::function<void()> ended);
  /// Ends the rest. `then` gets whether the connection is still good as far as one can know, at once or later.
  void resume(std::function<void(bool alive)> then);

  /// Ends it at once, without waiting for the peer.
  void close();

 private:
  class machine;
  std::shared_ptr<machine> machine_;  // shared with handlers of the socket
};

/// What went wrong on a connection, for people.
[[nodiscard]] std::string text_of(const boost::system::error_code& error);

}  // namespace roombus::net
