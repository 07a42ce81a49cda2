#pragma once

// The outbox's other end: while this instance holds a room, it publishes the room's log to the bus and to devices, in
// order, and tells the store what is done. Source: design §5.
//
// How much is under way at once is bounded: what the link's queue would not take waits here, in the order of rooms.
// A room is held from the first answer of the store that says so until a `published` or `take_over` answers that
// nothing is left. What cannot be sent (the broker is away) is sent again, from the first entry that is not done:
// receivers drop what they have seen. When somebody else has taken the room over, what is still under way is forgotten
// here.

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/cluster/cluster_parts.hpp"
#include "core/cluster/log_entry.hpp"
#include "core/metrics.hpp"
#include "core/ports/environment.hpp"

namespace roombus {

class room_publisher {
 public:
  struct environment {
    cluster_parts parts;
    scheduler& timers;
    log_sink& log;
    metrics_registry& metrics;
  };

  explicit room_publisher(environment env);

  /// `given`: the turn's entries in the form that is shared with the local feed; same order and length as `pending`.
  void take(const room_name& room, const publishing_turn& turn, std::vector<entry_ptr> given);
  /// The broker is reached again: what was not sent is.
  void retry_all();
  /// Lets go of everything without a word; the store gives it to others.
  void forget_all();

  [[nodiscard]] std::uint64_t last_given(const room_name& room) const;
  [[nodiscard]] std::string known_audience(const room_name& room) const;
  /// Rooms that are held now.
  [[nodiscard]] std::size_t held() const { return held_.size(); }

 private:
  /// Entry on its way; shared with the callbacks of what was sent for it.
  struct sending {
    explicit sending(entry_ptr e) : entry(std::move(e)) {}
    entry_ptr entry;
    std::size_t open = 0;    ///< parts that are not acknowledged yet
    std::size_t weight = 0;  ///< messages that it was to the broker
    bool begun = false;
    bool sent = false;  ///< all parts were handed over
    bool failed = false;
    int tries = 0;  ///< of telling all who was removed
  };
  struct held_room {
    std::uint64_t fence = 0;
    std::uint64_t last_given = 0;
    std::uint64_t done = 0;       ///< all entries up to this one are published
    std::uint64_t confirmed = 0;  ///< and the store knows
    bool confirming = false;
    bool broken = false;  ///< an entry could not be sent, nothing is sent before the retry
    room_audience audience;
    std::deque<std::shared_ptr<sending>> queue;
    timer_handle retry;
  };

  void pump(const room_name& room, held_room& held);
  void pump_waiting();
  void send(const room_name& room, held_room& held, const std::shared_ptr<sending>& item);
  void sent(const room_name& room, std::uint64_t fence, const std::shared_ptr<sending>& item, bool done);
  void advance(const room_name& room, held_room& held);
  void retry_later(const room_name& room, held_room& held);
  void retry(const room_name& room);
  task<void> confirm(room_name room);
  void let_go(const room_name& room);
  void remember_audience(const room_name& room, room_audience audience);
  [[nodiscard]] static std::vector<entry_ptr> entries_of(const room_name& room, const publishing_turn& turn);

  environment env_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // callbacks of the link may come after us
  std::unordered_map<room_name, std::unique_ptr<held_room>> held_;
  std::size_t under_way_ = 0;      ///< messages at the broker that are not acknowledged
  std::deque<room_name> waiting_;  ///< rooms with entries that wait for that; may name too many
  /// Audiences of rooms that were held lately, newest first.
  std::list<std::pair<room_name, room_audience>> audiences_;
  std::unordered_map<room_name, std::list<std::pair<room_name, room_audience>>::iterator> audience_at_;
  counter& published_;
  counter& retries_;
};

}  // namespace roombus
