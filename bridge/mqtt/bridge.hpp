#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/mqtt/broker_profile.hpp"
#include "bridge/mqtt/mqtt_link.hpp"
#include "bridge/mqtt/plugin_client.hpp"
#include "bridge/mqtt/presence.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"
#include "core/service.hpp"
#include "schemas/codec/codec_limits.hpp"

namespace roombus::mqtt {

/// How room notifications reach devices. Source: design §5.
enum class delivery : std::uint8_t {
  inbox,     ///< one publish per joined device, to its own topics
  broker,    ///< one publish per room and wire format; the broker decides who reads
  automatic  ///< broker if our plugin answers, else inbox
};

struct bridge_options {
  std::string prefix = "roombus";  ///< as `topic_map::is_prefix` allows it
  broker_profile profile = broker_profile::generic;
  delivery mode = delivery::inbox;
  std::size_t max_topic = 2048;  ///< bytes, both directions
  codec_limits payload;
  presence_times times;
  bool births_are_fresh = false;  ///< a retained birth is as good as a live one: the broker keeps none when it dies
  std::size_t max_connections = 100'000;             ///< devices at a time; requests of more get rateLimited
  std::size_t max_pending = 256;                     ///< requests of one device that wait; more get rateLimited
  std::size_t max_pending_bytes = 64 * 1024 * 1024;  ///< of all waiting requests; more get rateLimited
  std::size_t max_correlation_data = 1024;           ///< bytes; requests with more are ignored
  plugin_options plugin;
  std::size_t max_held = 10'000;                  ///< messages that wait until it is known whether there is a plugin
  std::size_t max_logins_asked = 1000;            ///< logins that wait for the onConnect hook; more are put off
  std::vector<subscription> extra_subscriptions;  ///< made beside the bridge's own, for `on_extra`
  /// Gets each message whose topic is none of the bridge's, also while the bridge stops; false: counted as ignored.
  std::function<bool(received_message&)> on_extra;
};

/// A device that another instance served until now; it is in the store under this one.
struct adopted_device {
  adopted_device() = default;
  user_name user;
  connection_id id;  ///< "mqtt#user/client"
  std::vector<joined_room> rooms;
  bool sure = false;  ///< the other one knew that it is there
};

/// What a bridge needs to know when it shares the broker's devices with the bridges of other instances.
struct device_sharing {
  /// Whether this instance serves the device "user/client" now. Asked for each message, so it must be quick.
  std::function<bool(std::string_view device)> owns;
  std::string nonce;  ///< a topic level that nobody else has
  /// The parts of the devices that are owned, or about to be, as the broker's plugin wants to be told. May be empty.
  std::function<std::string()> parts;
};

/// Rooms and commands as MQTT topics: takes requests and presence of devices from the link, runs them on the service,
/// and publishes replies and notifications. Belongs to the core's one thread.
///
/// Requests and the coming and going of one device are handled one after the other, in order of arrival.
/// `service`, `link` and the rest outlive the bridge, and the link calls back into it until `stop` has called `done`.
/// Source: design §3 to §5; docs/mqtt.md.
class bridge {
 public:
  struct environment {
    service& chat;
    mqtt_link& link;
    scheduler& timers;
    clock& time;
    log_sink& log;
    metrics_registry& metrics;
  };

  /// Unless delivery is `inbox` it announces itself as the service's broadcaster.
  bridge(bridge_options options, environment env);
  ~bridge();
  bridge(const bridge&) = delete;
  bridge& operator=(const bridge&) = delete;

  /// Starts the link.
  void start();
  /// Takes no more requests, ends all connections at the service, waits for what is pending, then stops the link; all
  /// within `limit`. `done` is called once.
  void stop(std::chrono::milliseconds limit, std::function<void()> done);

  /// From now on only those devices are served that this instance owns; everything else of the others is dropped and
  /// counted. Before `start`. Several bridges need links with clean sessions.
  void share_devices(device_sharing how);
  /// Completes when all messages have arrived that the broker had taken before the call; or with the link's end, which
  /// is the end of what was on its way, too. Exact with one broker; nodes of a broker cluster may be later.
  task<void> catch_up();
  /// Serves these devices from now on, as if they had always been here; unless they are `sure`, on probation as after a
  /// lost link (or as the broker's plugin says). They may be owned later only; `presence_again` is to be called then.
  void take_over(std::vector<adopted_device> devices);
  /// A device that was just taken over turned out to be in these rooms only: somebody put it out of others meanwhile.
  void correct_rooms(const connection_id& id, const std::vector<joined_room>& rooms);
  /// More devices are owned than before: asks the broker's plugin who is connected, or reads the statuses again that
  /// the broker keeps.
  void presence_again();
  /// Lets go of the devices that `which` selects, and that must not be owned any more: what they asked for before is
  /// finished, for at most `patience`; then they are forgotten here without a word to the store or to them.
  task<void> let_go(std::function<bool(std::string_view device)> which, std::chrono::milliseconds patience);
  /// Calls `fn` with each device "user/client" that has to show itself, or may be about to end.
  void for_each_uncertain(const std::function<void(std::string_view device)>& fn) const;
  /// True if the device is served here.
  [[nodiscard]] bool serves(const connection_id& id) const;

  /// These connections have been put out of the room, whichever instance serves them: the broker's plugin, if there is
  /// one, lets nothing through to them that is published after this call.
  void shut_out(const room_name& room, const std::vector<connection_id>& ids, const log_position& removal);

  /// Devices that are connected, or still have something pending.
  [[nodiscard]] std::size_t device_count() const;

 private:
  class impl;
  std::shared_ptr<impl> impl_;  // shared with coroutines that wait for the service
};

}  // namespace roombus::mqtt
