#pragma once

// Which connection may read which rooms now. A grant belongs to one life of a connection (its generation) and to the
// bridge that gave it, and counts only while that bridge renews its lease: a bridge that fell silent can no longer say
// who was removed, so nobody reads (fail closed). Bridges
// that are several to one service speak for each other: what one of them granted goes on without it, as an orphan,
// while any of them renews its lease.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace roombus::plugin {

/// Lets maps with text keys be searched with a view.
struct text_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

/// Where in a room's log something happened; rooms of the same name have logs of different epochs.
struct log_place {
  std::uint64_t epoch = 0;  ///< hash of its text; 0: not known
  std::uint64_t sequence = 0;
};

class grant_table {
 public:
  explicit grant_table(std::size_t max_rooms) : max_rooms_(max_rooms) {}

  static constexpr std::size_t no_owner = static_cast<std::size_t>(-1);
  /// Index of the bridge, or `no_owner`.
  [[nodiscard]] std::size_t find_owner(std::string_view instance) const;
  /// The same; a new one is added, up to 64.
  [[nodiscard]] std::size_t owner(std::string_view instance);
  /// The bridge's grants count until `until_ms` (steady).
  void renew(std::size_t owner, std::int64_t until_ms);
  [[nodiscard]] bool is_alive(std::size_t owner, std::int64_t now_ms) const { return owners_[owner].until_ms > now_ms; }

  /// False when the connection has `max_rooms` others.
  [[nodiscard]] bool grant(std::uint64_t generation, std::string_view room_level, std::size_t owner, log_place at);
  void revoke(std::uint64_t generation, std::string_view room_level);
  /// The same for who was put out at `removal`. A grant of after that stays, and one for another life of the room: who
  /// was in that was put out at its end. Where a place is not known it is revoked.
  void shut_out(std::uint64_t generation, std::string_view room_level, log_place removal);
  /// The connection ended.
  void drop_connection(std::uint64_t generation) { rooms_.erase(generation); }
  void drop_owner(std::size_t owner);
  /// The bridge is one of several, or is not.
  void set_among(std::size_t owner, bool among) { owners_[owner].among = among; }
  /// Another one has to go on with what this one granted; drops it where there are not several.
  void leave_to_others(std::size_t owner);
  /// Drops the grants of bridges whose lease is over, or leaves them to others; true if there were such bridges.
  bool expire(std::int64_t now_ms);

  /// Asked at every delivery.
  [[nodiscard]] bool allows(std::uint64_t generation, std::string_view room_level, std::int64_t now_ms) const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct entry {
    std::size_t owner = 0;
    log_place at;  ///< the bridge knew then that it may
  };
  struct bridge_lease {
    std::string instance;
    std::int64_t until_ms = 0;
    bool among = false;
  };
  using rooms = std::unordered_map<std::string, entry, text_hash, std::equal_to<>>;

  static constexpr std::size_t orphan = static_cast<std::size_t>(-2);
  [[nodiscard]] bool counts(const entry& e, std::int64_t now_ms) const;

  std::size_t max_rooms_;
  std::int64_t among_until_ms_ = 0;  ///< the latest end of a lease of those who are several
  std::vector<bridge_lease> owners_;
  std::unordered_map<std::uint64_t, rooms> rooms_;
};

}  // namespace roombus::plugin
