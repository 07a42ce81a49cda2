#pragma once

// Inside of the service, for the files that implement its commands (core/commands/) and methods (core/api/).

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/cluster/cluster_member.hpp"
#include "core/keyed_lock.hpp"
#include "core/room_hub.hpp"
#include "core/service.hpp"

namespace roombus {

/// One command while it runs.
struct command_context : hook_context {
  /// Text of an argument that was checked to be text.
  [[nodiscard]] const std::string& text(std::size_t i) const { return *args[i].if_text(); }
  [[nodiscard]] room_name room() const { return room_name(text(0)); }
  [[nodiscard]] actor by() const { return {user, bypass_permissions || is_admin}; }
  /// The options object, if the first rest argument is one.
  [[nodiscard]] const value_map* options() const { return rest_args.empty() ? nullptr : rest_args.front().if_map(); }
  /// The connection that echoes leave out: none when the server API acts.
  [[nodiscard]] connection_id echo_except() const { return is_local_call ? connection_id() : id; }
  bool is_admin = false;  ///< the rights of the login make it one
};

class service::impl final : public cluster_host {
 public:
  impl(chat_options options, chat_limits limits, std::string instance, environment env);

  ~impl() override;

  void set_cluster(cluster_parts parts);
  [[nodiscard]] std::string incarnation() const { return cluster_ ? cluster_->incarnation() : instance; }
  std::uint64_t watch_room(const room_name& room, std::function<void(const shared_event&)> fn);
  void unwatch_room(const room_name& room, std::uint64_t watch);
  task<result<void>> start(value_map info);
  task<result<void>> close();
  task<result<void>> connect(user_name user, connection_id id, std::shared_ptr<connection_sink> sink,
                             bool shares_broadcast, login_rights rights);
  task<void> disconnect(connection_id id);
  bool adopt(user_name user, connection_id id, std::shared_ptr<connection_sink> sink,
             const std::vector<joined_room>& rooms, login_rights rights);
  task<result<login>> ask_who(connection_id id, handshake shown);
  task<reply> execute(call c);
  task<reply> call_api(std::string method, value args);
  task<result<void>> add_room(room_name room, room_settings settings);
  [[nodiscard]] room_settings default_room_settings() const;

  chat_options options;
  chat_limits limits;
  std::string instance;
  environment env;
  room_hub hub;
  service_hooks hooks;
  operator_events events;

 private:
  using handler = task<reply> (impl::*)(command_context&);
  static handler handler_of(command id);
  using api_handler = task<reply> (impl::*)(value_list args);
  static api_handler api_handler_of(api_method id);

  task<reply> run(const command_descriptor& cmd, command_context& ctx);
  task<reply> run_hooked(const command_descriptor& cmd, command_context& ctx);
  task<result<void>> check(const command_descriptor& cmd, const value_list& args);
  /// Whether the login of the connection goes so far. Sets `is_admin`. Errors: not_allowed, invalid_socket [id].
  [[nodiscard]] result<void> check_rights(command_context& ctx);
  [[nodiscard]] bool take_turn(const connection_id& id);
  void set_arguments(command_context& ctx, value_list args, std::size_t own) const;
  void log_command_fault(const command_context& ctx, const std::string& fault) const;

  // core/connection_life.cpp
  /// Ends it in the store and tells everybody. `rooms`: those that this instance knew it in. False when the store
  /// failed: that was reported, and is tried again.
  task<bool> end_connection(user_name user, connection_id id, std::set<room_name> rooms);
  task<void> tell_ended(user_name user, connection_id id, disconnected outcome);
  void remember_unfinished(const user_name& user, const connection_id& id, std::set<room_name> rooms);
  task<result<std::vector<left_room>>> rooms_left_untold(user_name user, connection_id id, std::set<room_name> rooms);
  task<void> finish_ends();

  // core/cluster_side.cpp: only with several instances
  void apply(const log_entry& entry) override;
  void tell_removed_here(const log_entry& entry) override;
  [[nodiscard]] bool feeds(const room_name& room) override { return hub.feeds(room); }
  void break_off(const room_name& room) override;
  void tell_user(const user_name& user, const shared_event& e, const connection_id& except) override;
  void close_user_here(const user_name& user) override;
  void emit(std::string event, value_list args) override;
  void sync_here(const user_name& user, const room_name& room) override;
  task<bool> end_left_behind(connection_record record) override;
  void drop_everybody() override;
  task<value_map> run_for_other(value_map asked) override;
  void report_transport_failure(const room_name& room, std::string_view operation, const chat_error& error) override;
  task<std::optional<reply>> run_where_served(call c);
  task<void> sync_quietly(user_name user, room_name room);
  task<result<joined>> join_fed(join_request request, history_request history);
  struct running_join;
  std::shared_ptr<running_join> begin_running(const join_request& request);
  void end_running(const join_request& request, const std::shared_ptr<running_join>& run);
  task<result<joined>> join_told_by_publisher(join_request request, history_request history);
  /// The user's connections here and on every other instance.
  void notify_everywhere(const user_name& user, const shared_event& e, const connection_id& except);

  // core/service_life.cpp
  task<result<void>> prepare_start(value_map info);
  task<void> beat();
  void beat_later();
  task<void> recover_dead_instances();
  void finish_one();

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
  task<result<void>> tell_removed(room_name room, access_change change);
  void take_out(const room_name& room, const std::vector<removed_member>& removed, const log_position& removal = {});

  // core/commands/membership_commands.cpp
  task<reply> room_join(command_context& ctx);
  task<reply> room_leave(command_context& ctx);
  task<result<void>> prepare_join(join_request request, bool shares_broadcast);
  task<void> roll_back_join(join_request request);
  task<void> undo_join(join_request request);
  /// False when it is not known whether the room still reaches the connection; that is reported.
  task<bool> revoke(user_name user, room_name room, connection_id id);
  task<void> tell_left(user_name user, connection_id id, left_room left, connection_id except);
  task<keyed_lock::guard> lock_membership(user_name user, connection_id id, room_name room);

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

  // core/api/user_methods.cpp
  task<reply> api_exec_user_command(value_list args);
  task<reply> api_add_user(value_list args);
  task<reply> api_delete_user(value_list args);
  task<reply> api_has_user(value_list args);
  task<reply> api_user_has_in_list(value_list args);
  task<reply> api_has_direct_access(value_list args);
  task<reply> api_disconnect_user_sockets(value_list args);
  task<reply> api_list_users(value_list args);
  task<reply> api_check_arguments(value_list args);

  // core/api/room_methods.cpp
  task<reply> api_add_room(value_list args);
  task<reply> api_delete_room(value_list args);
  task<reply> api_has_room(value_list args);
  task<reply> api_room_has_in_list(value_list args);
  task<reply> api_has_room_access(value_list args);
  task<reply> api_change_room_owner(value_list args);
  task<reply> api_change_room_history_max_size(value_list args);
  task<reply> api_change_access_lists_updates(value_list args);
  task<reply> api_change_userlist_updates(value_list args);
  task<reply> api_list_rooms(value_list args);
  task<reply> change_room(room_name room, room_change change);

  // core/api/instance_methods.cpp
  task<reply> api_cluster_bus_emit(value_list args);
  task<reply> api_user_state_sync(value_list args);
  task<reply> api_room_state_sync(value_list args);
  task<reply> api_instance_recovery(value_list args);
  task<reply> api_get_instance_heartbeat(value_list args);
  task<reply> api_get_instance_sockets(value_list args);
  task<reply> api_batch(value_list args);

  // core/api/recovery_methods.cpp
  task<bool> is_abandoned(connection_record record);
  task<bool> wants_userlist_updates(room_name room);
  task<result<void>> agree_on_membership(user_name user, connection_id id, room_name room);
  task<result<void>> recover_instance(std::string dead);
  task<reply> sync_user(user_name user);
  task<reply> sync_room(room_name room);

  /// The message as it is stored and sent: author and timestamp are the service's, no id.
  [[nodiscard]] value_map stamped(const command_context& ctx, std::size_t argument) const;
  [[nodiscard]] result<std::vector<user_name>> valid_names(const value& names, bool check) const;
  /// Tells operators that store or transport and the rest may disagree. Empty parts are left out.
  void report_failure(std::string_view event, const user_name& user, const room_name& room, const connection_id& id,
                      std::string_view operation, const chat_error& error);
  /// The same, if the outcome of an operation of the store is unknown.
  void report_unknown(const command_context& ctx, std::string_view operation, const chat_error& error);

  enum class state : std::uint8_t { open, closing, closed };

  /// A connection whose end the store did not confirm.
  struct unfinished_end {
    user_name user;
    std::set<room_name> rooms;
  };

  state state_ = state::open;
  keyed_lock membership_lock_;
  std::unique_ptr<cluster_member> cluster_;  // null when this instance is the only one
  /// A join between the store's first word and its last, with several instances.
  struct running_join {
    std::string attempt;                  ///< see `join_request::attempt`
    bool heard = false;                   ///< its entry has brought the connection in
    std::optional<log_position> put_out;  ///< the last removal that was heard of meanwhile
  };
  // shared with the join that runs
  std::map<std::pair<connection_id, room_name>, std::shared_ptr<running_join>> joins_under_way_;
  std::uint64_t last_join_ = 0;
  std::map<connection_id, bool> connecting_;  // logins under way; true when the connection has ended meanwhile
  std::map<connection_id, unfinished_end> unfinished_;
  std::size_t running_ = 0;   // commands, methods and ends of connections
  completion<bool> drained_;  // while closing: nothing runs
  completion<bool> idle_;     // while closing: nothing runs, and nobody is connected
  timer_handle heartbeat_;
  std::vector<counter*> command_counts_;
  counter& failed_commands_;
};

/// Names in one page of a listing: 1 to 1000, 100 unless told.
[[nodiscard]] std::size_t page_limit(const value& v);

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
