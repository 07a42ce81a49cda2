#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bridge/mqtt/mqtt_link.hpp"

namespace roombus::mqtt {

/// Which broker the bridge talks to. It is told by the configuration (`mqtt.profile`), never guessed. Source: design
/// §4.
enum class broker_profile : std::uint8_t { mosquitto, emqx, hivemq, ejabberd, rabbitmq, nats, generic };

/// What the bridge may rely on with a broker.
struct broker_traits {
  bool mqtt5;                            ///< The bridge connects with MQTT 5, else with 3.1.1.
  qos max_qos;                           ///< Highest level for subscriptions.
  bool dots_in_levels;                   ///< `.` and `@` may stand in user, client and prefix levels.
  std::string_view unsafe_in_responses;  ///< Characters that a Response Topic must not have beside the usual ones.
  /// Its rules take user levels that differ in case for the same user, so only lower case tells users apart.
  bool folds_user_names = false;
};

[[nodiscard]] const broker_traits& traits_of(broker_profile profile);
/// The profile of that name in the configuration, or nothing.
[[nodiscard]] std::optional<broker_profile> broker_profile_of(std::string_view name);
[[nodiscard]] std::string_view to_text(broker_profile profile);

}  // namespace roombus::mqtt
