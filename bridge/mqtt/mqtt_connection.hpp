#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bridge/mqtt/mqtt_link.hpp"
#include "bridge/mqtt/presence.hpp"
#include "bridge/mqtt/topic_map.hpp"
#include "core/named_string.hpp"
#include "core/ports/connection_sink.hpp"
#include "core/ports/environment.hpp"
#include "core/task.hpp"
#include "schemas/codec/login_codec.hpp"

namespace roombus::mqtt {

/// Where a reply goes; an empty topic means nowhere.
struct reply_address {
  reply_address() = default;
  std::string topic;
  std::optional<std::string> correlation_data;
  qos level = qos::at_most_once;
};

/// A request that waits for its turn, as it came.
struct pending_request {
  pending_request() = default;
  std::uint64_t generation = 0;                 ///< life of the connection that it belongs to
  std::variant<std::string, room_name> target;  ///< command of a call, or room of a send
  std::string payload;
  std::optional<std::string> content_type;
  std::optional<std::string> idempotency_key;  ///< of a send
  reply_address reply;                         ///< of a call
  std::size_t size = 0;                        ///< that it counts for in the bound of all
};

/// The connection is to be registered with the service; the number is its new generation.
struct pending_connect {
  pending_connect() = default;
  std::uint64_t generation = 0;
  login_rights rights;
};
/// The connection is to be taken from the service.
struct pending_disconnect {};

using pending_work = std::variant<pending_request, pending_connect, pending_disconnect>;

/// Devices that are let go together.
struct leaving_devices {
  bool late = false;  ///< the time for what they run is over
  completion<bool> one_idle;
};

/// One device, from its first message until it is absent and nothing of it is pending. What it asks for, and its coming
/// and going, are worked off one after the other in the order of arrival. Each time it comes is a new generation.
class mqtt_connection {
 public:
  mqtt_connection(const device_levels& device, std::string device_base, const presence_times& times)
      : user(std::string(device.user)),
        key(device.both),
        id("mqtt#" + key),
        base(std::move(device_base)),
        life(times) {}

  [[nodiscard]] std::string_view client() const { return std::string_view(key).substr(user.str().size() + 1); }

  const user_name user;
  const std::string key;   ///< "user/client"
  const connection_id id;  ///< "mqtt#user/client"
  const std::string base;  ///< of its topics
  presence life;
  payload::login_limits limits;             ///< of the latest life's login
  std::uint64_t broker_life = 0;            ///< the plugin's number of the connection; 0 where it said nothing
  wire encoding = wire::json;               ///< that it last used
  std::uint64_t generation = 0;             ///< of the latest life, pending or not
  std::uint64_t registered = 0;             ///< generation that the service knows; 0 for none
  std::optional<chat_error> connect_error;  ///< why the service refused the latest life
  std::deque<pending_work> pending;
  std::size_t pending_requests = 0;
  bool working = false;  ///< somebody works off `pending`
  timer_handle timer;
  std::int64_t timer_at = 0;  ///< when the timer runs (steady ms); 0 for none

  // only where several instances share the devices
  std::shared_ptr<leaving_devices> leaving;  ///< it is being let go, with these; shared by all of them
  bool forgotten = false;                    ///< it was let go: what still runs must not touch the service
  /// It was taken over, and the plugin has not said yet what it may read.
  std::optional<std::vector<joined_room>> taken_rooms;
};

/// What sinks hand over to.
class device_output {
 public:
  virtual ~device_output() = default;
  virtual void deliver_to(mqtt_connection& device, const shared_event& e) = 0;
  /// See `connection_sink::reads`.
  [[nodiscard]] virtual std::string reads_of(const mqtt_connection& device) const = 0;
  /// Ends the given life of the device, after the call has returned.
  virtual void close_device(const std::shared_ptr<mqtt_connection>& device, std::uint64_t generation,
                            close_reason reason) = 0;
};

/// The service's hold on one life of a device.
class device_sink final : public connection_sink {
 public:
  /// `output` lives at least as long as `device`.
  device_sink(device_output& output, std::weak_ptr<mqtt_connection> device, std::uint64_t generation)
      : output_(output), device_(std::move(device)), generation_(generation) {}

  void deliver(const shared_event& e) override {
    if (auto device = device_.lock()) output_.deliver_to(*device, e);
  }
  void close(close_reason reason) override {
    if (auto device = device_.lock()) output_.close_device(device, generation_, reason);
  }
  [[nodiscard]] std::string reads() const override {
    const auto device = device_.lock();
    return device ? output_.reads_of(*device) : std::string();
  }

 private:
  device_output& output_;
  std::weak_ptr<mqtt_connection>
      device_;  // weak: the service may hold the sink longer than the bridge holds the device
  std::uint64_t generation_;
};

}  // namespace roombus::mqtt
