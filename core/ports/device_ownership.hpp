#pragma once

#include <string>
#include <vector>

#include "core/ports/store.hpp"

namespace roombus {

/// Which devices this instance serves, when several instances share a broker. The core says who lives; whoever
/// implements this divides the devices among them.
class device_ownership {
 public:
  virtual ~device_ownership() = default;
  /// This instance goes by `self` now. What it served under another name is not its own any more: forgotten without a
  /// word to the store.
  virtual void start(std::string self) = 0;
  /// These incarnations live, `self` among them; called at each change, and now and then.
  virtual void members_changed(std::vector<std::string> living) = 0;
  /// Makes this instance the one that serves all devices of a dead one; `devices` are the dead one's connections in the
  /// store that are devices. Those that cannot be taken over are answered: their connections are to be ended.
  virtual task<result<std::vector<connection_record>>> take_devices_of(std::string dead,
                                                                       std::vector<connection_record> devices) = 0;
  /// Gives all devices to those who go on living; `give_up` is the time for what they are running.
  virtual task<void> hand_over_all() = 0;
};

}  // namespace roombus
