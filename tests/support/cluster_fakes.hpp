#pragma once

// What core/cluster talks to, noting what it is told; acknowledgements come when a test says so.

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/cluster/cluster_parts.hpp"
#include "core/cluster/log_entry.hpp"
#include "schemas/codec/json.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::test {

/// Waiting acknowledgements, in the order of what they are for.
class acknowledgements {
 public:
  void wait(std::function<void(bool)> done) {
    if (done) waiting_.push_back(std::move(done));
  }
  void all(bool outcome) {
    for (auto& done : std::exchange(waiting_, {}))
      done(outcome);
  }
  /// The n-th that still waits, from 1.
  void only(std::size_t n) {
    auto done = std::move(waiting_.at(n - 1));
    waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(n - 1));
    done(true);
  }

 private:
  std::deque<std::function<void(bool)>> waiting_;
};

class fake_bus final : public cluster_bus {
 public:
  void open(std::string incarnation, cluster_bus_handlers handlers) override {
    name = std::move(incarnation);
    on = std::move(handlers);
  }
  void rename(std::string incarnation) override { name = std::move(incarnation); }
  [[nodiscard]] bool is_up() const override { return up; }
  void send_all(const value_map& body, done_handler done) override { note("all " + shown(body), std::move(done)); }
  void send_to(const std::string& to, const value_map& body, done_handler done) override {
    note(to + " " + shown(body), std::move(done));
  }
  void send_room(const room_name& room, const value_map& body, done_handler done) override {
    note("room " + room.str() + " " + number_of(body), std::move(done));
  }
  void listen(const room_name& /*room*/, done_handler done) override { done(true); }
  void stop_listening(const room_name& /*room*/) override {}

  std::vector<std::string> take() { return std::exchange(sent, {}); }
  void acknowledge() { waiting_.all(true); }
  void refuse() { waiting_.all(false); }

  bool up = true;
  std::string name;
  cluster_bus_handlers on;
  std::vector<std::string> sent;

 private:
  static std::string number_of(const value_map& body) {
    const value* entry = body.find("entry");
    return entry == nullptr ? std::string() : std::to_string(*entry->if_map()->find("s")->floor_to_uint());
  }
  static std::string shown(const value_map& body) { return *body.find("t")->if_text() + " " + number_of(body); }
  void note(std::string text, done_handler done) {
    sent.push_back(std::move(text));
    waiting_.wait(std::move(done));
  }
  acknowledgements waiting_;
};

class fake_devices final : public device_publisher_port {
 public:
  void publish(const room_name& room, const shared_event& e, const room_audience& audience,
               std::function<void(bool)> done) override {
    std::string text = room.str() + " " + std::string(e->name());
    if (e->id() == notification::room_message) text += " " + json::write(*e->args()[1].if_map()->find("n"));
    text += " to";
    for (const std::string& inbox : audience.inboxes)
      text += " " + inbox;
    if (audience.shared_json) text += " shared json";
    if (audience.shared_cbor) text += " shared cbor";
    published.push_back(std::move(text));
    waiting_.wait(std::move(done));
  }
  void shut_out(const room_name& room, const std::vector<connection_id>& ids,
                const log_position& /*removal*/) override {
    std::string text = room.str() + " out";
    for (const connection_id& id : ids)
      text += " " + id.str();
    published.push_back(std::move(text));
  }
  std::vector<std::string> take() { return std::exchange(published, {}); }
  void acknowledge() { waiting_.all(true); }
  void acknowledge_only(std::size_t n) { waiting_.only(n); }

  std::vector<std::string> published;

 private:
  acknowledgements waiting_;
};

class fake_ownership final : public device_ownership {
 public:
  void start(std::string self) override { started.push_back(std::move(self)); }
  void members_changed(std::vector<std::string> living) override { members = std::move(living); }
  task<result<std::vector<connection_record>>> take_devices_of(std::string dead,
                                                               std::vector<connection_record> devices) override {
    taken_from.push_back(std::move(dead));
    std::vector<connection_record> none;
    (void)devices;
    co_return none;
  }
  task<void> hand_over_all() override { co_return; }

  std::vector<std::string> started;
  std::vector<std::string> members;
  std::vector<std::string> taken_from;
};

/// Instances and their heartbeats; of rooms it only notes what is published.
class fake_cluster_store final : public cluster_store {
 public:
  void keep_log(room_log_sink* keeper, std::string /*incarnation*/) override { sink = keeper; }
  task<result<publishing_turn>> published(room_name room, std::uint64_t fence, std::uint64_t last_done) override {
    calls.push_back("published " + room.str() + " " + std::to_string(fence) + " " + std::to_string(last_done));
    if (away) co_return chat_error(errc::unavailable);
    publishing_turn turn;
    turn.fence = fence;
    if (!answers.empty()) {
      turn = answers.front();
      answers.pop_front();
    }
    co_return turn;
  }
  task<result<publishing_turn>> take_over(room_name room, std::string incarnation, std::int64_t) override {
    calls.push_back("take_over " + room.str() + " " + incarnation);
    publishing_turn turn;
    co_return turn;
  }
  task<result<log_part>> read_log(room_name, std::string, std::uint64_t after, std::size_t) override {
    ++reads;
    if (away) co_return chat_error(errc::unavailable);
    log_part part;
    if (on_read) part = on_read(after);
    co_return part;
  }
  task<result<std::vector<room_name>>> rooms_published_by(std::string) override {
    std::vector<room_name> none;
    co_return none;
  }

  task<result<bool>> beat(std::string incarnation, bool first) override {
    if (away) co_return chat_error(errc::unavailable);
    if (!first && (!lives_by_name.contains(incarnation) || lives_by_name.at(incarnation).dead)) co_return false;
    instance_life& life = lives_by_name[incarnation];
    life.incarnation = incarnation;
    life.beat = std::to_string(++beats);
    co_return true;
  }
  task<result<std::vector<instance_life>>> lives() override {
    if (away) co_return chat_error(errc::unavailable);
    std::vector<instance_life> out;
    for (const auto& [name, life] : lives_by_name)
      out.push_back(life);
    co_return out;
  }
  task<result<bool>> begin_recovery(std::string dead, std::string by, std::int64_t) override {
    if (away || refuses_recovery) co_return chat_error(errc::unavailable);
    const auto it = lives_by_name.find(dead);
    if (it == lives_by_name.end() || (it->second.dead && recovering[dead] != by)) co_return false;
    it->second.dead = true;
    recovering[dead] = by;
    calls.push_back(by + " recovers " + dead);
    co_return true;
  }
  task<result<void>> finish_recovery(std::string dead) override {
    lives_by_name.erase(dead);
    co_return result<void>{};
  }

  task<result<std::vector<partition_owner>>> partitions() override {
    std::vector<partition_owner> out(partition_count);
    co_return out;
  }
  task<result<std::vector<std::size_t>>> move_partitions(std::vector<std::size_t> numbers, std::string,
                                                         std::string) override {
    co_return numbers;
  }
  task<result<std::optional<std::vector<joined_room>>>> adopt(user_name, connection_id, std::string,
                                                              std::string) override {
    std::optional<std::vector<joined_room>> rooms;
    co_return rooms;
  }

  std::vector<std::string> take() { return std::exchange(calls, {}); }

  room_log_sink* sink = nullptr;
  bool away = false;
  std::function<log_part(std::uint64_t after)> on_read;  ///< of any room; none: it does not exist
  std::size_t reads = 0;
  bool refuses_recovery = false;
  std::deque<publishing_turn> answers;  ///< of `published`; none is: nothing is left
  std::vector<std::string> calls;
  std::map<std::string, instance_life> lives_by_name;
  std::map<std::string, std::string> recovering;  ///< the dead, by whom
  std::uint64_t beats = 0;
};

}  // namespace roombus::test
