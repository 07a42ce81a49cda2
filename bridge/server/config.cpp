#include "bridge/server/config.hpp"

namespace roombus::server {

std::optional<broker_address> broker_address::parse(std::string_view text) {
  broker_address out;
  if (text == "embedded") return out;
  out.kind = broker_kind::none;
  if (text == "none") return out;
  std::string rest;
  const char* port = nullptr;
  if (text.starts_with("tcp://")) {
    out.kind = broker_kind::tcp;
    port = ":1883";
  } else if (text.starts_with("ssl://")) {
    out.kind = broker_kind::ssl;
    port = ":8883";
  } else {
    return std::nullopt;
  }
  rest = text.substr(6);
  auto address = endpoint::parse(rest);
  if (!address) address = endpoint::parse(rest + port);
  if (!address || address->port == 0) return std::nullopt;
  out.address = std::move(*address);
  return out;
}

std::string broker_address::str() const {
  switch (kind) {
    case broker_kind::none:
      return "none";
    case broker_kind::embedded:
      return "embedded";
    case broker_kind::tcp:
      return "tcp://" + address.str();
    case broker_kind::ssl:
      break;
  }
  return "ssl://" + address.str();
}

network_list config::auth_section::dev_list() const {
  network_list out;
  for (const auto& text : dev_networks) {
    if (const auto network = ip_network::parse(text)) out.add(*network);  // others do not get through the checks
  }
  return out;
}

}  // namespace roombus::server
