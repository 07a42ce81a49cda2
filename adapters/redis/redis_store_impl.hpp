#pragma once

// How the store port becomes round trips. The scripts decide; here their answers become the port's types, and the
// operations that touch a room and a user are put in the order of design §6, "Two slots, one truth".

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "adapters/redis/gates.hpp"
#include "adapters/redis/redis_client.hpp"
#include "adapters/redis/redis_store.hpp"
#include "core/ports/store_condition.hpp"

namespace roombus::redis {

class redis_store final : public shared_store, public store_condition {
 public:
  redis_store(redis_options options, redis_environment env);

  [[nodiscard]] std::string trouble() const override { return client_.trouble(); }

  // rooms: redis_rooms.cpp
  task<result<void>> add_room(room_name room, room_settings settings) override;
  task<result<access_change>> remove_room(room_name room, actor by) override;
  task<result<void>> find_room(room_name room) override;
  task<result<value>> read_room(room_name room, actor by, room_query query) override;
  task<result<history_page>> read_history(room_name room, actor by, history_request request) override;
  task<result<appended>> append(append_request request) override;
  task<result<access_change>> edit_list(room_name room, actor by, std::string list, bool add,
                                        std::vector<user_name> names, std::size_t limit) override;
  task<result<access_change>> set_whitelist_mode(room_name room, actor by, bool whitelist_only) override;
  task<result<access_change>> change_room(room_name room, room_change change) override;
  task<result<value>> list_rooms(std::string after, std::size_t limit) override;

  // membership, instances: redis_members.cpp
  task<result<begun_join>> begin_join(join_request request) override;
  task<result<joined>> confirm_join(join_request request, history_request history) override;
  task<result<void>> cancel_join(join_request request) override;
  task<result<left_room>> leave(join_request request) override;
  task<result<disconnected>> disconnect(user_name user, connection_id id, std::int64_t now_ms) override;
  task<result<std::vector<repaired_member>>> repair_room(room_name room, std::int64_t now_ms) override;

  // users: redis_users.cpp
  task<result<void>> add_user(user_name user, direct_settings settings) override;
  task<result<void>> remove_user(user_name user) override;
  task<result<bool>> has_user(user_name user) override;
  task<result<std::uint64_t>> connect(connection_record record, std::size_t limit) override;
  task<result<value>> connections(user_name user) override;
  task<result<std::vector<connection_record>>> connection_records(user_name user) override;
  task<result<value>> list_users(std::string after, std::size_t limit) override;
  task<result<bool>> has_in_direct_list(user_name user, std::string list, user_name item) override;
  task<result<direct_access>> check_direct(user_name recipient, user_name sender) override;
  task<result<void>> edit_direct_list(user_name user, std::string list, bool add, std::vector<user_name> names,
                                      std::size_t limit) override;
  task<result<value>> direct_list(user_name user, std::string list) override;
  task<result<void>> set_direct_whitelist_mode(user_name user, bool whitelist_only) override;
  task<result<bool>> direct_whitelist_mode(user_name user) override;

  // instances: redis_instances.cpp
  task<result<void>> heartbeat(std::string instance, std::int64_t now_ms) override;
  task<result<std::optional<std::int64_t>>> last_heartbeat(std::string instance) override;
  task<result<std::vector<std::string>>> instances() override;
  task<result<void>> forget_instance(std::string instance) override;
  task<result<std::vector<connection_record>>> instance_connections(std::string instance) override;

  // room logs: redis_room_log.cpp
  void keep_log(room_log_sink* sink, std::string incarnation) override;
  task<result<publishing_turn>> published(room_name room, std::uint64_t fence, std::uint64_t last_done) override;
  task<result<publishing_turn>> take_over(room_name room, std::string incarnation, std::int64_t patience_ms) override;
  task<result<log_part>> read_log(room_name room, std::string epoch, std::uint64_t after, std::size_t limit) override;
  task<result<std::vector<room_name>>> rooms_published_by(std::string incarnation) override;

  // lives and devices: redis_lives.cpp
  task<result<bool>> beat(std::string incarnation, bool first) override;
  task<result<std::vector<instance_life>>> lives() override;
  task<result<bool>> begin_recovery(std::string dead, std::string by, std::int64_t lease_ms) override;
  task<result<void>> finish_recovery(std::string dead) override;
  task<result<std::vector<partition_owner>>> partitions() override;
  task<result<std::vector<std::size_t>>> move_partitions(std::vector<std::size_t> numbers, std::string from,
                                                         std::string to) override;
  task<result<std::optional<std::vector<joined_room>>>> adopt(user_name user, connection_id id, std::string from,
                                                              std::string to) override;

 private:
  using words = std::vector<std::string>;
  /// Makes the log's entry of an operation from its answer; what all entries have is added. Empty: the operation writes
  /// no log.
  using entry_maker = std::function<room_entry(const reply& answer)>;

  [[nodiscard]] std::string room_key(const room_name& room) const;
  [[nodiscard]] std::string user_key(const user_name& user) const;
  [[nodiscard]] std::string key(std::string_view what) const;  ///< of what is neither: {prefix:what}

  /// Runs a script about a room; a refusal becomes the error. The answer is the whole list, "ok" at 0.
  task<result<reply>> on_room(const script& code, room_name room, effect what, words arguments,
                              entry_maker entry = nullptr);
  /// The same for who has shut the room's gate, and for a log has noted the room.
  task<result<reply>> on_open_room(const script& code, room_name room, effect what, words arguments,
                                   entry_maker entry = nullptr);
  task<result<reply>> on_user(const script& code, user_name user, effect what, words arguments);
  /// A plain command.
  task<result<reply>> command(effect what, std::string key, words arguments);

  /// The user's index of rooms forgets these; what fails is left, the index may name too many.
  task<void> forget_memberships(room_name room, std::vector<removed_member> removed, log_position removal);
  /// Makes or checks the entry of a join in the index; answers the connection's life.
  task<result<std::string>> index_join(join_request request);
  task<result<disconnected>> end_connection(user_name user, connection_id id, std::int64_t now_ms);
  task<void> agree_on_index(join_request request, std::weak_ptr<bool> alive);
  task<result<void>> mark(user_name user, connection_id id, std::string life, room_name room, std::string what,
                          log_position at = {});
  task<result<access_change>> finish_change(room_name room, reply answer);
  task<result<value>> list_names(std::string index, bool rooms, std::string after, std::size_t limit);
  [[nodiscard]] std::string fresh_attempt();

  /// Notes that this incarnation may have to publish the room; once.
  task<result<void>> note_room(room_name room);
  /// An operation that writes the room's log, or is about it. Of the answer the last item is what `finish` in
  /// room_log.lua adds. `trusts`: entries of answers that are still under way need not be given again.
  task<result<reply>> on_logged_room(const script& code, room_name room, effect what, words arguments, bool trusts);
  /// Tells the sink what came of an operation that was begun under the name `by`.
  void tell_log(const room_name& room, reply& answer, const entry_maker& entry, const std::string& by);
  /// Nothing when an answer that it trusted in was lost. `asked`: fence of a turn that is over when it is not ours any
  /// more.
  [[nodiscard]] std::optional<publishing_turn> turn_of(const room_name& room, const reply& part, const room_entry* own,
                                                       std::uint64_t asked);
  /// Those that an instance goes by in the store: its id may stand for several incarnations.
  task<result<std::vector<std::string>>> names_of(std::string instance);
  task<result<void>> forget_lives(std::vector<std::string> names, bool outboxes);

  redis_options options_;
  redis_environment env_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< for what goes on by itself
  client client_;
  std::string attempt_prefix_;  ///< also names this store among the instances'
  std::uint64_t attempts_ = 0;
  gates room_gates_;  ///< shut while a join on its way to the room is still with the user
  gates end_gates_;   ///< of a user and connection: shut while it is being ended
  /// Joins that this instance has begun, with the life of their connection; bounded by what the core has under way.
  std::map<std::tuple<user_name, connection_id, room_name>, std::string> begun_;

  /// What the sink was handed of a room that this incarnation publishes.
  struct handed {
    std::uint64_t fence = 0;
    std::uint64_t given = 0;
  };
  room_log_sink* sink_ = nullptr;  // without one no log is kept
  std::string incarnation_;
  std::unordered_set<std::string> noted_;                   // rooms in the set of this incarnation; bounded
  std::unordered_map<std::string, std::size_t> under_way_;  // logged operations without an answer, by room
  std::unordered_map<std::string, handed> turns_;           // rooms that are being published
};

/// What a refusing script's answer means.
[[nodiscard]] chat_error refusal(const reply& answer, const std::string& name);
/// "1" or "0".
[[nodiscard]] inline std::string flag(bool on) {
  return on ? "1" : "0";
}
/// ARGV of a history, in the order that room_rules.lua takes.
[[nodiscard]] std::vector<std::string> history_words(const history_request& request);
[[nodiscard]] history_page page_of(const reply& answer);
/// From items of room_leave.lua and room_end.lua.
[[nodiscard]] left_room left_of(const room_name& room, const reply& answer);
[[nodiscard]] std::vector<removed_member> members_of(const reply& list);
/// A stored message, with the id that is not stored with it.
[[nodiscard]] value message_of(std::string_view stored, std::uint64_t id);
/// What a log has: {sequence, kind, epoch, origin, switches, …}.
[[nodiscard]] room_entry entry_of(const reply& item);
/// Where the log of the room stood, from an answer of room_check_join.lua.
[[nodiscard]] log_position checked_position(const reply& answer);
/// Names in byte order.
[[nodiscard]] value sorted_names(const reply& list, std::size_t from);

}  // namespace roombus::redis
