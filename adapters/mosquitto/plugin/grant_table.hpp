#pragma once

// Which connection may read which rooms now. A grant belongs to one life of a connection (its generation) and to the
// bridge that gave it, and counts only while that bridge renews its lease: a bridge that fell silent can no longer say
// who was removed, so nobody reads (fail closed).

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
  [[nodiscard]] bool grant(std::uint64_t generation, std::string_view room_level, std::size_t owner,
                           std::string_view epoch);
  void revoke(std::uint64_t generation, std::string_view room_level);
  /// The connection ended.
  void drop_connection(std::uint64_t generation) { rooms_.erase(generation); }
  void drop_owner(std::size_t owner);
  void drop_all() { rooms_.clear(); }
  /// Drops the grants of bridges whose lease is over; true if there were such bridges.
  bool expire(std::int64_t now_ms);

  /// Asked at every delivery.
  [[nodiscard]] bool allows(std::uint64_t generation, std::string_view room_level, std::int64_t now_ms) const;
  [[nodiscard]] std::size_t size() const;

 private:
  struct entry {
    std::size_t owner = 0;
    std::string epoch;  ///< of the room, "" when the bridge did not say
  };
  struct bridge_lease {
    std::string instance;
    std::int64_t until_ms = 0;
  };
  using rooms = std::unordered_map<std::string, entry, text_hash, std::equal_to<>>;

  std::size_t max_rooms_;
  std::vector<bridge_lease> owners_;
  std::unordered_map<std::uint64_t, rooms> rooms_;
};

}  // namespace roombus::plugin
