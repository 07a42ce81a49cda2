#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "adapters/redis/redis_nodes.hpp"
#include "adapters/redis/scripts.hpp"
#include "core/metrics.hpp"
#include "core/result.hpp"
#include "core/task.hpp"

namespace roombus::redis {

/// One round trip: a script on one key, or a plain command.
struct call {
  call() = default;
  call(const script& s, std::string k, effect w) : code(&s), key(std::move(k)), what(w) {}
  const script* code = nullptr;
  std::string key;                 ///< of the script, and where it is to be sent
  std::vector<std::string> words;  ///< ARGV of the script, or the whole command
  effect what = effect::none;
};

struct client_environment {
  event_loop& loop;
  clock& time;
  random_source& random;
  log_sink& log;
  metrics_registry& metrics;
};

/// Runs calls within a time limit: follows redirections, loads scripts that a node does not know, waits while a node
/// starts or is replaced, and sends again what may be sent again.
class client {
 public:
  client(std::unique_ptr<nodes> where, std::chrono::milliseconds limit, client_environment env);
  ~client();

  /// Errors: unavailable (nothing was done), timeout (unknown), internal_error (Redis refused in a way that must not
  /// be; it is in the log).
  task<result<reply>> run(call c);
  [[nodiscard]] bool ready() const { return nodes_->ready(); }
  /// What is wrong with the nodes, or why they refuse our calls; empty: nothing is known.
  [[nodiscard]] std::string trouble() const;

 private:
  enum class next : std::uint8_t { at_once, after_pause, unavailable, unknown, fault };

  task<outcome> exchange(connection& node, connection::request r);
  task<void> pause(std::string key);
  [[nodiscard]] std::string encode(const call& c, bool with_text) const;
  next judge(const call& c, std::uint16_t slot, const outcome& out, const connection& asked);
  next judge_error(const call& c, std::uint16_t slot, const reply& error, const connection& asked);

  std::unique_ptr<nodes> nodes_;
  std::chrono::milliseconds limit_;
  client_environment env_;
  std::string redirect_;                         // set by judge: the address that ASK named
  bool send_text_ = false;                       // set by judge: the node does not know the script
  std::string refusal_;                          // of Redis, until a change succeeds
  std::vector<completion<bool>> paused_;         ///< oldest first
  std::unordered_set<std::string> paused_keys_;  ///< of those
  timer_handle wake_;
  std::shared_ptr<int> alive_ = std::make_shared<int>();
  counter& redirections_;
  counter& script_loads_;
  counter& resent_;
  counter& refused_;
  counter& unknown_;
};

}  // namespace roombus::redis
