#pragma once

// Inside roombus_codec only.

#include <limits>

#include "schemas/codec/codec_limits.hpp"

namespace roombus {

/// Bounds for what the service stored itself: it was checked against the configured limits when it came in, so only the
/// depth, which bounds recursion, still counts (a store can be written to by others).
inline constexpr codec_limits stored_limits{512, std::numeric_limits<std::size_t>::max(),
                                            std::numeric_limits<std::size_t>::max()};

}  // namespace roombus
