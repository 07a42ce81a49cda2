#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "adapters/redis/key_slot.hpp"
#include "adapters/redis/redis_url.hpp"
#include "adapters/redis/reply.hpp"

namespace roombus::redis {

/// Which master serves which slot of a cluster.
class slot_map {
 public:
  /// Reads an answer to CLUSTER SLOTS; `asked` stands in where a node does not know its own address. Nothing for
  /// anything else.
  [[nodiscard]] static std::optional<slot_map> parse(const reply& answer, const node_address& asked);

  /// Null when nobody serves it.
  [[nodiscard]] const node_address* find(std::uint16_t slot) const;
  void set(std::uint16_t slot, node_address master);
  /// All that serve a slot.
  [[nodiscard]] std::set<node_address> masters() const;
  [[nodiscard]] bool empty() const { return masters_.empty(); }

 private:
  std::uint16_t place_of(node_address master);

  static constexpr std::uint16_t nobody = 0xffff;
  std::vector<node_address> masters_;
  std::vector<std::uint16_t> master_of_ = std::vector<std::uint16_t>(slot_count, nobody);
};

}  // namespace roombus::redis
