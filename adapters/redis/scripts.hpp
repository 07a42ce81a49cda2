#pragma once

#include <string_view>
#include <vector>

namespace roombus::redis {

/// A Lua script with the rules it begins with; scripts/NAME.lua, embedded by the build.
struct script {
  std::string_view name;
  std::string_view text;
  std::string_view sha1;  ///< of the text, as EVALSHA takes it
  bool about_room;        ///< its key is a room's, else a user's, or that of all instances
};

namespace scripts {
extern const script room_add, room_remove, room_read, room_history, room_append, room_edit, room_mode, room_change,
    room_check_join, room_join, room_leave, room_end, room_members, room_published, room_take_over, room_read_log;
extern const script user_add, user_remove, user_connect, user_index, user_mark, user_close, user_closed,
    user_connections, user_find_connection, user_direct, user_edit, user_read, user_mode, user_adopt;
extern const script cluster_beat, cluster_recover, cluster_move_partitions;
/// The texts of all of them.
[[nodiscard]] std::vector<std::string_view> all_texts();
}  // namespace scripts

}  // namespace roombus::redis
