#pragma once

// Puts the entries of one room's log in order. They come from several sides (own operations, the bus, the store's log),
// early, late and more than once; each is handed out once, in order, without holes. Knows no time and no I/O.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/cluster/log_entry.hpp"

namespace roombus {

class room_feed {
 public:
  /// At most `max_held` entries wait for earlier ones; then the feed is broken.
  explicit room_feed(std::size_t max_held = 4096) : max_held_(max_held) {}

  /// Nothing up to `position` is wanted. Answers what was offered before and comes directly after it.
  std::vector<entry_ptr> start(std::uint64_t position, std::string epoch);
  /// Answers the entries that are in order now; none when it is known already, or waits for others.
  std::vector<entry_ptr> offer(entry_ptr entry);

  [[nodiscard]] bool started() const { return started_; }
  [[nodiscard]] std::uint64_t position() const { return position_; }
  [[nodiscard]] const std::string& epoch() const { return epoch_; }
  /// Entries wait for earlier ones, or do not belong to this life of the room: the log has to be asked.
  [[nodiscard]] bool has_hole() const { return started_ && (!held_.empty() || foreign_epoch_); }
  /// The log is being asked.
  void forget_foreign() { foreign_epoch_ = false; }
  /// More was held than may be: what is missing cannot be made up for.
  [[nodiscard]] bool is_broken() const { return broken_; }

 private:
  std::vector<entry_ptr> drain();

  std::size_t max_held_;
  bool started_ = false;
  bool foreign_epoch_ = false;
  bool broken_ = false;
  std::uint64_t position_ = 0;
  std::string epoch_;
  std::map<std::uint64_t, entry_ptr> held_;
};

}  // namespace roombus
