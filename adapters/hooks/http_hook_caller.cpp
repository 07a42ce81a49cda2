#include "adapters/hooks/http_hook_caller.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <utility>
#include <vector>

#include "adapters/hooks/hook_connection.hpp"
#include "adapters/hooks/hook_signature.hpp"
#include "adapters/loop/event_loop.hpp"
#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::hooks {

namespace {

/// A connection that rested at least so long may have been closed for it just when the request went out.
constexpr std::int64_t idle_close_ms = 1'000;
/// The peer counts from when it sent its answer, so we stop using a connection earlier than its Keep-Alive says.
constexpr std::int64_t keep_margin_ms = 1'000;

hook_outcome outcome_of(exchange_result result, const codec_limits& limits) {
  if (!result.answered) return {result.failure, std::move(result.detail)};
  if (result.status != 200) return {hook_failure::refused, "status " + std::to_string(result.status)};
  const auto form = payload::detect(
      result.body, result.content_type.empty() ? std::nullopt : std::optional<std::string_view>(result.content_type));
  if (!form) return {hook_failure::malformed, "neither JSON nor CBOR"};
  auto answer = *form == payload::encoding::json ? json::read(result.body, limits) : cbor::read(result.body, limits);
  if (!answer) return {hook_failure::malformed, to_text(answer.error())};
  if (value_map* map = answer->if_map()) return {std::move(*map)};
  return {hook_failure::malformed, "no object"};
}

/// The hook that people call who have no login: with a share of its own they cannot keep those from being asked who are
/// in, and whose messages are checked.
constexpr std::string_view hook_of_strangers = "onConnect";

task<hook_outcome> wait_for(completion<hook_outcome> done) {
  hook_outcome outcome = co_await done;
  co_return outcome;
}

}  // namespace

class http_hook_caller::pool : public std::enable_shared_from_this<pool> {
 public:
  pool(http_hook_options options, environment env) : options_(std::move(options)), env_(env) {
    if (options_.url.tls && !options_.tls) options_.tls = net::default_tls_context();
    if (!options_.url.tls) options_.tls = nullptr;
    head_end_ = " HTTP/1.1\r\nHost: " + options_.url.authority() +
                "\r\nUser-Agent: roombus\r\nContent-Type: " + std::string(payload::content_type_of(options_.encoding)) +
                "\r\nAccept: application/json, application/cbor\r\n";
  }

  task<hook_outcome> call(const std::string& hook, const value& body) {
    auto c = std::make_shared<pending_call>();
    c->from = hook == hook_of_strangers ? strangers : others;
    const bool at_once = may_run(c->from) && (!idle_.empty() || connections_ < options_.max_connections);
    if (!at_once && (waiting() >= options_.max_queue || waiting_[c->from].size() >= most_waiting(c->from))) {
      c->done.complete(
          hook_outcome(hook_failure::overload, std::to_string(waiting_[c->from].size()) + " calls wait already"));
      return wait_for(c->done);
    }
    c->number = ++calls_;
    c->request = make_request(hook, payload::encode(body, options_.encoding));
    c->timer = env_.loop.after(options_.timeout, [weak = weak_from_this(), c] {
      if (auto self = weak.lock()) self->time_out(c);
    });
    waiting_[c->from].push_back(c);
    dispatch();
    if (!c->connection) {
      c->patience = env_.loop.after(options_.timeout / 2, [weak = std::weak_ptr(c)] {
        if (const auto waiting = weak.lock()) waiting->waited_long = true;
      });
    }
    return wait_for(c->done);
  }

  void shut_down() {
    for (auto& line : waiting_) {
      for (const call_ptr& c : line)
        c->timer.cancel();
      line.clear();
    }
    for (const resting& r : idle_)
      r.connection->close();
    idle_.clear();
    for (const call_ptr& c : busy_) {
      c->timer.cancel();
      c->connection->close();
    }
    busy_.clear();
  }

  [[nodiscard]] std::size_t connections() const { return connections_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_[strangers].size() + waiting_[others].size(); }

 private:
  using connection_ptr = std::shared_ptr<hook_connection>;

  /// Who waits; each in a line of its own.
  enum origin : std::size_t { strangers, others, origins };

  struct pending_call {
    origin from = others;
    std::uint64_t number = 0;  ///< the order in which calls came
    std::shared_ptr<const std::string> request;
    completion<hook_outcome> done;
    timer_handle timer;
    connection_ptr connection;    ///< while it is on one
    std::int64_t rested_ms = -1;  ///< how long the connection had rested; -1: it is new
    bool repeated = false;
    timer_handle patience;     ///< while it waits for a connection
    bool waited_long = false;  ///< half of its time was spent on that
  };
  using call_ptr = std::shared_ptr<pending_call>;  // shared: the queue, the timer and the connection's handler

  struct resting {
    connection_ptr connection;
    std::int64_t since = 0;
    std::int64_t until = 0;
  };

  std::shared_ptr<const std::string> make_request(const std::string& hook, const std::string& body) const {
    std::string out = "POST " + options_.url.path + "/" + hook + head_end_;
    if (!options_.secret.empty()) {
      const std::string timestamp = std::to_string(env_.time.now_ms());
      out += "X-Roombus-Timestamp: " + timestamp +
             "\r\nX-Roombus-Signature: " + hook_signature(options_.secret, timestamp, body) + "\r\n";
    }
    out += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    return std::make_shared<const std::string>(std::move(out));
  }

  /// Half of the connections and of the queue are for strangers, at least one connection.
  [[nodiscard]] bool may_run(origin from) const {
    return from == others || busy_strangers_ < std::max<std::size_t>(1, options_.max_connections / 2);
  }
  [[nodiscard]] std::size_t most_waiting(origin from) const {
    return from == others ? options_.max_queue : options_.max_queue / 2;
  }

  /// The one that has waited longest of those that may run.
  [[nodiscard]] call_ptr next() const {
    call_ptr first;
    for (const origin from : {strangers, others}) {
      const auto& line = waiting_[from];
      if (!line.empty() && may_run(from) && (!first || line.front()->number < first->number)) first = line.front();
    }
    return first;
  }

  void dispatch() {
    while (const call_ptr c = next()) {
      if (!take_connection(*c)) return;
      waiting_[c->from].pop_front();
      c->patience.cancel();
      busy_.push_back(c);
      if (c->from == strangers) ++busy_strangers_;
      c->connection->exchange(c->request, [weak = weak_from_this(), c](exchange_result result) {
        if (auto self = weak.lock()) self->on_result(c, std::move(result));
      });
    }
  }

  /// The connection used last, or a new one; false when there are as many as may be.
  bool take_connection(pending_call& c) {
    const std::int64_t now = env_.time.steady_ms();
    while (!idle_.empty()) {
      const resting r = std::move(idle_.back());
      idle_.pop_back();
      if (now < r.until) {
        c.connection = r.connection;
        c.rested_ms = now - r.since;
        return true;
      }
      drop(r.connection);
    }
    if (connections_ >= options_.max_connections) return false;
    ++connections_;
    c.connection = make_hook_connection(
        env_.loop, hook_server_address{options_.url.host, options_.url.port, options_.tls}, options_.answer.max_bytes);
    c.rested_ms = -1;
    return true;
  }

  void on_result(const call_ptr& c, exchange_result result) {
    const connection_ptr used = let_go(c);
    if (result.answered && result.keep) {
      put_to_rest(used, result.keep_ms);
    } else {
      drop(used);
    }
    if (!result.answered && may_repeat(*c, result)) {
      c->repeated = true;
      // the others rested as long: a fresh one it is
      while (!idle_.empty()) {
        drop(idle_.back().connection);
        idle_.pop_back();
      }
      waiting_[c->from].push_front(c);
      return dispatch();
    }
    dispatch();
    c->timer.cancel();
    c->done.complete(outcome_of(std::move(result), options_.answer));
  }

  static bool may_repeat(const pending_call& c, const exchange_result& result) {
    if (c.repeated || c.rested_ms < 0) return false;
    return result.nothing_sent || (result.nothing_answered && c.rested_ms >= idle_close_ms);
  }

  void time_out(const call_ptr& c) {
    std::string detail = "after " + std::to_string(options_.timeout.count()) + " ms";
    if (c->connection) {
      if (!c->connection->step().empty()) detail += ", still " + std::string(c->connection->step());
      // the answer could still come, and must not be taken for that of the next request
      drop(let_go(c));
    } else {
      waiting_[c->from].remove(c);
    }
    dispatch();
    // who was not asked, or hardly, has not failed: too many calls are our own trouble
    if (c->waited_long) detail = "mostly for a connection, " + detail;
    c->done.complete(hook_outcome(c->waited_long ? hook_failure::overload : hook_failure::timeout, std::move(detail)));
  }

  connection_ptr let_go(const call_ptr& c) {
    busy_.remove(c);
    if (c->from == strangers && c->connection) --busy_strangers_;
    return std::exchange(c->connection, nullptr);
  }

  void put_to_rest(const connection_ptr& connection, std::int64_t keep_ms) {
    const std::int64_t now = env_.time.steady_ms();
    std::int64_t rest = options_.idle_limit.count();
    if (keep_ms != INT64_MAX) rest = std::min(rest, keep_ms - keep_margin_ms);
    if (rest <= 0) return drop(connection);
    idle_.push_back({connection, now, now + rest});
    connection->rest([weak = weak_from_this(), id = connection.get()] {
      if (auto self = weak.lock()) self->on_rest_ended(id);
    });
  }

  void on_rest_ended(const hook_connection* id) {
    const auto found =
        std::find_if(idle_.begin(), idle_.end(), [id](const resting& r) { return r.connection.get() == id; });
    if (found == idle_.end()) return;
    drop(found->connection);
    idle_.erase(found);
  }

  void drop(const connection_ptr& connection) {
    connection->close();
    --connections_;
  }

  http_hook_options options_;
  environment env_;
  std::string head_end_;
  std::size_t connections_ = 0;  // resting and busy
  std::size_t busy_strangers_ = 0;
  std::uint64_t calls_ = 0;
  std::array<std::list<call_ptr>, origins> waiting_;
  std::list<call_ptr> busy_;
  std::vector<resting> idle_;  // the one used last is at the back
};

http_hook_caller::http_hook_caller(http_hook_options options, environment env)
    : pool_(std::make_shared<pool>(std::move(options), env)) {
  env.metrics.add_gauge("roombus_hook_http_connections", "Connections to the hook server.",
                        [weak = std::weak_ptr(pool_)] {
                          const auto alive = weak.lock();
                          return alive ? static_cast<double>(alive->connections()) : 0.0;
                        });
  env.metrics.add_gauge("roombus_hook_http_waiting", "Calls of hooks that wait for a connection.",
                        [weak = std::weak_ptr(pool_)] {
                          const auto alive = weak.lock();
                          return alive ? static_cast<double>(alive->waiting()) : 0.0;
                        });
}

http_hook_caller::~http_hook_caller() {
  pool_->shut_down();
}

task<hook_outcome> http_hook_caller::call(std::string hook, value_map body) {
  return pool_->call(hook, value(std::move(body)));
}

}  // namespace roombus::hooks
