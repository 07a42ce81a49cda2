#pragma once

#include <cstdint>
#include <string_view>

namespace roombus::mqtt {

/// Sets TCP_NODELAY on every socket of this process that is connected to `port` of a peer; answers on how many.
/// Paho has no option for it and does not show its socket. A socket of somebody else that matches has no harm of it.
[[nodiscard]] int set_no_delay(std::uint16_t port);

/// The port that `uri` (tcp://host:port, ssl://[v6]:port) names, else the scheme's default.
[[nodiscard]] std::uint16_t port_of(std::string_view uri);

}  // namespace roombus::mqtt
