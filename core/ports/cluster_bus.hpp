#pragma once

// How instances reach each other, and how a room's publisher reaches devices of all of them.

#include <functional>
#include <string>
#include <vector>

#include "core/event.hpp"
#include "core/ports/room_log.hpp"
#include "core/value.hpp"

namespace roombus {

struct cluster_bus_handlers {
  std::function<void()> on_up;    ///< reachable, and everything listened to is listened to
  std::function<void()> on_down;  ///< what is sent in the meantime does not arrive
  std::function<void(value_map body)> on_message;
};

/// Messages between instances, over the broker. At most once; between one sender and one receiver in order, as long as
/// they go the same way (all, instance, or one room). Belongs to the core's one thread.
/// `done(true)`: the broker has it. `done` may be empty and is called in a later turn.
class cluster_bus {
 public:
  using done_handler = std::function<void(bool sent)>;

  virtual ~cluster_bus() = default;
  /// Before `service::start`. `incarnation` is how others reach this one.
  virtual void open(std::string incarnation, cluster_bus_handlers handlers) = 0;
  /// The same under another name.
  virtual void rename(std::string incarnation) = 0;
  [[nodiscard]] virtual bool is_up() const = 0;
  /// Every instance gets it, this one too.
  virtual void send_all(const value_map& body, done_handler done) = 0;
  virtual void send_to(const std::string& incarnation, const value_map& body, done_handler done) = 0;
  /// Everybody who listens to the room gets it, this instance too if it does.
  virtual void send_room(const room_name& room, const value_map& body, done_handler done) = 0;
  /// `done(true)`: from now on what is sent to the room arrives. It is kept up across lost links.
  virtual void listen(const room_name& room, done_handler done) = 0;
  virtual void stop_listening(const room_name& room) = 0;
};

/// Publishes a room's events to devices, whichever instance serves them.
class device_publisher_port {
 public:
  virtual ~device_publisher_port() = default;
  /// `done(true)`: the broker has acknowledged it for everybody in `audience`. In the order of the calls for one room.
  virtual void publish(const room_name& room, const shared_event& e, const room_audience& audience,
                       std::function<void(bool sent)> done) = 0;
  /// These connections have been put out of the room by the change at `removal`, whichever instance serves them: what
  /// is published after this call must not reach them, unless they have joined since (`ends_membership`).
  virtual void shut_out(const room_name& room, const std::vector<connection_id>& ids, const log_position& removal) = 0;
};

}  // namespace roombus
