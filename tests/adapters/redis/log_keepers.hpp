#pragma once

#include <map>
#include <memory>
#include <string>
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
    if (now.fence != turn.fence) now = {turn.fence, 0, ""};
    if (!turn.pending.empty()) now.given = turn.pending.back().sequence;
    if (turn.audience) now.audience = turn.audience->version;
  }
  [[nodiscard]] const told& last() const { return all.back(); }

  struct turn_state {
    std::uint64_t fence = 0;
    std::uint64_t given = 0;
    std::string audience;
  };
  std::map<std::string, turn_state> turns;
  std::vector<told> all;
  std::vector<std::string> unknown;
  bool able = true;
};

/// Publishes at once and confirms, and notices what is not as it must be.
class publishing_sink final : public recording_sink {
 public:
  void on_own_entry(const room_name& room, room_entry entry, publishing_turn turn) override {
    if (entry.sequence > 0) own[room.str()].push_back(entry);
    const bool ours = turn.ours;
    publish(room, turn);
    take(room, turn);
    if (ours && !turn.pending.empty()) confirm(room, turn.fence, turn.pending.back().sequence).detach();
  }
  void publish(const room_name& room, const publishing_turn& turn) {
    for (const room_entry& e : turn.pending) {
      std::uint64_t& last = published[room.str()];
      if (last != 0 && e.sequence != last + 1)
        faults += room.str() + ": " + std::to_string(e.sequence) + " after " + std::to_string(last) + "\n";
      last = e.kind == room_entry_kind::room_removed ? 0 : e.sequence;
    }
  }
  task<void> confirm(room_name room, std::uint64_t fence, std::uint64_t done) {
    ++confirming;
    task<result<publishing_turn>> asking = data->published(room, fence, done);
    result<publishing_turn> next = co_await asking;
    --confirming;
    if (!next) co_return;
    publish(room, *next);
    auto it = turns.find(room.str());
    if (next->ours || it == turns.end() || it->second.fence == fence) take(room, *next);
    if (next->ours && !next->pending.empty()) confirm(room, next->fence, next->pending.back().sequence).detach();
  }

  shared_store* data = nullptr;
  std::map<std::string, std::vector<room_entry>> own;
  std::map<std::string, std::uint64_t> published;
  std::string faults;
  int confirming = 0;
};

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
    const bool idle = run_until([this] { return sink.confirming == 0; });
    EXPECT_TRUE(idle);
    EXPECT_EQ(sink.faults, "");
  }
  logging_driver(const logging_driver&) = delete;
  logging_driver& operator=(const logging_driver&) = delete;
};

}  // namespace roombus::test
