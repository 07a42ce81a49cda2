#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/net/tls_context.hpp"
#include "core/ports/hook_caller.hpp"

namespace roombus {
class event_loop;
}

namespace roombus::hooks {

/// What came of one request.
struct exchange_result {
  exchange_result() = default;

  bool answered = false;
  unsigned status = 0;
  std::string content_type;
  std::string body;
  bool keep = false;                 ///< the connection can take another request
  std::int64_t keep_ms = INT64_MAX;  ///< for so long, by the peer's Keep-Alive header

  hook_failure failure = hook_failure::unreachable;  ///< not answered: why
  std::string detail;
  bool nothing_sent = false;      ///< not answered: certainly no byte of the request was written
  bool nothing_answered = false;  ///< not answered: no byte of an answer came
};

/// One connection to a hook server, for one request at a time. Belongs to the loop's thread.
class hook_connection {
 public:
  virtual ~hook_connection() = default;
  /// Sends the bytes of a request, after connecting where that is to be done, and reads the answer. `done` is called
  /// once, later, unless `close` comes first.
  virtual void exchange(std::shared_ptr<const std::string> request, std::function<void(exchange_result)> done) = 0;
  /// Between two requests: calls `ended` when the peer closes.
  virtual void rest(std::function<void()> ended) = 0;
  /// Ends it; nothing is called any more.
  virtual void close() = 0;
  /// While it is not connected: what it is at, for people ("in the TLS handshake"); else "".
  [[nodiscard]] virtual std::string_view step() const = 0;
};

struct hook_server_address {
  std::string host;  ///< name or address, without brackets
  std::uint16_t port = 80;
  std::shared_ptr<net::tls_context> tls;  ///< null: plain TCP
};

/// `max_body`: longest answer, bytes.
[[nodiscard]] std::shared_ptr<hook_connection> make_hook_connection(event_loop& loop, hook_server_address server,
                                                                    std::size_t max_body);

}  // namespace roombus::hooks
