#pragma once

// Inside of the service, for the files that implement its commands (core/commands/).

#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/room_hub.hpp"
#include "core/service.hpp"

namespace roombus {

/// One command while it runs.
struct command_context {
  command_context() = default;
  user_name user;
  connection_id id;
  bool local = false;
  bool bypass_permissions = false;
  bool bypass_hooks = false;
  value_list args;       ///< exactly the command's own
  value_list rest_args;  ///< what was given beyond them

  /// Text of an argument that was checked to be text.
  [[nodiscard]] const std::string& text(std::size_t i) const { return *args[i].if_text(); }
  [[nodiscard]] room_name room() const { return room_name(text(0)); }
  [[nodiscard]] actor by() const { return {user, bypass_permissions}; }
  /// The options object, if the first rest argument is one.
  [[nodiscard]] const value_map* options() const { return rest_args.empty() ? nullptr : rest_args.front().if_map(); }
  /// The connection that echoes leave out: none when the server API acts.
  [[nodiscard]] connection_id echo_except() const { return local ? connection_id() : id; }
};

class service::impl {
 public:
  impl(chat_options options, chat_limits limits, std::string instance, environment env);

  task<result<void>> connect(user_name user, connection_id id, std::shared_ptr<connection_sink> sink,
                             bool shares_broadcast);
  task<void> disconnect(connection_id id);
  task<reply> execute(call c);
  task<result<void>> add_room(room_name room, room_settings settings);
  void close_all(close_reason reason);

  chat_options options;
  chat_limits limits;
  std::string instance;
  environment env;
  room_hub hub;

 private:
  using handler = task<reply> (impl::*)(command_context&);
  static handler handler_of(command id);

  task<reply> run(const command_descriptor& cmd, command_context ctx);
  task<reply> run_handler(command id, command_context& ctx);
  task<void> end_connection(user_name user, connection_id id);

  // core/commands/direct_commands.cpp
  task<reply> direct_add_to_list(command_context& ctx);
  task<reply> direct_remove_from_list(command_context& ctx);
  task<reply> direct_get_access_list(command_context& ctx);
  task<reply> direct_set_whitelist_mode(command_context& ctx);
  task<reply> direct_get_whitelist_mode(command_context& ctx);
  task<reply> direct_message(command_context& ctx);
  task<reply> list_own_sockets(command_context& ctx);
  task<reply> system_message(command_context& ctx);
  task<reply> edit_direct_list(command_context& ctx, bool add);

  // core/commands/room_commands.cpp
  task<reply> room_create(command_context& ctx);
  task<reply> room_delete(command_context& ctx);
  task<reply> room_message(command_context& ctx);
  task<reply> room_add_to_list(command_context& ctx);
  task<reply> room_remove_from_list(command_context& ctx);
  task<reply> room_set_whitelist_mode(command_context& ctx);
  task<reply> edit_room_list(command_context& ctx, bool add);
  task<void> tell_removed(room_name room, std::vector<removed_member> removed, bool userlist_updates);

  // core/commands/membership_commands.cpp
  task<reply> room_join(command_context& ctx);
  task<reply> room_leave(command_context& ctx);
  void tell_left(const user_name& user, const connection_id& id, const left_room& left, const connection_id& except);

  // core/commands/reading_commands.cpp
  task<reply> room_recent_history(command_context& ctx);
  task<reply> room_history_get(command_context& ctx);
  task<reply> room_history_info(command_context& ctx);
  task<reply> room_user_seen(command_context& ctx);
  task<reply> room_get_access_list(command_context& ctx);
  task<reply> room_get_owner(command_context& ctx);
  task<reply> room_get_whitelist_mode(command_context& ctx);
  task<reply> room_notifications_info(command_context& ctx);
  task<reply> read_room(command_context& ctx, room_query query);
  task<reply> read_history(command_context& ctx, history_request request);

  /// The message as it is stored and sent: author and timestamp are the service's, no id.
  [[nodiscard]] value_map stamped(const command_context& ctx, std::size_t argument) const;
  [[nodiscard]] result<std::vector<user_name>> valid_names(const value& names, bool check) const;

  bool closing_ = false;
  std::map<connection_id, bool> connecting_;  // logins under way; true when the connection has ended meanwhile
  std::vector<counter*> command_counts_;
  counter& failed_commands_;
};

inline shared_event make_event(notification id, value_list args) {
  return std::make_shared<const event>(id, std::move(args));
}

/// A reply with nothing to tell.
inline reply nothing() {
  return value_list(1);
}
inline reply one(value v) {
  value_list results;
  results.push_back(std::move(v));
  return results;
}

/// `{gap, epoch, firstMessageId, lastMessageId}` added to `out`. Source: contract §4.
void add_position(value_map& out, const history_page& page);
/// Reads `{after?, epoch?, limit?}` of an options object into a request. Errors: bad_argument [position, options].
[[nodiscard]] result<void> read_history_options(const value_map& options, std::size_t position,
                                                history_request& request);

}  // namespace roombus
