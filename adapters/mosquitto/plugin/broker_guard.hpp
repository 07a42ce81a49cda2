#pragma once

// The plugin without Mosquitto: who may log in, read, write and subscribe, what bridges ask for, and what they are
// told.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "adapters/mosquitto/plugin/account_logins.hpp"
#include "adapters/mosquitto/plugin/connection_registry.hpp"
#include "adapters/mosquitto/plugin/control_message.hpp"
#include "adapters/mosquitto/plugin/device_logins.hpp"
#include "adapters/mosquitto/plugin/grant_table.hpp"
#include "adapters/mosquitto/plugin/login_deadlines.hpp"
#include "adapters/mosquitto/plugin/login_questions.hpp"
#include "adapters/mosquitto/plugin/served_parts.hpp"
#include "adapters/mosquitto/plugin/topic_policy.hpp"

namespace roombus::plugin {

struct guard_options {
  std::string prefix = "roombus";
  bool dev = false;                  ///< any name without a password, any client id for its user name
  std::vector<std::string> workers;  ///< accounts that serve hooks
  std::vector<std::string> admins;   ///< accounts that may call the server API
  guess_limit guesses;               ///< at the passwords of the account files
  client_ids ids = client_ids::any;  ///< which ones devices may connect with
  std::size_t max_connections = 100'000;
  std::size_t max_rooms = 1000;  ///< of one connection
};

/// What the guard does to the broker.
class broker_actions {
 public:
  virtual ~broker_actions() = default;
  virtual void publish(const std::string& topic, std::string payload) = 0;
  /// To those who are there now: nobody keeps it (QoS 0).
  virtual void publish_now(const std::string& topic, std::string payload) { publish(topic, std::move(payload)); }
  /// May call back into the guard at once.
  virtual void kick(const std::string& client) = 0;
};

class broker_guard {
 public:
  using key = connection_registry::key;

  /// `incarnation`: random, new at each start of the broker.
  broker_guard(guard_options options, std::string incarnation, broker_actions& broker, clock& time, log_sink& log);

  /// Text of the password files; answers what is wrong with it, "" for nothing.
  std::string load_bridges(std::string_view text) { return bridges_.load(text); }
  std::string load_devices(std::string_view text) { return devices_.load(text); }

  /// Who devices are that the accounts do not know; outlives the guard. Without it nobody else gets in.
  void use(device_logins& logins) { logins_ = &logins; }
  /// Bridges are asked about those whom nobody here can judge; outlives the guard, too.
  void use(login_questions& questions) { questions_ = &questions; }

  enum class login : std::uint8_t { accepted, bad_name, bad_password, client_id_taken, full, busy };
  /// A successful login is a connect. What the client left out is empty. `address` is its IP address, `now_ms` as in
  /// `control`.
  [[nodiscard]] login authenticate(key k, std::string_view user, std::string_view password, std::string_view client,
                                   std::string_view address = {}, std::int64_t now_ms = 0);
  void disconnected(key k, int reason);

  [[nodiscard]] bool may_read(key k, std::string_view user, std::string_view client, std::string_view topic,
                              std::int64_t now_ms) const;
  [[nodiscard]] bool may_write(key k, std::string_view user, std::string_view client, std::string_view topic,
                               bool retain, std::size_t size) const;
  /// Whether what is published now is the will of a connection: this one has ended, or was taken over.
  [[nodiscard]] bool is_over(key k) const;
  [[nodiscard]] bool may_subscribe(key k, std::string_view user, std::string_view client,
                                   std::string_view filter) const;

  /// A message on `$CONTROL/roombus/v1`; false when it was not taken.
  bool control(key k, std::string_view payload, std::int64_t now_ms);
  /// Called now and then: ends leases, and connections whose login has ended at the wall-clock time `wall_ms`.
  void tick(std::int64_t now_ms, std::int64_t wall_ms = 0);

  [[nodiscard]] std::size_t grants() const { return grants_.size(); }
  [[nodiscard]] std::size_t connections() const { return registry_.size(); }
  [[nodiscard]] const std::string& incarnation() const { return incarnation_; }

 private:
  struct known_bridge {
    std::string life;
    std::uint64_t sequence = 0;
    bool lapsed = false;  ///< its lease ended since its last message
  };
  struct kick_order {
    std::string client;
    std::uint64_t generation = 0;
  };

  /// Nothing when nobody here can judge it.
  [[nodiscard]] std::optional<login> log_in(std::string_view user, std::string_view password, std::string_view address,
                                            bool again, payload::login_limits& limits);
  /// Nothing when it may come in, if it is who it says.
  [[nodiscard]] std::optional<login> refused_whoever(key k, role who, std::string_view user, std::string_view client,
                                                     std::string_view address) const;
  [[nodiscard]] login ask(const live_connection* there, const login_questions::shown& s, payload::login_limits& limits,
                          std::int64_t now_ms);
  [[nodiscard]] bool is_bridge_at_work(std::int64_t now_ms) const;
  void settle(const control_message& m, std::int64_t now_ms);
  [[nodiscard]] role role_of_account(std::string_view user) const;
  [[nodiscard]] role role_of(key k, std::string_view user) const;
  void tell(std::string_view what, const live_connection& c, std::string_view more = {});
  void tell_connected(const live_connection& c);
  void answer(const control_message& m, std::string_view outcome);
  void answer_state(const control_message& m);
  void shut_out(const control_message& m);
  void serve_parts(key k, const control_message& m);
  bool apply(const control_message& m, std::size_t owner, std::vector<kick_order>& kicks);
  void lapse(std::int64_t now_ms);

  guard_options options_;
  std::string incarnation_;
  broker_actions& broker_;
  topic_policy policy_;
  log_sink& log_;
  account_logins bridges_;
  account_logins devices_;
  device_logins* logins_ = nullptr;
  login_questions* questions_ = nullptr;
  connection_registry registry_;
  login_deadlines deadlines_;
  grant_table grants_;
  served_parts served_;
  std::unordered_map<std::string, known_bridge, text_hash, std::equal_to<>> known_;
  std::uint64_t events_ = 0;
};

}  // namespace roombus::plugin
