#pragma once

#include <string>
#include <string_view>

namespace roombus::http {

/// What an IP address counts as where something is bounded for each address: an IPv6 address as its /64, which one
/// customer has whole, an IPv4 address (mapped ones too) as itself. Texts that are no address have one key.
[[nodiscard]] std::string address_key(std::string_view address);

}  // namespace roombus::http
