#pragma once

// One of several instances: applies what happens in rooms in the order of their logs, publishes the rooms that it
// holds, tells the others what users are to hear, confirms removals, sees who lives and recovers who does not.
// Belongs to the core's one thread; the service is its host.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/cluster/cluster_parts.hpp"
#include "core/cluster/liveness.hpp"
#include "core/cluster/room_feed.hpp"
#include "core/cluster/room_publisher.hpp"
#include "core/options.hpp"
#include "core/ports/connection_sink.hpp"

namespace roombus {

/// What a cluster needs of the service.
class cluster_host {
 public:
  virtual ~cluster_host() = default;
  /// Changes who is where, and hands out the entry's notifications to connections that this instance feeds.
  virtual void apply(const log_entry& entry) = 0;
  /// Tells the connections of who was removed, and lets go of them, whether or not the room is fed here.
  virtual void tell_removed_here(const log_entry& entry) = 0;
  /// Somebody here gets the room's notifications from this instance.
  [[nodiscard]] virtual bool feeds(const room_name& room) = 0;
  /// The room's notifications cannot be continued: who gets them from here is closed, to come back and catch up.
  virtual void break_off(const room_name& room) = 0;
  virtual void tell_user(const user_name& user, const shared_event& e, const connection_id& except) = 0;
  virtual void close_user_here(const user_name& user) = 0;
  virtual void emit(std::string event, value_list args) = 0;
  /// Repairs what this instance knows of a user or a room; one of them is empty.
  virtual void sync_here(const user_name& user, const room_name& room) = 0;
  /// Ends a connection that a dead instance left behind. False: the store failed.
  virtual task<bool> end_left_behind(connection_record record) = 0;
  /// This instance may not serve anybody under its present name: everybody is closed or forgotten.
  virtual void drop_everybody() = 0;
  /// Runs a command for another instance.
  virtual task<value_map> run_for_other(value_map asked) = 0;
  virtual void report_transport_failure(const room_name& room, std::string_view operation, const chat_error& error) = 0;
};

class cluster_member final : public room_log_sink, private liveness_owner {
 public:
  struct environment {
    store& data;
    clock& time;
    random_source& random;
    scheduler& timers;
    log_sink& log;
    metrics_registry& metrics;
    const chat_options& options;
  };

  cluster_member(cluster_host& host, cluster_parts parts, std::string instance, environment env);
  ~cluster_member() override;

  /// Joins the others: opens the bus, registers, recovers earlier lives of this instance. Errors: unavailable.
  task<result<void>> start();
  /// Gives its devices to the others, before the service closes them.
  task<void> hand_over();
  /// Leaves: what is to be published is, then this incarnation is forgotten.
  task<void> stop(std::chrono::milliseconds limit);

  [[nodiscard]] const std::string& incarnation() const { return alive_.incarnation(); }
  /// It must not serve anybody now.
  [[nodiscard]] bool is_fallen() { return alive_.is_fallen(); }
  /// The broker is there.
  [[nodiscard]] bool reaches_others() const { return parts_.bus.is_up(); }
  [[nodiscard]] bool is_living(const std::string& incarnation) const { return alive_.is_living(incarnation); }

  /// From its completion on, the room's notifications can be continued from any join; `close_feed` when the join is
  /// over, whatever came of it. Errors: unavailable (the broker is away).
  task<result<void>> open_feed(room_name room);
  /// Follows the room for who listens without having joined, from about now on and through all that comes (the room's
  /// end and its next life, too), until `close_feed_if_unused`. Completes at the first try.
  task<void> follow(room_name room);
  void close_feed(const room_name& room);
  /// Stops following the room unless somebody here still needs it.
  void close_feed_if_unused(const room_name& room) { close_if_unused(room); }
  /// Completes when all that this instance did in the room until now has been handed out here, after what came before
  /// it. Errors: timeout.
  task<result<void>> settled(room_name room);
  /// Completes when every living instance has let go of everybody whom this instance removed from the room by the
  /// change at `at`. Errors: timeout (also when this instance has fallen since, or the place is not known).
  task<result<void>> removal_confirmed(room_name room, log_position at);

  /// Tells the user's connections on the other instances. `done` may be empty.
  void tell_user_elsewhere(const user_name& user, const shared_event& e, const connection_id& except,
                           cluster_bus::done_handler done = nullptr);
  void close_user_elsewhere(const user_name& user);
  void emit_elsewhere(const std::string& event, const value_list& args);
  void sync_elsewhere(const user_name& user, const room_name& room);
  /// Has another instance run a command. Errors: timeout.
  task<result<value_map>> ask(std::string incarnation, value_map question);
  /// Recovers all lives of an instance. Errors: those of the store, not_allowed (it is this one, or lives).
  task<result<void>> recover(std::string instance);

  // room_log_sink
  void on_own_entry(const room_name& room, room_entry entry, publishing_turn turn) override;
  void on_unknown_outcome(const room_name& room) override;
  [[nodiscard]] bool can_publish() const override { return parts_.bus.is_up(); }
  [[nodiscard]] std::uint64_t last_given(const room_name& room) const override { return publisher_.last_given(room); }
  [[nodiscard]] std::string known_audience(const room_name& room) const override {
    return publisher_.known_audience(room);
  }

 private:
  struct fed_room {
    room_feed feed;
    std::size_t holds = 0;   ///< joins under way, and listeners
    bool listening = false;  ///< confirmed by the broker
    bool filling = false;    ///< the log is being read
    bool active = false;     ///< something came since the log was last looked at
    std::uint64_t own = 0;   ///< newest entry of this instance's own
    std::string ended;       ///< epoch of a room of this name that is no more
    timer_handle fill_timer;
    std::vector<completion<bool>> opening;
    std::multimap<std::uint64_t, completion<bool>> waiting;  ///< until a position is reached
  };
  using removal_key = std::pair<room_name, std::uint64_t>;
  /// A removal of this instance's, until everybody has confirmed it.
  struct own_removal {
    entry_ptr entry;
    std::set<std::string> confirmed;
    bool published = false;  ///< our own copy came back: the bus works
    std::vector<completion<bool>> waiting;
  };

  // liveness_owner
  task<result<void>> recover_dead(std::string dead) override;
  void members_changed() override;
  void fallen() override;
  void tell_dead(const std::string& incarnation) override;
  task<bool> renamed() override;

  /// True as soon as the bus is up, false when it is not in time.
  task<bool> bus_is_up();

  // cluster_feeds.cpp
  void offer(const entry_ptr& entry);
  void hand_out(const room_name& room, const std::vector<entry_ptr>& in_order);
  void watch_hole(const room_name& room, fed_room& fed);
  task<void> fill(room_name room);
  task<result<void>> open_feed_now(room_name room);
  void close_if_unused(const room_name& room);
  std::vector<completion<bool>> begin_anew(const room_name& room, const std::string& ended);
  void break_off(const room_name& room);
  void fill_all();
  void fill_active();
  task<bool> reached(room_name room, std::uint64_t position);
  void see_to_it(const room_name& room);
  void take_over_unpublished();
  task<void> take_over_later(room_name room);

  // cluster_bus_side.cpp
  void on_bus_message(const value_map& body);
  void on_bus_up();
  void on_room_entry(const value_map& body, bool removal);
  task<void> apply_removal(entry_ptr entry);
  void tell_removed_once(const log_entry& entry);
  task<bool> wait_for_confirmations(removal_key key);
  void removal_seen(const log_entry& entry);
  void let_go_by(const removal_key& key, const std::string& epoch, const std::string& by);
  [[nodiscard]] bool is_own_removal(const removal_key& key, const std::string& epoch) const;
  void give_up_removals();
  void add_removal(const entry_ptr& own);
  void check_confirmed(const removal_key& key);
  void ask_again(const removal_key& key);
  task<void> answer(value_map question);

  cluster_host& host_;
  cluster_parts parts_;
  environment env_;
  liveness alive_;
  room_publisher publisher_;
  std::shared_ptr<bool> exists_ = std::make_shared<bool>(true);
  std::unordered_map<room_name, std::unique_ptr<fed_room>> feeds_;
  std::map<removal_key, own_removal> removals_;
  /// What the bus said of our removals before the store had answered us; the room's epoch makes leftovers harmless.
  std::map<std::pair<removal_key, std::string>, own_removal> early_removals_;
  std::deque<std::pair<removal_key, std::string>> early_order_;  // oldest first
  std::set<std::tuple<room_name, std::string, std::uint64_t>> told_removals_;
  std::deque<std::tuple<room_name, std::string, std::uint64_t>> told_order_;  // oldest first
  std::set<room_name> unpublished_;  ///< rooms with entries of ours that somebody else was to publish
  std::size_t taking_over_ = 0;      ///< of them, those about which the store is asked
  timer_handle see_timer_;
  std::vector<completion<bool>> until_bus_up_;
  std::map<std::uint64_t, completion<std::optional<value_map>>> questions_;
  std::uint64_t last_question_ = 0;
};

}  // namespace roombus
