#pragma once

#include <cstdint>
#include <string_view>

namespace roombus::topics {

/// Which client ids a user may connect with. A broker keeps sessions by client id alone, one name space for all users:
/// whoever has an id first keeps others from it, or takes over the session of another one's device.
enum class client_ids : std::uint8_t {
  own,  ///< the user's name, or `{user}~{anything without ~}`; a user whose name has a `~` needs the second form
  any   ///< whatever it likes: only where something else keeps users apart
};

/// May `user` connect as `client`? Both must be levels of topics.
[[nodiscard]] bool may_connect_as(client_ids rule, std::string_view user, std::string_view client);

}  // namespace roombus::topics
