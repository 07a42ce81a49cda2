#include "bridge/mqtt/broker_profile.hpp"

#include <array>

namespace roombus::mqtt {

namespace {

struct row {
  broker_profile profile;
  std::string_view name;
  broker_traits traits;
};

// RabbitMQ 3.10 rewrites `.` and `*`; NATS 2.9 closes the connection for `.` and space in a topic, and loses QoS 1
// messages with `@` in it (design §7). ejabberd 23.01 has one message in flight per client, where QoS 2 would take two
// round trips, and matches `%u` of its rules without regard to case (docs/brokers.md).
constexpr std::array<row, 7> table{{
    {broker_profile::mosquitto, "mosquitto", {true, qos::exactly_once, true, ""}},
    {broker_profile::emqx, "emqx", {true, qos::exactly_once, true, ""}},
    {broker_profile::hivemq, "hivemq", {true, qos::exactly_once, true, ""}},
    {broker_profile::ejabberd, "ejabberd", {true, qos::at_least_once, true, "", true}},
    {broker_profile::rabbitmq, "rabbitmq", {false, qos::at_least_once, false, ".*"}},
    {broker_profile::nats, "nats", {false, qos::at_least_once, false, " .@*>"}},
    {broker_profile::generic, "generic", {false, qos::at_least_once, true, ""}},
}};

}  // namespace

const broker_traits& traits_of(broker_profile profile) {
  return table[static_cast<std::size_t>(profile)].traits;
}

std::optional<broker_profile> broker_profile_of(std::string_view name) {
  for (const row& r : table) {
    if (r.name == name) return r.profile;
  }
  return std::nullopt;
}

std::string_view to_text(broker_profile profile) {
  return table[static_cast<std::size_t>(profile)].name;
}

}  // namespace roombus::mqtt
