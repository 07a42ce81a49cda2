#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bridge/mqtt/mqtt_link.hpp"
#include "bridge/paho/paho_session.hpp"

namespace roombus::mqtt {

/// What a link has to subscribe, what of it the present connection has, and what is on its way. Calls nobody: the link
/// sends what `take` answers, and calls the handlers that it gets.
class subscription_book {
 public:
  using done_handler = std::function<void(bool)>;

  /// `clean`: the broker forgets us when the connection ends. At most `window` requests are on their way at a time.
  subscription_book(bool clean, std::size_t window) : clean_(clean), window_(window) {}

  /// Those of every connection, without which it is none.
  void set_base(std::vector<subscription> base) { base_ = std::move(base); }
  /// Takes `done`, or answers what to call it with at once.
  [[nodiscard]] std::optional<bool> add(subscription wanted, done_handler& done);
  /// Answers those who still waited for it.
  [[nodiscard]] std::vector<done_handler> remove(const std::string& filter);

  /// A new connection: all is to be made.
  void connected();
  void disconnected();
  /// What is to be sent now, in order.
  [[nodiscard]] std::vector<paho_request> take();
  /// Everything is acknowledged.
  [[nodiscard]] bool is_settled() const { return to_send_.empty() && on_the_way_.empty(); }

  struct outcome {
    std::string filter;  ///< "" when the answer means nothing any more
    bool fatal = false;  ///< refused, and the connection is of no use without it
    std::vector<done_handler> waiting;
  };
  [[nodiscard]] outcome answered(std::uint64_t id, bool refused);
  /// Forgets what is kept; answers all that wait.
  [[nodiscard]] std::vector<done_handler> clear();
  [[nodiscard]] std::size_t size() const { return kept_.size(); }

 private:
  struct kept {
    subscription what;
    std::uint64_t request = 0;  ///< the latest one for it
    bool current = false;       ///< the present connection has it
    bool proven = false;        ///< a broker accepted it once
    std::vector<done_handler> waiting;
  };

  std::uint64_t send(subscription what, bool ends);

  const bool clean_;
  const std::size_t window_;
  bool connected_ = false;
  std::vector<subscription> base_;
  std::unordered_map<std::string, kept> kept_;
  std::set<std::string> ended_away_;  // ended while the broker that keeps them could not be told
  std::deque<paho_request> to_send_;
  std::unordered_map<std::uint64_t, paho_request> on_the_way_;
  std::set<std::uint64_t> base_requests_;
  std::uint64_t last_id_ = 0;
};

/// True for a filter that a broker takes: valid UTF-8 of 1 to 65535 bytes without U+0000, `+` and `#` alone in their
/// level, `#` last.
[[nodiscard]] bool is_subscribable(std::string_view filter);

}  // namespace roombus::mqtt
