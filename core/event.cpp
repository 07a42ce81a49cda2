#include "core/event.hpp"

namespace roombus {

namespace {

using sv = std::string_view;
constexpr sv room_message_args[] = {"room", "message"};
constexpr sv message_args[] = {"message"};
constexpr sv direct_echo_args[] = {"user", "message"};
constexpr sv room_user_args[] = {"room", "user"};
constexpr sv room_args[] = {"room"};
constexpr sv room_list_args[] = {"room", "list", "users"};
constexpr sv room_mode_args[] = {"room", "mode"};
constexpr sv room_echo_args[] = {"room", "id", "njoined"};
constexpr sv connection_echo_args[] = {"id", "nconnected"};
constexpr sv data_args[] = {"data"};
constexpr sv login_args[] = {"user", "data"};
constexpr sv error_args[] = {"error"};

constexpr notification_descriptor table[] = {
    {notification::room_message, "roomMessage", room_message_args, true},
    {notification::direct_message, "directMessage", message_args, false},
    {notification::direct_message_echo, "directMessageEcho", direct_echo_args, false},
    {notification::room_user_joined, "roomUserJoined", room_user_args, true},
    {notification::room_user_left, "roomUserLeft", room_user_args, true},
    {notification::room_access_removed, "roomAccessRemoved", room_args, false},
    {notification::room_access_list_added, "roomAccessListAdded", room_list_args, true},
    {notification::room_access_list_removed, "roomAccessListRemoved", room_list_args, true},
    {notification::room_mode_changed, "roomModeChanged", room_mode_args, true},
    {notification::room_joined_echo, "roomJoinedEcho", room_echo_args, false},
    {notification::room_left_echo, "roomLeftEcho", room_echo_args, false},
    {notification::socket_connect_echo, "socketConnectEcho", connection_echo_args, false},
    {notification::socket_disconnect_echo, "socketDisconnectEcho", connection_echo_args, false},
    {notification::system_message, "systemMessage", data_args, false},
    {notification::login_confirmed, "loginConfirmed", login_args, false},
    {notification::login_rejected, "loginRejected", error_args, false},
};

}  // namespace

const notification_descriptor& describe(notification id) {
  return table[static_cast<std::size_t>(id)];
}

std::span<const notification_descriptor> all_notifications() {
  return table;
}

}  // namespace roombus
