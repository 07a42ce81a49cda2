#pragma once

#include <memory>

#include "core/ports/environment.hpp"
#include "core/ports/store.hpp"

namespace roombus {

/// Keeps everything in the process: for tests and throw-away rooms. Every operation is done when the call returns.
/// Messages are kept as CBOR.
[[nodiscard]] std::unique_ptr<store> make_memory_store(clock& time);

}  // namespace roombus
