#pragma once

// Topics of the server API on MQTT. Source: design §3, the table of topics.

#include <optional>
#include <string>
#include <string_view>

#include "bridge/mqtt/broker_profile.hpp"

namespace roombus::mqtt {

/// `P/admin/call/{user}/{client}/{method}[/{id}]`; views into the topic.
struct admin_call_topic {
  std::string_view user;
  std::string_view client;
  std::string_view method;
  std::string_view id;  ///< empty: the reply goes to the Response Topic, if there is one
};

/// True for everything below `P/admin/call/`.
[[nodiscard]] bool is_admin_call(std::string_view topic, std::string_view prefix);
/// Takes a call's topic apart; nothing when it is not of the form above.
[[nodiscard]] std::optional<admin_call_topic> parse_admin_call(std::string_view topic, std::string_view prefix,
                                                               broker_profile profile);
/// `P/admin/reply/{user}/{client}/`
[[nodiscard]] std::string admin_reply_base(std::string_view prefix, const admin_call_topic& call);

}  // namespace roombus::mqtt
