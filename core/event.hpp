#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "core/named_string.hpp"
#include "core/value.hpp"

namespace roombus {

/// Everything the service tells clients without being asked. Source: contract §5.
enum class notification : std::uint8_t {
  room_message,
  direct_message,
  direct_message_echo,
  room_user_joined,
  room_user_left,
  room_access_removed,
  room_access_list_added,
  room_access_list_removed,
  room_mode_changed,
  room_joined_echo,
  room_left_echo,
  socket_connect_echo,
  socket_disconnect_echo,
  system_message,
  login_confirmed,
  login_rejected
};

/// One row of the notification table.
struct notification_descriptor {
  notification id;
  std::string_view name;                        ///< Name on the wire, "roomMessage".
  std::span<const std::string_view> arguments;  ///< Names of the arguments, in order.
  bool to_room;                                 ///< Goes to the members of the room named by the first argument.
};

[[nodiscard]] const notification_descriptor& describe(notification id);
[[nodiscard]] std::span<const notification_descriptor> all_notifications();

/// One notification, immutable, shared by all connections it goes to. Adapters keep its encodings here, so that each
/// wire format is encoded once however many receive it. Belongs to the core's one thread.
class event {
 public:
  /// Places for encodings; each adapter owns the ones named after it.
  enum class slot : std::uint8_t { socketio_eio3, socketio_eio4, mqtt_json, mqtt_cbor, bus, count };

  event(notification id, value_list args) : id_(id), args_(std::move(args)) {}

  [[nodiscard]] notification id() const { return id_; }
  [[nodiscard]] const notification_descriptor& descriptor() const { return describe(id_); }
  [[nodiscard]] std::string_view name() const { return descriptor().name; }
  [[nodiscard]] const value_list& args() const { return args_; }
  [[nodiscard]] bool to_room() const { return descriptor().to_room; }

  /// The encoding kept in slot `s`, made by `make()` (returning `std::shared_ptr<const T>`) the first time.
  template <class T, class Make>
  std::shared_ptr<const T> encoded(slot s, Make&& make) const {
    std::shared_ptr<const void>& kept = encodings_[static_cast<std::size_t>(s)];
    if (!kept) kept = std::forward<Make>(make)();
    return std::static_pointer_cast<const T>(kept);
  }

 private:
  notification id_;
  value_list args_;
  mutable std::array<std::shared_ptr<const void>, static_cast<std::size_t>(slot::count)> encodings_;
};

using shared_event = std::shared_ptr<const event>;

}  // namespace roombus
