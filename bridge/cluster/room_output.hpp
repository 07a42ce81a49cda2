#pragma once

// Hands a room's events to the broker for all of its devices, whichever instance serves them.
//
// Calls are worked off one after the other, each device or shared topic one publish, as fast as the link takes them:
// at most `window` messages are with the link at a time, and none while its queue is half full, so that none of ours is
// dropped while the broker is there. What is dropped after all fails its call, and those that wait behind it for the
// same room: they are published again, in order, by the caller.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bridge/mqtt/mqtt_link.hpp"
#include "bridge/mqtt/topic_map.hpp"
#include "core/metrics.hpp"
#include "core/ports/cluster_bus.hpp"
#include "core/ports/environment.hpp"

namespace roombus::mqtt {

struct room_output_options {
  std::string prefix = "roombus";
  broker_profile profile = broker_profile::generic;
  std::size_t max_topic = 2048;             ///< bytes; what does not fit cannot be delivered
  std::size_t window = 5000;                ///< messages with the link
  std::size_t window_bytes = 16U << 20U;    ///< the same in bytes; one larger message goes alone
  std::size_t max_waiting = 10'000;         ///< calls; more fail
  std::chrono::milliseconds busy_pause{5};  ///< before a busy link is looked at again
};

class room_output final : public device_publisher_port {
 public:
  struct environment {
    mqtt_link& link;
    scheduler& timers;
    log_sink& log;
    metrics_registry& metrics;
  };
  using shut_out_handler =
      std::function<void(const room_name& room, const std::vector<connection_id>& ids, const log_position& removal)>;

  room_output(room_output_options options, environment env);
  ~room_output() override;
  room_output(const room_output&) = delete;
  room_output& operator=(const room_output&) = delete;

  /// Who is told about `shut_out`, at its place among what is published.
  void on_shut_out(shut_out_handler fn) { tell_shut_out_ = std::move(fn); }

  /// What the broker refuses, or has too long a topic, can never be delivered: it is counted, and done.
  void publish(const room_name& room, const shared_event& e, const room_audience& audience,
               std::function<void(bool sent)> done) override;
  void shut_out(const room_name& room, const std::vector<connection_id>& ids, const log_position& removal) override;

 private:
  using inboxes_ptr = std::shared_ptr<const std::vector<std::string>>;
  struct call {
    explicit call(room_name r) : room(std::move(r)) {}
    room_name room;
    shared_event event;  ///< null: a shut-out
    std::vector<connection_id> ids;
    log_position removal;
    std::vector<std::pair<wire, std::string>> shared;  ///< topics for all who read this encoding
    inboxes_ptr inboxes;
    std::size_t next = 0;  ///< of `shared`, then of `inboxes`
    std::size_t open = 0;  ///< publishes with the link
    bool handed = false;   ///< all of them were
    bool failed = false;
    std::function<void(bool)> done;
  };
  using call_ptr = std::shared_ptr<call>;

  [[nodiscard]] inboxes_ptr shared_inboxes(const room_name& room, const room_audience& audience);
  void pump();
  [[nodiscard]] bool has_room() const;
  void publish_next(const call_ptr& c);
  void publish_one(const call_ptr& c, std::string topic, wire format);
  void ended(const call_ptr& c, std::size_t size, publish_outcome outcome);
  void fail_room(const room_name& room);
  void undeliverable(const std::string& why);

  const room_output_options options_;
  const topic_map topics_;
  environment env_;
  counter& published_;
  counter& dropped_;
  counter& undeliverable_;
  shut_out_handler tell_shut_out_;
  std::deque<call_ptr> waiting_;
  std::unordered_map<room_name, std::pair<std::string, inboxes_ptr>> audiences_;  // the latest, by version
  std::size_t open_ = 0;
  std::size_t open_bytes_ = 0;
  bool pumping_ = false;
  std::uint64_t undeliverable_count_ = 0;
  timer_handle look_again_;
  bool looking_again_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // callbacks of the link may come after us
};

}  // namespace roombus::mqtt
