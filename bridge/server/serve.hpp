#pragma once

#include <iosfwd>
#include <string>

#include "bridge/server/config.hpp"

namespace roombus::server {

/// `roombus serve`: runs one instance until SIGINT or SIGTERM; a second one ends it at once. Development hints go to
/// `out`, the log to `err`. 0 after a clean stop, 1 when the start failed or the stop was not clean.
[[nodiscard]] int serve(const config& settings, const std::string& ready_file, std::ostream& out, std::ostream& err);

}  // namespace roombus::server
