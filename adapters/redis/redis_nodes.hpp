#pragma once

#include <cstdint>
#include <string>

#include "adapters/redis/redis_connection.hpp"
#include "core/task.hpp"

namespace roombus::redis {

/// The nodes of one Redis, and which of them serves which key.
class nodes {
 public:
  virtual ~nodes() = default;
  /// The node for a slot, or null when none is known now.
  virtual connection* for_slot(std::uint16_t slot) = 0;
  /// The node at an address that a redirection named; `asked` is who named it. Null when there may be no such node.
  virtual connection* at(const std::string& address, const connection& asked) = 0;
  /// A node said that the slot is now at this address.
  virtual void moved(std::uint16_t slot, const std::string& address, const connection& asked) = 0;
  /// A node does not answer, or says that it cannot: the picture may be old.
  virtual void suspect() = 0;
  /// Whether any node can be talked to.
  [[nodiscard]] virtual bool ready() const = 0;
  /// What is wrong while nothing can be asked, with the address; else empty.
  [[nodiscard]] virtual std::string trouble() const = 0;
};

}  // namespace roombus::redis
