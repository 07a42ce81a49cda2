#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/net/tls_context.hpp"
#include "adapters/redis/redis_url.hpp"
#include "adapters/redis/reply.hpp"
#include "core/ports/environment.hpp"

namespace roombus {
class event_loop;
}

namespace roombus::redis {

/// What a command does to what is stored, which decides what may be done when its answer does not come.
enum class effect : std::uint8_t {
  none,       ///< reads: may always be sent again
  once,       ///< changes something: never sent again
  repeatable  ///< changes something, and once more has the same effect and answer
};

struct connection_options {
  node_address address;
  std::shared_ptr<net::tls_context> tls;  ///< null: plain TCP
  std::string user;
  std::string password;
  std::uint32_t database = 0;
  std::string client_name;
  std::size_t max_requests = 20'000;             ///< that wait or are under way; more are refused at once
  std::size_t max_bytes = 64UL * 1024 * 1024;    ///< of those
  std::chrono::milliseconds stall_limit{5'000};  ///< a connection that answers nothing for so long is given up
  std::chrono::milliseconds connect_limit{2'000};
  std::chrono::milliseconds min_pause{20};  ///< before the next attempt to connect; doubles, with jitter
  std::chrono::milliseconds max_pause{1'000};
  bool replicas = false;  ///< writes are answered after WAIT 1
  std::chrono::milliseconds replica_limit{1'000};
  std::vector<std::string_view> scripts;  ///< loaded into the node before anything else is sent
  bool hold = true;  ///< requests wait for the next connection until their deadline; else they come back at once
};

struct connection_environment {
  event_loop& loop;
  clock& time;
  random_source& random;
  log_sink& log;
};

/// What became of a request.
struct outcome {
  enum class kind : std::uint8_t {
    answered,
    refused,      ///< too many wait; nothing was done
    not_sent,     ///< never written: nothing was done
    lost,         ///< the connection ended after it had been written: unknown
    late,         ///< no answer within its time: unknown
    unconfirmed,  ///< done, but no replica has it within `replica_limit`
  };
  outcome() = default;
  outcome(kind k) : result(k) {}
  kind result = kind::answered;
  reply answer;
};

/// One node: a connection that is made again whenever it ends, with requests pipelined in order.
///
/// Answers come in the order of sending. Requests of one turn of the loop are written together, and with `replicas`
/// share one WAIT: nothing of the batch from its first write on is handed out before the replica has it.
class connection {
 public:
  connection(connection_options options, connection_environment env);
  /// Requests that have no outcome yet get none any more.
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  struct request {
    request() = default;
    std::string bytes;  ///< of the command, as append_command makes them
    effect what = effect::none;
    bool asking = false;           ///< goes right after ASKING
    std::int64_t deadline_ms = 0;  ///< by the steady clock
  };
  /// `done` is called once, later, on the loop's thread.
  void send(request r, std::function<void(outcome)> done);

  [[nodiscard]] bool ready() const;
  /// Why the last attempt to connect failed, or the connection ended; empty while there is one.
  [[nodiscard]] const std::string& trouble() const;
  [[nodiscard]] const node_address& address() const;
  /// Requests that wait or are under way.
  [[nodiscard]] std::size_t pending() const;
  /// How often it was connected.
  [[nodiscard]] std::uint64_t lives() const;

 private:
  class machine;
  std::shared_ptr<machine> machine_;  // shared with handlers of the socket
};

}  // namespace roombus::redis
