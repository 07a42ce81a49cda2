#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/adapters/redis/redis_driver.hpp"

namespace roombus::test {

/// An entry in short: "2 left mia/m last json", "3 message hi#1".
inline std::string entry_text(const room_entry& e) {
  std::string out = std::to_string(e.sequence) + " ";
  const auto removed = [&e] {
    std::string all;
    for (const removed_member& member : e.removed)
      all += " -" + store_operations::removed_text(member);
    return all;
  };
  switch (e.kind) {
    case room_entry_kind::message: {
      const value decoded = cbor::materialize(e.message);
      const value_map* fields = decoded.if_map();
      if (fields == nullptr) return out + "message without body";
      return out + "message " + *fields->find("textMessage")->if_text() + "#" +
             std::to_string(*fields->find("id")->floor_to_uint());
    }
    case room_entry_kind::joined:
    case room_entry_kind::left:
      out += e.kind == room_entry_kind::joined ? "joined " : "left ";
      out += e.user.str() + "/" + e.id.str();
      if (e.user_changed) out += e.kind == room_entry_kind::joined ? " first" : " last";
      return out + (e.reads.empty() ? "" : " " + e.reads);
    case room_entry_kind::list_edited:
      out += "list " + e.list + (e.on ? " +" : " -");
      for (const user_name& name : e.names)
        out += " " + name.str();
      return out + removed();
    case room_entry_kind::mode_set:
      return out + "mode " + (e.on ? "on" : "off") + removed();
    case room_entry_kind::changed:
      return out + "changed" + removed();
    case room_entry_kind::room_removed:
      return out + "removed" + removed();
  }
  return out;
}

inline std::string entries_text(const std::vector<room_entry>& entries) {
  std::string out;
  for (const room_entry& e : entries)
    out += (out.empty() ? "" : ", ") + entry_text(e);
  return out;
}

/// Keeps what a store tells, and what the core would know of it.
class recording_sink : public room_log_sink {
 public:
  struct told {
    std::string room;
    room_entry entry;
    publishing_turn turn;
  };

  void on_own_entry(const room_name& room, room_entry entry, publishing_turn turn) override {
    take(room, turn);
    all.push_back({room.str(), std::move(entry), std::move(turn)});
    if (meanwhile) std::exchange(meanwhile, nullptr)();
  }
  void on_unknown_outcome(const room_name& room) override { unknown.push_back(room.str()); }
  [[nodiscard]] bool can_publish() const override { return able; }
  [[nodiscard]] std::uint64_t last_given(const room_name& room) const override {
    auto it = turns.find(room.str());
    return it == turns.end() ? 0 : it->second.given;
  }
  [[nodiscard]] std::string known_audience(const room_name& room) const override {
    auto it = turns.find(room.str());
    return it == turns.end() ? "" : it->second.audience;
  }
  /// As the core does with every turn that it gets.
  void take(const room_name& room, const publishing_turn& turn) {
    if (!turn.ours) {
      turns.erase(room.str());
      return;
    }
    auto& now = turns[room.str()];
    if (now.fence != turn.fence) now = {turn.fence, 0, "", false};
    if (!turn.pending.empty()) now.given = turn.pending.back().sequence;
    if (turn.audience) now.audience = turn.audience->version;
  }
  [[nodiscard]] const told& last() const { return all.back(); }

  struct turn_state {
    std::uint64_t fence = 0;
    std::uint64_t given = 0;
    std::string audience;
    bool confirming = false;
  };
  std::map<std::string, turn_state> turns;
  std::vector<told> all;
  std::vector<std::string> unknown;
  std::function<void()> meanwhile;  ///< others do once when the next answer has come, before the operation goes on
  bool able = true;
};

/// What was published in all rooms, by whomever.
struct notice_board {
  /// Faults of what is published under one fence: numbers go up by one, and begin where others have left off.
  void publish(const std::string& room, bool begins, std::uint64_t sequence) {
    std::uint64_t& newest = newest_of[room];
    if (begins && sequence > newest + 1)
      faults += room + ": " + std::to_string(sequence) + " after " + std::to_string(newest) + "\n";
    newest = std::max(newest, sequence);
  }
  std::map<std::string, std::uint64_t> newest_of;
  std::string faults;
};

/// Publishes at once and confirms, and notices what is not as it must be.
class publishing_sink final : public recording_sink {
 public:
  void on_own_entry(const room_name& room, room_entry entry, publishing_turn turn) override {
    if (entry.sequence > 0) ++told[{room.str(), entry.epoch, entry.sequence}];
    publish(room, turn);
  }
  void on_unknown_outcome(const room_name& room) override {
    recording_sink::on_unknown_outcome(room);
    ask(room, true, 0, 0).detach();
  }

  shared_store* data = nullptr;
  notice_board own_board;
  notice_board* board = &own_board;
  std::map<std::tuple<std::string, std::string, std::uint64_t>, int> told;  ///< room, epoch, sequence: how often
  int asking = 0;
  int failed = 0;

 private:
  void publish(const room_name& room, const publishing_turn& turn) {
    const auto before = turns.find(room.str());
    if (!turn.ours) {
      if (before != turns.end() && before->second.fence < turn.fence) turns.erase(before);
      return;
    }
    if (before != turns.end() && before->second.fence > turn.fence) return;
    turn_state& now = turns[room.str()];
    if (now.fence != turn.fence) now = {turn.fence, 0, now.audience, false};
    if (turn.audience) now.audience = turn.audience->version;
    for (const room_entry& e : turn.pending) {
      if (e.sequence <= now.given) continue;
      if (now.given != 0 && e.sequence != now.given + 1)
        board->faults += room.str() + ": a hole before " + std::to_string(e.sequence) + "\n";
      board->publish(room.str(), now.given == 0, e.sequence);
      now.given = e.sequence;
      if (e.kind == room_entry_kind::room_removed) board->newest_of.erase(room.str());
    }
    if (now.given > 0 && !std::exchange(now.confirming, true)) ask(room, false, now.fence, now.given).detach();
  }
  task<void> ask(room_name room, bool takes_over, std::uint64_t fence, std::uint64_t done) {
    ++asking;
    const std::string whoever;
    task<result<publishing_turn>> running =
        takes_over ? data->take_over(room, whoever, 100) : data->published(room, fence, done);
    result<publishing_turn> turn = co_await running;
    --asking;
    if (!turn) {
      ++failed;
      co_return;
    }
    const auto now = turns.find(room.str());
    const bool present = now != turns.end() && now->second.fence == fence;
    if (!takes_over && present) now->second.confirming = false;
    if (!takes_over && !turn->ours && present) turns.erase(now);
    // without anything new: what there is arrives with answers that are under way
    if (turn->ours && (takes_over || !turn->pending.empty() || (present && now->second.given > done)))
      publish(room, *turn);
  }
};

/// One incarnation with its own store.
template <class sink_type>
struct keeper_with : store_operations {
  keeper_with(const std::string& urls, const std::string& prefix, std::string incarnation, bool cluster = false,
              redis_options options = {})
      : driver(urls, cluster, std::move(options)), name(std::move(incarnation)) {
    driver.options.prefix = prefix;
    driver.open();
    data().keep_log(&sink, name);
    driver.time.wall = 1'000'000;
  }
  shared_store& data() override { return driver.data(); }
  bool run_until(const std::function<bool()>& done) override { return driver.run_until(done); }

  std::string say(const std::string& room, const std::string& text) { return append(room, "", text); }
  /// "fence: entries" of a turn that is ours, with the audience's devices; "not ours".
  static std::string turn_text(const publishing_turn& turn) {
    if (!turn.ours) return turn.pending.empty() ? "not ours" : "not ours, but entries";
    return entries_text(turn.pending);
  }
  std::string published(const std::string& room, std::uint64_t fence, std::uint64_t last) {
    auto turn = run(data().published(room_name(room), fence, last));
    if (!turn) return error_text(turn.error());
    sink.take(room_name(room), *turn);
    return turn_text(*turn);
  }
  std::string take_over(const std::string& room, const std::string& from, std::int64_t patience = 5000) {
    auto turn = run(data().take_over(room_name(room), from, patience));
    if (!turn) return error_text(turn.error());
    taken = *turn;
    sink.take(room_name(room), *turn);
    return turn_text(*turn);
  }
  std::string log(const std::string& room, std::uint64_t after = 0, const std::string& epoch = "",
                  std::size_t limit = 1000) {
    auto part = run(data().read_log(room_name(room), epoch, after, limit));
    if (!part) return error_text(part.error());
    return entries_text(part->entries) + " [" + std::to_string(part->last) + (part->complete ? "" : " incomplete") +
           "]" + (part->epoch.empty() ? " no room" : "");
  }
  [[nodiscard]] std::uint64_t fence(const std::string& room) const {
    auto it = sink.turns.find(room);
    return it == sink.turns.end() ? 0 : it->second.fence;
  }
  result<joined> join_reading(const std::string& room, const std::string& user, const std::string& id,
                              const std::string& reads) {
    connect(user, id, 100, name);
    join_request request = join_of(room, user, id);
    request.reads = reads;
    return run(data().confirm_join(std::move(request), position_only()));
  }

  sink_type sink;  // before the driver: the store tells it until its end
  redis_driver driver;
  std::string name;
  publishing_turn taken;
};

using keeper = keeper_with<recording_sink>;
using publisher = keeper_with<publishing_sink>;

struct publishing_sink_holder {
  publishing_sink sink;
};

/// A Redis store that keeps logs, and publishes them at once.
class logging_driver final : private publishing_sink_holder, public redis_driver {
 public:
  explicit logging_driver(const std::string& urls, bool cluster = false, redis_options given = {})
      : redis_driver(urls, cluster, std::move(given)) {
    sink.data = &data();
    data().keep_log(&sink, "here~1");
  }
  ~logging_driver() override {
    const bool idle = run_until([this] { return sink.asking == 0; });
    EXPECT_TRUE(idle);
    EXPECT_EQ(sink.own_board.faults, "");
  }
  logging_driver(const logging_driver&) = delete;
  logging_driver& operator=(const logging_driver&) = delete;
};

}  // namespace roombus::test
