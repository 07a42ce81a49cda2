#pragma once

#include "core/value.hpp"

namespace roombus {

/// True if a key is in `map` twice. Cost n·log n in the number of keys, whatever the keys are: a hash table could be
/// flooded by whoever chooses the keys.
[[nodiscard]] bool has_duplicate_keys(const value_map& map);

}  // namespace roombus
