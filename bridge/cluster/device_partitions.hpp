#pragma once

// Which instance serves which devices of a broker that several share. Devices are divided into parts (partition_table),
// and the store has an entry for each. Every change of an entry is a compare-and-swap, so of two who want a part one
// gets it; what is left to take over stands in the entry until it is done, so it is known to whoever comes next,
// whatever happens to whom in between. Only who has a part gives it away, after letting go of its devices; the dead are
// emptied by whoever recovers them.
//
//   foreign ──taken──► adopting ──devices are here, and what was published before has passed──► open
//      ▲                                                                                          │
//      └───────────────── entry is "<self" ◄── giving (finishes what runs) ◄──────────────────────┘
// Only open parts are served, and only for a time after the core has said who lives, and the table was read.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/mqtt/bridge.hpp"
#include "core/metrics.hpp"
#include "core/ports/cluster_store.hpp"
#include "core/ports/device_ownership.hpp"
#include "core/ports/environment.hpp"
#include "core/service.hpp"

namespace roombus::cluster {

struct partition_options {
  partition_options() = default;
  /// Limits that follow from the service's.
  explicit partition_options(const chat_options& chat)
      : lease(chat.heartbeat_timeout > chat.heartbeat_rate ? chat.heartbeat_timeout - chat.heartbeat_rate
                                                           : chat.heartbeat_timeout / 2),
        patience(chat.lock_ttl) {}
  /// After `members_changed` and a look at the table; then nothing is served, before others may take us for dead.
  std::chrono::milliseconds lease{20000};
  std::chrono::milliseconds patience{10000};  ///< for requests that run when a part is given away
  std::chrono::milliseconds pause{300};       ///< between looks at the table while parts are to change hands
  std::size_t portion = 32;                   ///< parts given away at a time
};

/// Makes the bridge serve only the devices whose parts this instance has. Belongs to the core's one thread.
class device_partitions final : public device_ownership {
 public:
  struct environment {
    cluster_store& table;
    instance_store& instances;
    mqtt::bridge& devices;
    scheduler& timers;
    clock& time;
    random_source& random;
    log_sink& log;
    metrics_registry& metrics;
  };

  /// Before the bridge starts, which asks it from then on. All of `env` outlives it.
  device_partitions(partition_options options, environment env);
  ~device_partitions() override;
  device_partitions(const device_partitions&) = delete;
  device_partitions& operator=(const device_partitions&) = delete;

  void start(std::string self) override;
  void members_changed(std::vector<std::string> living) override;
  task<result<std::vector<connection_record>>> take_devices_of(std::string dead,
                                                               std::vector<connection_record> devices) override;
  task<void> hand_over_all() override;

  /// True if this instance serves the device "user/client" now.
  [[nodiscard]] bool owns(std::string_view device) const;
  /// Parts that are open here.
  [[nodiscard]] std::size_t open_count() const;

 private:
  class impl;
  std::shared_ptr<impl> impl_;  // shared with coroutines that wait for the store
};

}  // namespace roombus::cluster
