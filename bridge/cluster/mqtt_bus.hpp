#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "bridge/mqtt/mqtt_link.hpp"
#include "core/metrics.hpp"
#include "core/ports/cluster_bus.hpp"
#include "core/ports/environment.hpp"
#include "schemas/codec/codec_limits.hpp"

namespace roombus::mqtt {

struct mqtt_bus_options {
  std::string prefix = "roombus";
  /// Of one message, both ways; larger ones are not sent, and ignored when they come. The same on all instances.
  codec_limits message{96, 32U << 20U, 4'000'000};
};

/// Messages between instances over their broker, CBOR maps at QoS 1:
///   P/bus/all                        all instances
///   P/bus/instance/{incarnation}     one of them
///   P/bus/room/{room}                those with somebody in the room
/// Levels as those of rooms elsewhere; one over 512 bytes is `%` and a hash. Whoever can publish there speaks for all
/// instances, whoever can read there reads everything: the broker must keep others out. Source: design §3, §5.
///
/// Shares its link: whoever has it calls `link_up`, `link_down` and `take`.
class mqtt_cluster_bus final : public cluster_bus {
 public:
  struct environment {
    mqtt_link& link;
    scheduler& timers;
    log_sink& log;
    metrics_registry& metrics;
  };

  mqtt_cluster_bus(mqtt_bus_options options, environment env);
  ~mqtt_cluster_bus() override;
  mqtt_cluster_bus(const mqtt_cluster_bus&) = delete;
  mqtt_cluster_bus& operator=(const mqtt_cluster_bus&) = delete;

  /// `on_up` is called each time the link is up and the topics of all instances and of this one are subscribed.
  void open(std::string incarnation, cluster_bus_handlers handlers) override;
  /// Down without `on_down` until the new name is subscribed; then `on_up`. What comes for the old name is dropped.
  void rename(std::string incarnation) override;
  [[nodiscard]] bool is_up() const override { return up_; }
  void send_all(const value_map& body, done_handler done) override;
  void send_to(const std::string& incarnation, const value_map& body, done_handler done) override;
  /// What can never be sent, since it is too large or the broker refuses it, counts as sent: those who listen find the
  /// hole, and everything behind it would be held up for ever.
  void send_room(const room_name& room, const value_map& body, done_handler done) override;
  void listen(const room_name& room, done_handler done) override;
  void stop_listening(const room_name& room) override;

  void link_up();
  void link_down();
  /// True when the message was for the bus.
  bool take(received_message& message);

 private:
  void subscribe_own(const std::string& topic);
  void look_whether_up();
  void send(std::string topic, const value_map& body, done_handler done, bool refused_is_done);
  void ignore(const std::string& topic, const std::string& why);
  [[nodiscard]] std::string room_topic(const room_name& room) const;

  const mqtt_bus_options options_;
  const std::string all_topic_;
  const std::string instance_base_;
  const std::string room_base_;
  environment env_;
  counter& sent_;
  counter& unsent_;
  counter& received_;
  counter& ignored_;
  cluster_bus_handlers on_;
  std::string own_topic_;
  std::set<std::string> wanted_;  // of `all` and our own: not acknowledged yet
  bool up_ = false;
  std::map<std::string, std::map<room_name, std::uint64_t>> listening_;  // by topic; numbers of calls
  std::uint64_t last_listening_ = 0;
  std::uint64_t ignored_count_ = 0;
  timer_handle retry_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // callbacks of the link may come after us
};

}  // namespace roombus::mqtt
