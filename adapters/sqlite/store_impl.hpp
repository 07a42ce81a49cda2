#pragma once

// The durable store. Its rules are those of core/room_state.hpp and core/user_state.hpp, on a state in memory that is
// always the committed one:
//
// - A change is checked against that state, its rows are handed to the commit queue, and the state changes when they
//   are committed, in the turn in which the operation completes. A commit that fails has nothing to undo.
// - Appends of a room follow each other without waiting: they take ids ahead (`room_log`), which a failure gives back.
// - Joins and leaves of different users do not wait for each other; those of one user in one room do (`changing`).
// - Edits of a room or user close its gate (`gated_cache`) until they are committed.
// - Connections and memberships live in memory only and end with the process. The file keeps when somebody was last
//   seen, and whether they were joined, which the next start turns into "left". The end of a connection, and leaving,
//   never fail: their rows are written when the disk takes them (`late_seen_`).

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "adapters/sqlite/commit_queue.hpp"
#include "adapters/sqlite/gated_cache.hpp"
#include "adapters/sqlite/room_log.hpp"
#include "adapters/sqlite/sqlite_store.hpp"
#include "adapters/sqlite/tables.hpp"
#include "core/ports/store_condition.hpp"
#include "core/room_state.hpp"
#include "core/user_state.hpp"

namespace roombus::sqlite {

struct room_entry : gated {
  explicit room_entry(std::string text) : name(std::move(text)) {}

  [[nodiscard]] bool pinned() const { return state && (state->has_members() || log.has_pending()); }
  [[nodiscard]] std::size_t cost() const { return 512 + names * 96 + log.cost(); }
  void shrink() { log.drop_recent(); }

  room_name name;
  std::int64_t row = 0;
  std::optional<room_state> state;  ///< nothing: there is no such room
  room_log log;
  std::map<user_name, int> changing;  ///< users with joins and leaves that wait for their commit
  std::size_t names = 0;              ///< in the lists, about
};

struct user_entry : gated {
  explicit user_entry(std::string text) : name(std::move(text)) {}

  [[nodiscard]] bool pinned() const { return state && !state->connections.empty(); }
  [[nodiscard]] std::size_t cost() const { return 512 + names * 96; }
  void shrink() {}

  user_name name;
  std::int64_t row = 0;
  std::optional<user_state> state;  ///< nothing: there is no such user
  std::size_t names = 0;            ///< in the lists, about
};

class sqlite_store final : public store, public store_condition {
 public:
  sqlite_store(std::unique_ptr<tables> rows, const sqlite_options& options, clock& time, scheduler& turns,
               log_sink& log, metrics_registry& metrics);
  ~sqlite_store() override;

  [[nodiscard]] std::string trouble() const override { return queue_.trouble(); }

  // room_operations.cpp
  task<result<void>> add_room(room_name room, room_settings settings) override;
  task<result<access_change>> remove_room(room_name room, actor by) override;
  task<result<void>> find_room(room_name room) override;
  task<result<value>> read_room(room_name room, actor by, room_query query) override;
  task<result<access_change>> edit_list(room_name room, actor by, std::string list, bool add,
                                        std::vector<user_name> names, std::size_t limit) override;
  task<result<access_change>> set_whitelist_mode(room_name room, actor by, bool whitelist_only) override;
  task<result<access_change>> change_room(room_name room, room_change change) override;
  task<result<value>> list_rooms(std::string after, std::size_t limit) override;
  task<result<std::vector<repaired_member>>> repair_room(room_name room, std::int64_t now_ms) override;

  // message_operations.cpp
  task<result<history_page>> read_history(room_name room, actor by, history_request request) override;
  task<result<appended>> append(append_request request) override;

  // membership_operations.cpp
  task<result<begun_join>> begin_join(join_request request) override;
  task<result<joined>> confirm_join(join_request request, history_request history) override;
  task<result<void>> cancel_join(join_request request) override;
  task<result<left_room>> leave(join_request request) override;
  task<result<disconnected>> disconnect(user_name user, connection_id id, std::int64_t now_ms) override;

  // user_operations.cpp
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

  // sqlite_store.cpp
  task<result<void>> heartbeat(std::string instance, std::int64_t now_ms) override;
  task<result<std::optional<std::int64_t>>> last_heartbeat(std::string instance) override;
  task<result<std::vector<std::string>>> instances() override;
  task<result<void>> forget_instance(std::string instance) override;
  task<result<std::vector<connection_record>>> instance_connections(std::string instance) override;

 private:
  using room_pointer = gated_cache<room_entry>::pointer;
  using user_pointer = gated_cache<user_entry>::pointer;
  using seen_rows = std::vector<seen_row>;

  task<bool> load_room(room_pointer entry);
  task<bool> load_user(user_pointer entry);
  /// The room when its turn has come, and no join or leave of `user` in it is under way. Null: out of reach.
  task<room_pointer> enter_room(room_name room, user_name user);
  void set_room(room_entry& entry, room_row row);
  void set_user(user_entry& entry, user_row row);

  /// Writes an edit of a locked room: `change` and who was removed.
  completion<bool> write_edit(commit_queue::job_function change, seen_rows removed, std::size_t bytes);
  [[nodiscard]] static seen_rows seen_of(const room_entry& entry, const std::vector<removed_member>& removed,
                                         std::int64_t now_ms);
  /// Takes the room out of the indexes of those who were removed, and notes whom `written` does not tell.
  void finish_removal(const room_entry& entry, const std::vector<removed_member>& removed, const seen_rows& written,
                      std::int64_t now_ms);
  /// Reads messages first…last into `fetched`; false if the file cannot be read.
  task<bool> fetch(room_pointer entry, std::uint64_t first, std::uint64_t last,
                   std::shared_ptr<fetched_messages> fetched);
  task<result<value>> read_seen(room_pointer entry, user_name user);

  static result<void> check_join(const room_entry& entry, std::int64_t row, const user_state::connection* connection,
                                 const join_request& request);
  user_state::connection* find_connection(const user_name& user, const connection_id& id);
  /// For rows that an operation does not wait for: written soon, and again until they are.
  void write_late(seen_row row);
  void flush_late();
  task<void> finish_late(completion<bool> write, seen_rows batch);
  /// Rows that an operation writes now; what was to be written late about the same is out of date.
  void supersede_late(const seen_row& row);
  void abandon_pending();

  clock& time_;
  scheduler& turns_;
  gated_cache<room_entry> rooms_;
  gated_cache<user_entry> users_;
  std::set<room_pointer> appending_;  // rooms with ids that wait for their commit
  std::map<std::pair<std::int64_t, std::string>, seen_row> late_seen_;
  bool late_under_way_ = false;
  timer_handle late_timer_;
  std::map<std::string, std::int64_t> heartbeats_;
  std::int64_t last_room_row_;
  std::int64_t last_user_row_;
  std::shared_ptr<bool> living_ = std::make_shared<bool>(true);
  commit_queue queue_;  // last: its thread ends first
};

inline chat_error no_user(const user_name& user) {
  return {errc::no_user, {value(user.str())}};
}

inline chat_error unavailable() {
  return {errc::unavailable};
}

inline std::size_t bytes_of(const std::vector<user_name>& names) {
  std::size_t sum = 0;
  for (const user_name& name : names)
    sum += name.str().size() + 32;
  return sum;
}

/// What a change weighs in the queue beside its names and bodies.
inline constexpr std::size_t job_bytes = 256;

}  // namespace roombus::sqlite
