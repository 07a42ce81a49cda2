#pragma once

// The bridge's inside: one object, its functions in bridge.cpp (start, stop, presence, broker delivery),
// bridge_intake.cpp (what the link reports), bridge_plugin.cpp (what the broker's plugin reports), bridge_logins.cpp
// (what it asks) and bridge_work.cpp (one device's work, in order).

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "bridge/mqtt/bridge.hpp"
#include "bridge/mqtt/bridge_metrics.hpp"
#include "bridge/mqtt/device_publisher.hpp"
#include "bridge/mqtt/mqtt_connection.hpp"
#include "bridge/mqtt/request_decoder.hpp"
#include "bridge/mqtt/room_encodings.hpp"
#include "bridge/mqtt/topic_map.hpp"

namespace roombus::mqtt {

using device_ptr = std::shared_ptr<mqtt_connection>;  // shared: the map, coroutines at work, and weakly the sinks

/// Topic and payload sizes are bounded; this stands for the rest that a waiting request costs.

/// Lets `unordered_map<std::string, …>` be searched with a view.
struct key_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
};

class bridge::impl final : public std::enable_shared_from_this<bridge::impl>,
                           public device_output,
                           public room_broadcaster {
 public:
  impl(bridge_options options, environment env)
      : options_(std::move(options)),
        env_(env),
        topics_(options_.prefix, options_.profile, options_.max_topic),
        metrics_(env.metrics),
        publisher_(topics_, env.link, metrics_, env.time, env.log),
        decoder_(options_.payload) {
    if (options_.plugin.use != plugin_use::none) make_plugin();
  }

  void start();
  void stop(std::chrono::milliseconds limit, std::function<void()> done);
  void detach();
  [[nodiscard]] std::size_t device_count() const { return devices_.size(); }
  /// The device reads rooms from the topics that all share.
  [[nodiscard]] bool broadcasts_to(const mqtt_connection& device) const {
    return options_.mode == delivery::broker || (options_.mode == delivery::automatic && device.broker_life != 0);
  }

  void share(device_sharing how);
  task<void> catch_up();
  task<void> tell_parts();
  void take_over(std::vector<adopted_device> devices);
  void correct_rooms(const connection_id& id, const std::vector<joined_room>& rooms);
  void presence_again();
  task<void> let_go(std::function<bool(std::string_view)> which, std::chrono::milliseconds patience);
  void for_each_uncertain(const std::function<void(std::string_view)>& fn) const;
  [[nodiscard]] bool serves(const connection_id& id) const;

  [[nodiscard]] std::string reads_of(const mqtt_connection& device) const override;
  void deliver_to(mqtt_connection& device, const shared_event& e) override { publisher_.send_event(device, e); }
  void close_device(const device_ptr& device, std::uint64_t generation, close_reason reason) override;

  void publish(const room_name& room, const shared_event& e) override;
  task<result<void>> grant(room_name room, connection_id id, log_position at) override;
  task<result<void>> revoke(room_name room, connection_id id) override;
  void withdraw(const room_name& room, const connection_id& id) override;
  void shut_out(const room_name& room, const std::vector<connection_id>& ids, const log_position& removal);

 private:
  // what the link reports
  void on_message(received_message message);
  void on_status(const device_levels& device, const received_message& message);
  [[nodiscard]] bool is_fresh_birth(const device_levels& device) const;
  void on_request(const device_levels& device, pending_request request);
  void on_link_up();
  void on_link_down();

  // what the broker's plugin reports
  void make_plugin();
  [[nodiscard]] bool has_plugin() const { return plugin_ && plugin_->now() == plugin_client::phase::present; }
  /// It is not known yet whether there is a plugin, or who is connected.
  [[nodiscard]] bool is_waiting_for_plugin() const {
    return plugin_ && plugin_->now() != plugin_client::phase::present && plugin_->now() != plugin_client::phase::absent;
  }
  void hold(received_message message);
  void release_held();
  void on_plugin(const std::vector<plugin_connection>& connected, bool restarted);
  void on_no_plugin();
  void on_broker_connect(const plugin_connection& who);
  void on_broker_disconnect(const plugin_connection& who);
  void end_life(const device_ptr& device);
  void on_login_question(plugin_question q);
  static task<void> judge_login(std::shared_ptr<impl> self, plugin_question q);
  void kick(const mqtt_connection& device);
  [[nodiscard]] device_ptr find(const connection_id& id) const;

  // several instances
  [[nodiscard]] bool is_shared() const { return static_cast<bool>(sharing_.owns); }
  [[nodiscard]] bool is_owned(std::string_view device) const { return !is_shared() || sharing_.owns(device); }
  /// What happens to the device is still this instance's business.
  [[nodiscard]] bool may_act_on(const mqtt_connection& device) const { return device.leaving || is_owned(device.key); }
  /// The broker was reached for so long without a break that every device of before has shown itself, or was ended.
  [[nodiscard]] bool is_settled() const;
  bool take_echo(const received_message& message);
  void send_echo();
  void end_echoes();
  void take_over_one(adopted_device from);
  void register_taken(const device_ptr& device, std::vector<joined_room> rooms, login_rights rights);
  void settle_taken(const device_ptr& device, const plugin_connection* who);
  void read_statuses_again();
  void forget(const device_ptr& device);

  void handle(received_message message);
  [[nodiscard]] device_ptr find_or_add(const device_levels& device);
  void ignore(ignored reason, std::string_view topic);
  void refuse(const pending_request& request, chat_error error);
  void apply(const device_ptr& device, presence_change change);
  void push(const device_ptr& device, pending_work work);
  void arm_timer(const device_ptr& device);
  void on_timer(const device_ptr& device);
  void work_soon(const device_ptr& device);
  void forget_if_absent(const mqtt_connection& device);
  void stop_link_when_idle();

  // one device's work, in order
  static task<void> work_off(std::shared_ptr<impl> self, device_ptr device);
  task<void> connect(device_ptr device, pending_connect coming);
  task<void> disconnect(device_ptr device);
  void confirm_login(const mqtt_connection& device);
  task<void> run_request(device_ptr device, pending_request request);
  void use_encoding(mqtt_connection& device, wire format);

  const bridge_options options_;
  environment env_;
  topic_map topics_;
  bridge_metrics metrics_;
  device_publisher publisher_;
  request_decoder decoder_;
  room_encodings encodings_;
  std::unique_ptr<plugin_client> plugin_;  // only where the broker may have one
  std::deque<received_message> held_;      // until it is known
  std::size_t held_bytes_ = 0;
  std::unordered_map<std::string, device_ptr, key_hash, std::equal_to<>> devices_;
  std::size_t pending_bytes_ = 0;
  std::size_t working_ = 0;
  std::size_t judging_ = 0;  // logins that wait for the onConnect hook
  std::uint64_t last_generation_ = 0;

  device_sharing sharing_;
  std::multimap<std::uint64_t, completion<bool>> echo_waiters_;  // by the echo that they wait for
  std::uint64_t last_echo_ = 0;                                  // sent
  timer_handle echo_timer_;
  std::int64_t up_since_ms_ = 0;
  bool reading_statuses_ = false;
  bool read_once_more_ = false;

  bool stopping_ = false;
  std::int64_t stop_by_ms_ = 0;
  timer_handle stop_timer_;
  std::function<void()> stopped_;
};

}  // namespace roombus::mqtt
