#pragma once

// What several instances keep together beside rooms and users: who lives, who publishes which room, who serves which
// devices. Times are the caller's wall clock in ms, compared only with others of the same field; nothing waits for
// them but the taking over of work, which is safe to do too early (receivers drop what they have seen).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ports/room_log.hpp"

namespace roombus {

/// MQTT connections are divided into so many parts by a hash of user and client. Source: design §4.
inline constexpr std::size_t partition_count = 256;

/// A part of a room's log.
struct log_part {
  bool complete = true;    ///< false: entries after the asked one are not kept any more, or are of another epoch
  std::uint64_t last = 0;  ///< number of the log's last entry
  std::string epoch;       ///< of the room now; "" when it does not exist
  std::vector<room_entry> entries;
};

/// One life of an instance.
struct instance_life {
  std::string incarnation;  ///< "id~random"
  std::string beat;         ///< changes with each heartbeat; means nothing else
  bool dead = false;        ///< `begin_recovery` was called for it, `finish_recovery` was not
};

/// Who serves a part of the devices.
struct partition_owner {
  std::string incarnation;  ///< "" for nobody
  std::uint64_t fence = 0;  ///< grows with each change
};

class cluster_store {
 public:
  virtual ~cluster_store() = default;

  /// From now on every operation on a room writes its log under this name and tells `sink`. `sink` outlives the store's
  /// last operation. An incarnation that is not registered, or that others have recovered, is told so by `beat` only.
  virtual void keep_log(room_log_sink* sink, std::string incarnation) = 0;

  // ---- rooms

  /// Entries up to `last_done` have been published. Answers what is to be published next; releases the room when that
  /// is nothing (`ours` is false then), or when somebody else has taken it over.
  virtual task<result<publishing_turn>> published(room_name room, std::uint64_t fence, std::uint64_t last_done) = 0;
  /// Takes over the publishing of a room: from `incarnation`, or, when that is empty, from whoever has made no progress
  /// for `patience_ms`. Answers `ours` false when there is nothing to publish (`fence` is 0 then, also without such a
  /// room), or somebody else is at it (it is theirs).
  virtual task<result<publishing_turn>> take_over(room_name room, std::string incarnation,
                                                  std::int64_t patience_ms) = 0;
  /// At most `limit` entries after `after`; with `after` the largest number: only where the log ends.
  virtual task<result<log_part>> read_log(room_name room, std::string epoch, std::uint64_t after,
                                          std::size_t limit) = 0;
  /// Rooms that an incarnation may have had to publish; may name too many.
  virtual task<result<std::vector<room_name>>> rooms_published_by(std::string incarnation) = 0;

  // ---- instances

  /// Notes that this incarnation lives. False: others have taken it for dead and recover it; it must serve nobody.
  virtual task<result<bool>> beat(std::string incarnation, bool first) = 0;
  virtual task<result<std::vector<instance_life>>> lives() = 0;
  /// Marks an incarnation as dead, and makes the caller the one who recovers it, for `lease_ms`. False: somebody else
  /// is at it, or it is not known (any more).
  virtual task<result<bool>> begin_recovery(std::string dead, std::string by, std::int64_t lease_ms) = 0;
  /// Forgets it, after everything of it has been recovered.
  virtual task<result<void>> finish_recovery(std::string dead) = 0;

  // ---- devices

  /// All `partition_count` owners, by number.
  virtual task<result<std::vector<partition_owner>>> partitions() = 0;
  /// Each of `numbers` that belongs to `from` now ("" for nobody) belongs to `to` ("" for nobody) after it. Answers
  /// those that were changed.
  virtual task<result<std::vector<std::size_t>>> move_partitions(std::vector<std::size_t> numbers, std::string from,
                                                                 std::string to) = 0;
  /// The connection goes on under another incarnation. Answers the rooms that it has joined; nothing when it has ended
  /// meanwhile.
  virtual task<result<std::optional<std::vector<joined_room>>>> adopt(user_name user, connection_id id,
                                                                      std::string from, std::string to) = 0;
};

/// A store that several instances share.
class shared_store : public store, public cluster_store {};

}  // namespace roombus
