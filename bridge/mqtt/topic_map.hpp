#pragma once

// All topics of the bridge, built and parsed in one place. Source: design §3, the table of topics.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "bridge/mqtt/broker_profile.hpp"
#include "core/event.hpp"
#include "core/named_string.hpp"
#include "schemas/codec/payload.hpp"

namespace roombus::mqtt {

/// Wire format of payloads.
using wire = payload::encoding;

/// Why a message was ignored, or its reply not sent; the names of the metric's label.
enum class ignored : std::uint8_t {
  topic,             ///< no topic of the table, or no valid topic name
  topic_too_long,    ///< over `max_topic`
  levels,            ///< user or client level outside its characters
  request_id,        ///< id level of a call outside its characters
  room,              ///< room level that is not in canonical form
  retained,          ///< a retained request
  status,            ///< payload of a status that is neither `online` nor `offline`
  response_topic,    ///< outside the caller's own `reply/`, or no topic name: the request runs, no reply is sent
  correlation_data,  ///< too long
  connections,       ///< too many connections: the message of a new one
  stopping,          ///< came while the bridge stops
  not_owned,         ///< another instance serves the device, or nobody at the moment
  count
};
[[nodiscard]] std::string_view to_text(ignored reason);

/// Who a topic belongs to. Views into the topic.
struct device_levels {
  std::string_view user;
  std::string_view client;
  std::string_view both;  ///< "user/client"
};

/// `P/u/{user}/{client}/call/{command}[/{id}]`. Without an id the reply goes to the Response Topic, if there is one.
struct call_topic {
  device_levels device;
  std::string_view command;
  std::string_view id;
};

/// `P/u/{user}/{client}/send/{room}`
struct send_topic {
  device_levels device;
  room_name room;
};

/// `P/u/{user}/{client}/status`
struct status_topic {
  device_levels device;
};

/// A topic that the bridge subscribes, or why it is none.
using parsed_topic = std::variant<ignored, call_topic, send_topic, status_topic>;

/// Builds and parses topics under one prefix.
class topic_map {
 public:
  /// `prefix` as `is_prefix` allows it; `max_topic` in bytes, for topics in both directions.
  topic_map(std::string prefix, broker_profile profile, std::size_t max_topic);

  /// True for 1 to 200 bytes of non-empty levels of `A–Z a–z 0–9 _ ~ -` (and `.` `@` where the profile has them).
  [[nodiscard]] static bool is_prefix(std::string_view prefix, broker_profile profile);
  /// True for a user or client level: 1 to 128 bytes of the same characters. Such names are literal, never encoded.
  [[nodiscard]] static bool is_name_level(std::string_view level, broker_profile profile);
  /// The same for a user level: without capitals where the broker takes them for the small letters.
  [[nodiscard]] static bool is_user_level(std::string_view level, broker_profile profile);

  /// What the bridge subscribes: calls, sends, status.
  [[nodiscard]] std::vector<subscription> request_subscriptions() const;
  /// Selects the same statuses by another filter: subscribing it brings the kept ones again. Selects more than that.
  [[nodiscard]] std::string status_again_filter() const { return prefix_ + "/u/+/+/status/#"; }
  /// Only the bridge with this nonce reads it.
  [[nodiscard]] std::string echo(std::string_view nonce) const { return prefix_ + "/bus/echo/" + std::string(nonce); }
  /// The views in the answer live as long as `topic`.
  [[nodiscard]] parsed_topic parse(std::string_view topic) const;

  /// `P/u/{user}/{client}/`, which the next four begin with.
  [[nodiscard]] std::string device_base(std::string_view user, std::string_view client) const;
  [[nodiscard]] static std::string reply(std::string_view device_base, std::string_view id);
  [[nodiscard]] static std::string own_event(std::string_view device_base, std::string_view notification);
  [[nodiscard]] static std::string inbox_event(std::string_view device_base, const room_name& room,
                                               std::string_view notification);
  /// True if a reply may go to `topic`: a topic name of at most 512 bytes below the device's `reply/`, without
  /// characters for which a broker closes the publisher.
  [[nodiscard]] bool is_response_topic(std::string_view topic, std::string_view device_base) const;

  /// `P/r/{room}/{json or cbor}/{notification}`
  [[nodiscard]] std::string room_event(const room_name& room, wire format, std::string_view notification) const;

  [[nodiscard]] std::size_t max_topic() const { return max_topic_; }
  /// True if every notification of the room fits `max_topic`, in inbox delivery to this device or in broker delivery.
  [[nodiscard]] bool room_fits(std::string_view device_base, const room_name& room) const;

 private:
  std::string prefix_;
  broker_profile profile_;
  std::size_t max_topic_;
};

}  // namespace roombus::mqtt
