#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "bridge/server/config.hpp"

namespace roombus::server {

/// Raises the process's soft limit of open files to the hard one. What it is then; nothing: there is no limit.
[[nodiscard]] std::optional<std::size_t> raise_descriptor_limit();

/// Bounds the connections of both listeners so that `limit` open files also suffice for store, broker, hooks and files:
/// who opens connections must not be able to cut these off. Sets `settings.within_descriptors`; answers a text for the
/// log when that is less than what is configured, else "".
[[nodiscard]] std::string fit_connections(config& settings, std::optional<std::size_t> limit);

}  // namespace roombus::server
