#include "adapters/redis/redis_client.hpp"

#include <array>
#include <utility>

#include "adapters/loop/event_loop.hpp"
#include "adapters/redis/key_slot.hpp"
#include "adapters/redis/reply_reader.hpp"

namespace roombus::redis {

using std::chrono::milliseconds;

namespace {

constexpr std::size_t max_paused = 20'000;  // calls that wait for a node to come back; more are unavailable at once

}  // namespace

client::client(std::unique_ptr<nodes> where, milliseconds limit, client_environment env)
    : nodes_(std::move(where)),
      limit_(limit),
      env_(env),
      redirections_(env.metrics.add_counter("roombus_redis_redirections_total", "Calls that went to another node")),
      script_loads_(env.metrics.add_counter("roombus_redis_script_loads_total", "Scripts that a node did not know")),
      resent_(env.metrics.add_counter("roombus_redis_resent_total",
                                      "Calls that were sent again after their connection was lost")),
      refused_(env.metrics.add_counter("roombus_redis_unavailable_total", "Calls that could not be made")),
      unknown_(env.metrics.add_counter("roombus_redis_unknown_total", "Calls whose outcome is unknown")) {
  // the registry may outlive us
  env.metrics.add_gauge("roombus_redis_up", "1 when a Redis node is connected",
                        [this, alive = std::weak_ptr<int>(alive_)] { return !alive.expired() && ready() ? 1.0 : 0.0; });
}

client::~client() = default;

std::string client::trouble() const {
  std::string of_nodes = nodes_->trouble();
  return of_nodes.empty() ? refusal_ : of_nodes;
}

std::string client::encode(const call& c, bool with_text) const {
  std::vector<std::string_view> words;
  words.reserve(c.words.size() + 4);
  if (c.code != nullptr) {
    words.emplace_back(with_text ? "EVAL" : "EVALSHA");
    words.push_back(with_text ? c.code->text : c.code->sha1);
    words.emplace_back("1");
    words.emplace_back(c.key);
  }
  words.insert(words.end(), c.words.begin(), c.words.end());
  std::string bytes;
  append_command(bytes, words);
  return bytes;
}

task<outcome> client::exchange(connection& node, connection::request r) {
  completion<outcome> answered;
  node.send(std::move(r), [answered](outcome out) { answered.complete(std::move(out)); });
  outcome out = co_await answered;
  co_return out;
}

/// All that wait go on together and in order, so that calls on one key keep theirs.
task<void> client::pause(std::string key) {
  if (paused_.empty()) {
    std::array<std::uint8_t, 1> dice{};
    env_.random.fill(dice);
    wake_ = env_.loop.after(milliseconds(20 + dice[0] % 30), [this] {
      paused_keys_.clear();
      for (const completion<bool>& one : std::exchange(paused_, {}))
        one.complete(true);
    });
  }
  completion<bool> over;
  paused_.push_back(over);
  paused_keys_.insert(std::move(key));
  co_await over;
}

task<result<reply>> client::run(call c) {
  const std::int64_t deadline = env_.time.steady_ms() + limit_.count();
  const std::uint16_t slot = key_slot(c.key);
  bool with_text = false;
  std::string ask;  // where to go instead, once
  const connection* asker = nullptr;
  next then = next::unavailable;
  if (paused_.size() >= max_paused) {
    refused_.add();
    co_return chat_error(errc::unavailable);
  }
  bool uncertain = false;  // an attempt was lost that may have had its effect
  if (paused_keys_.contains(c.key)) {
    task<void> behind = pause(c.key);
    co_await behind;
  }
  while (true) {
    connection* node = ask.empty() ? nodes_->for_slot(slot) : nodes_->at(ask, *asker);
    if (node == nullptr) {
      then = next::after_pause;
    } else {
      connection::request r;
      r.bytes = encode(c, with_text);
      r.what = c.what;
      r.asking = !ask.empty();
      r.deadline_ms = deadline;
      task<outcome> sent = exchange(*node, std::move(r));
      outcome out = co_await sent;
      with_text = false;
      ask.clear();
      if (out.result == outcome::kind::answered && !out.answer.is_error()) {
        if (c.what != effect::none) refusal_.clear();
        co_return std::move(out.answer);
      }
      redirect_.clear();
      send_text_ = false;
      then = judge(c, slot, out, *node);
      ask = std::move(redirect_);
      asker = node;
      with_text = send_text_;
      if (out.result == outcome::kind::lost && c.what != effect::none) uncertain = true;
    }
    if (then == next::unavailable || then == next::unknown || then == next::fault) break;
    if (env_.time.steady_ms() >= deadline) {
      then = next::unavailable;
      break;
    }
    if (then == next::after_pause) {
      if (paused_.size() >= max_paused) {
        then = next::unavailable;
        break;
      }
      task<void> waited = pause(c.key);
      co_await waited;
    }
  }
  if (then == next::fault) co_return chat_error(errc::internal_error, {value("the store refused the operation")});
  if (then == next::unknown || uncertain) {
    unknown_.add();
    co_return chat_error(errc::timeout);
  }
  refused_.add();
  co_return chat_error(errc::unavailable);
}

client::next client::judge(const call& c, std::uint16_t slot, const outcome& out, const connection& asked) {
  switch (out.result) {
    case outcome::kind::answered:
      return judge_error(c, slot, out.answer, asked);
    case outcome::kind::refused:
      return next::unavailable;
    case outcome::kind::not_sent:
      nodes_->suspect();
      return next::after_pause;
    case outcome::kind::lost:
      nodes_->suspect();
      if (c.what == effect::once) return next::unknown;
      resent_.add();
      return next::after_pause;
    case outcome::kind::late:
      return c.what == effect::none ? next::unavailable : next::unknown;
    case outcome::kind::unconfirmed:
      return next::unknown;
  }
  return next::fault;
}

client::next client::judge_error(const call& c, std::uint16_t slot, const reply& error, const connection& asked) {
  // "MOVED slot host:port", "ASK slot host:port"
  const std::size_t blank = error.text.rfind(' ');
  if (error.is_error("MOVED") || error.is_error("ASK")) {
    if (blank == std::string::npos) return next::fault;
    redirections_.add();
    const std::string address = error.text.substr(blank + 1);
    if (error.is_error("ASK")) {
      redirect_ = address;
    } else {
      nodes_->moved(slot, address, asked);
    }
    return next::at_once;
  }
  if (error.is_error("NOSCRIPT")) {
    script_loads_.add();
    send_text_ = true;
    return next::at_once;
  }
  if (error.is_error("TRYAGAIN") || error.is_error("LOADING") || error.is_error("BUSY")) return next::after_pause;
  if (error.is_error("CLUSTERDOWN") || error.is_error("READONLY") || error.is_error("MASTERDOWN") ||
      error.is_error("NOREPLICAS")) {
    nodes_->suspect();
    return next::after_pause;
  }
  if (error.is_error("OOM") || error.is_error("MISCONF") || error.is_error("NOAUTH") || error.is_error("NOPERM")) {
    env_.log.write(log_level::error, "redis_refused", error.text);
    refusal_ = asked.address().str() + ": refused: " + error.text;
    return next::unavailable;
  }
  const std::string what = c.code != nullptr ? std::string(c.code->name) : c.words.front();
  env_.log.write(log_level::error, "redis_fault", what + ": " + error.text);
  return next::fault;
}

}  // namespace roombus::redis
