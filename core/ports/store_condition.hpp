#pragma once

#include <string>

namespace roombus {

/// What a store may also be able to do: to say that it knows itself to be out of reach.
class store_condition {
 public:
  virtual ~store_condition() = default;
  /// Why operations, or all changes, fail now, for people; without secrets. Empty: nothing is known to be wrong.
  [[nodiscard]] virtual std::string trouble() const = 0;
};

}  // namespace roombus
