#pragma once

#include <iosfwd>
#include <string>

#include "bridge/server/endpoint.hpp"

namespace roombus::server {

/// `roombus healthcheck`: asks a running instance for `path` and waits at most 3 s. 0 when it answered 200, else 1 with
/// the reason on `err`. A wildcard address (0.0.0.0, ::) is asked on loopback.
[[nodiscard]] int healthcheck(const endpoint& where, const std::string& path, std::ostream& err);

}  // namespace roombus::server
