#pragma once

// The bridge's side of the broker plugin (adapters/mosquitto/plugin): finds out whether it answers, keeps the picture
// of who is connected, and makes the plugin's grants what they should be.
//
//   down ──link up: hello──► asking ──state──► present
//                              │  ▲               │ gap in the events, stale or lapsed answer: hello
//                 no answer ◄──┘  └───────────────┘
//                (absent, only where the plugin is not required)
// `grants_` is what should be. While present every change goes out at once; after each hello everything is sent anew.
// Each message has a sequence number and is answered; whoever waits, waits for the answer to a number or a later one.

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "bridge/mqtt/mqtt_link.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"
#include "core/ports/store.hpp"
#include "core/result.hpp"
#include "core/task.hpp"
#include "schemas/codec/login_codec.hpp"

namespace roombus::mqtt {

/// Whether the broker may or must have our plugin.
enum class plugin_use : std::uint8_t {
  none,    ///< not asked for
  detect,  ///< used when it answers
  require  ///< nothing is served before it answers
};

struct plugin_options {
  plugin_use use = plugin_use::none;
  std::string instance;                         ///< name of this instance towards the plugin, as a topic level
  std::string life;                             ///< new at each start
  std::chrono::milliseconds lease{30000};       ///< without a message for so long the plugin drops our grants
  std::chrono::milliseconds renew{10000};       ///< how often we say that we are there
  std::chrono::milliseconds confirm{5000};      ///< how long a grant or revoke waits for the plugin
  std::chrono::milliseconds answer_wait{1000};  ///< after hello; then it is absent, or asked again where required
  /// Asked each time the link is up, before anything is granted anew: false when others have taken this instance for
  /// dead meanwhile, and may have put its devices out of rooms; then nothing is. Empty: nobody can.
  std::function<void(std::function<void(bool lives)> then)> verify;
  bool alone = true;  ///< no other instance uses the broker
};

/// One connection at the broker. `generation` is the plugin's number, new at each connect.
struct plugin_connection {
  std::string user;
  std::string client;
  std::uint64_t generation = 0;
  payload::login_limits limits;  ///< of its login
};

/// What a device shows that the broker cannot judge, and the plugin's name for the question about it.
struct plugin_question {
  plugin_question() = default;
  std::string id;
  std::string user;
  std::string client;
  std::string address;  ///< "-" where it is not known
  std::string password;
};

/// Of a question: `unavailable` when nobody could say.
enum class plugin_verdict : std::uint8_t { accepted, rejected, unavailable };

struct plugin_handlers {
  /// The plugin answered: these are connected, nobody else. `restarted`: numbers from before mean nothing any more, or
  /// our grants had lapsed: in both cases nobody has been let in to a room without a break.
  std::function<void(const std::vector<plugin_connection>&, bool restarted)> on_present;
  std::function<void()> on_absent;  ///< only with `plugin_use::detect`
  std::function<void(const plugin_connection&)> on_connected;
  std::function<void(const plugin_connection&)> on_disconnected;
  /// May a device log in? To be answered by `settle`, or by another bridge.
  std::function<void(plugin_question)> on_question;
};

class plugin_client {
 public:
  enum class phase : std::uint8_t { down, asking, absent, present };

  struct environment {
    mqtt_link& link;
    scheduler& timers;
    log_sink& log;
    metrics_registry& metrics;
  };

  plugin_client(plugin_options options, const std::string& prefix, environment env, plugin_handlers handlers);
  plugin_client(const plugin_client&) = delete;
  plugin_client& operator=(const plugin_client&) = delete;

  [[nodiscard]] std::vector<subscription> subscriptions() const;
  void link_up();
  void link_down();
  /// True if the message was the plugin's.
  bool take(const received_message& message);
  [[nodiscard]] phase now() const { return phase_; }

  /// Other instances use the same broker: what they granted stays, and what this one granted outlives its end until its
  /// lease is over, or another instance grants it. Before the link is up.
  void share() { options_.alone = false; }
  /// Asks for everything again.
  void ask_again();
  /// Grants rooms, by level, that another instance let the connection read until now. Nobody waits.
  void take_over(const plugin_connection& to, const std::map<std::string, log_position>& rooms);

  /// Says which parts of the devices' requests this bridge wants (`serves` of the plugin's README); others may be
  /// withheld then. False, and `done` is dropped, when there is nobody to tell. It holds as long as the present
  /// connection.
  bool serve(std::string_view parts, std::function<void(publish_outcome)> done);

  /// Completes when the plugin lets the room through to this life of the connection; no `shut_out` of before `at` ends
  /// that. Errors: unavailable, timeout, rate_limited (too many rooms); the grant is withdrawn then, unless there was
  /// one before.
  task<result<void>> grant(plugin_connection to, std::string room_level, log_position at);
  /// Tells the plugin at once that the grant is over; unknown ones are fine.
  void withdraw(std::string_view user, std::string_view client, const std::string& room_level);
  /// The connection has been put out of the room, whichever bridge let it in: nothing that is published after this call
  /// reaches it, unless it was granted the room anew since then. Its own bridge is to withdraw the grant, too.
  void shut_out(std::string_view user, std::string_view client, const std::string& room_level,
                const log_position& removal);
  /// Completes when the plugin has confirmed everything that was said until now. Errors: timeout, unavailable (too
  /// many wait).
  task<result<void>> confirmed();
  /// The connection ended: its grants are void without a word, since the plugin dropped them by itself.
  void forget(std::string_view user, std::string_view client);
  /// The same for one that goes to another instance: what it may read stays as it is until that one says so.
  void leave_to_others(std::string_view user, std::string_view client);
  void kick(const plugin_connection& who);
  /// Answers a question; too late when the plugin is not there any more. `limits` count for `accepted`.
  void settle(const std::string& id, plugin_verdict how, const payload::login_limits& limits);
  /// Ends everybody's grants and all waiting; before the link stops.
  void close();

 private:
  struct granted {
    std::uint64_t generation = 0;
    std::map<std::string, log_position> rooms;  ///< by level
  };
  using outcome = completion<std::optional<errc>>;  // nothing is success

  void hello();
  void sync();
  std::uint64_t send(const std::string& lines, std::function<void(publish_outcome)> done = nullptr);
  void renew_later();
  void on_answer(std::string_view payload);
  void on_state(std::string_view payload);
  void on_event(std::string_view payload);
  void on_ask(std::string_view payload);
  void answered(std::uint64_t sequence, std::optional<errc> how);
  task<result<void>> wait(std::uint64_t sequence);

  plugin_options options_;
  std::string life_;  ///< what the plugin is told
  std::string events_topic_;
  std::string answer_topic_;
  std::string asks_topic_;
  environment env_;
  plugin_handlers on_;
  counter& hellos_;
  counter& timeouts_;
  phase phase_ = phase::down;
  std::string incarnation_;  ///< of the plugin; empty before its first answer
  std::uint64_t lives_ = 0;  ///< how often `life` was changed
  bool left_some_ = false;   ///< devices went to other instances: the next complete list must not drop their grants
  bool lapsed_ = false;      ///< it dropped our grants, and we published before we knew
  std::uint64_t sequence_ = 0;
  std::uint64_t hello_sequence_ = 0;
  std::uint64_t renewal_ = 0;   ///< number of the last renewal
  std::uint64_t answered_ = 0;  ///< all numbers up to this one are answered
  std::uint64_t last_event_ = 0;
  std::vector<plugin_connection> state_;             ///< parts of an answer to hello so far
  std::unordered_map<std::string, granted> grants_;  ///< by "user/client"
  std::multimap<std::uint64_t, outcome> waiting_;    ///< by sequence; `next_sync` until it is known
  timer_handle answer_timer_;
  timer_handle renew_timer_;
  std::uint64_t link_ups_ = 0;
  std::shared_ptr<bool> exists_ = std::make_shared<bool>(true);
};

}  // namespace roombus::mqtt
