#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "bridge/server/endpoint.hpp"

namespace roombus::server {

/// Where a development server is really met, with the ports that were chosen.
struct dev_addresses {
  endpoint http;
  std::optional<endpoint> mqtt;  ///< empty: runs without MQTT
  std::string prefix = "roombus";
  std::string room = "default";
  endpoint admin;
  std::string api_key;  ///< the one that was made for this start; empty: none was
};

/// Tells a developer what to open and what to paste: a device that joins `room`, sends to it and reads it.
/// The lines are for inbox delivery, and for a broker that lets any client id act for its user name.
void print_dev_hints(std::ostream& out, const dev_addresses& where);

}  // namespace roombus::server
