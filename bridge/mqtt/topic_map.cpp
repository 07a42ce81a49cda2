#include "bridge/mqtt/topic_map.hpp"

#include <algorithm>

#include "bridge/mqtt/room_level.hpp"
#include "bridge/mqtt/topic.hpp"

namespace roombus::mqtt {

namespace {

constexpr std::size_t max_name_level = 128;
constexpr std::size_t max_id_level = 64;
constexpr std::size_t max_prefix = 200;
constexpr std::size_t max_response_topic = 512;

bool is_safe(std::string_view level, std::size_t max_bytes, broker_profile profile) {
  if (level.empty() || level.size() > max_bytes) return false;
  const bool dots = traits_of(profile).dots_in_levels;
  return std::all_of(level.begin(), level.end(), [dots](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '~' ||
           c == '-' || (dots && (c == '.' || c == '@'));
  });
}

/// The level before the first `/`; `rest` moves behind it, and to the end where there is none.
std::string_view take_level(std::string_view& rest) {
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view level = rest.substr(0, slash);
  rest.remove_prefix(std::min(slash + 1, rest.size()));
  return level;
}

std::size_t longest_room_notification() {
  std::size_t longest = 0;
  for (const notification_descriptor& n : all_notifications()) {
    if (n.to_room) longest = std::max(longest, n.name.size());
  }
  return longest;
}

}  // namespace

std::string_view to_text(ignored reason) {
  switch (reason) {
    case ignored::topic:
      return "topic";
    case ignored::topic_too_long:
      return "topic_too_long";
    case ignored::levels:
      return "levels";
    case ignored::request_id:
      return "request_id";
    case ignored::room:
      return "room";
    case ignored::retained:
      return "retained";
    case ignored::status:
      return "status";
    case ignored::response_topic:
      return "response_topic";
    case ignored::correlation_data:
      return "correlation_data";
    case ignored::connections:
      return "connections";
    case ignored::stopping:
      return "stopping";
    case ignored::not_owned:
      return "not_owned";
    case ignored::count:
      break;
  }
  return "";
}

topic_map::topic_map(std::string prefix, broker_profile profile, std::size_t max_topic)
    : prefix_(std::move(prefix)), profile_(profile), max_topic_(max_topic) {}

bool topic_map::is_prefix(std::string_view prefix, broker_profile profile) {
  if (prefix.empty() || prefix.size() > max_prefix || prefix.back() == '/') return false;
  while (!prefix.empty()) {
    if (!is_safe(take_level(prefix), max_prefix, profile)) return false;
  }
  return true;
}

bool topic_map::is_name_level(std::string_view level, broker_profile profile) {
  return is_safe(level, max_name_level, profile);
}

bool topic_map::is_user_level(std::string_view level, broker_profile profile) {
  if (!is_name_level(level, profile)) return false;
  return !traits_of(profile).folds_user_names ||
         std::none_of(level.begin(), level.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::vector<subscription> topic_map::request_subscriptions() const {
  // QoS 2 where the broker has it: a request that a client publishes with QoS 2 then comes exactly once; the others
  // pay nothing, since the broker delivers with the lower of both levels.
  const qos level = traits_of(profile_).max_qos;
  return {{prefix_ + "/u/+/+/call/#", level, false},
          {prefix_ + "/u/+/+/send/+", level, false},
          {prefix_ + "/u/+/+/status", qos::at_least_once, true}};
}

parsed_topic topic_map::parse(std::string_view topic) const {
  if (topic.size() > max_topic_) return ignored::topic_too_long;
  if (!is_topic_name(topic)) return ignored::topic;
  std::string_view rest = topic;
  if (!rest.starts_with(prefix_)) return ignored::topic;
  rest.remove_prefix(prefix_.size());
  if (!rest.starts_with("/u/")) return ignored::topic;
  rest.remove_prefix(3);

  device_levels device;
  const char* begin = rest.data();
  device.user = take_level(rest);
  device.client = take_level(rest);
  if (rest.empty()) return ignored::topic;
  device.both = std::string_view(begin, device.user.size() + 1 + device.client.size());
  if (!is_user_level(device.user, profile_) || !is_name_level(device.client, profile_)) return ignored::levels;

  // one level more than there is shows as an empty one, so the ends are told apart by the `/` itself
  const bool ends_open = topic.back() == '/';
  const std::string_view kind = take_level(rest);
  if (kind == "status") {
    if (!rest.empty() || ends_open) return ignored::topic;
    return status_topic{device};
  }
  if (kind == "send") {
    const std::string_view level = take_level(rest);
    if (!rest.empty() || ends_open) return ignored::topic;
    std::optional<room_name> room = decode_room_level(level);
    if (!room) return ignored::room;
    return send_topic{device, std::move(*room)};
  }
  if (kind == "call") {
    const std::string_view command = take_level(rest);
    const std::string_view id = take_level(rest);
    if (command.empty() || !rest.empty()) return ignored::topic;
    if (ends_open) return ignored::request_id;
    if (!id.empty() && !is_safe(id, max_id_level, profile_)) return ignored::request_id;
    return call_topic{device, command, id};
  }
  return ignored::topic;
}

std::string topic_map::device_base(std::string_view user, std::string_view client) const {
  std::string out = prefix_;
  out.append("/u/").append(user).append("/").append(client).append("/");
  return out;
}

std::string topic_map::reply(std::string_view device_base, std::string_view id) {
  std::string out(device_base);
  return out.append("reply/").append(id);
}

std::string topic_map::own_event(std::string_view device_base, std::string_view notification) {
  std::string out(device_base);
  return out.append("event/").append(notification);
}

std::string topic_map::inbox_event(std::string_view device_base, const room_name& room, std::string_view notification) {
  std::string out;
  out.reserve(device_base.size() + 3 * room.str().size() + notification.size() + 6);
  out.append(device_base).append("room/");
  append_room_level(out, room.str());
  return out.append("/").append(notification);
}

bool topic_map::is_response_topic(std::string_view topic, std::string_view device_base) const {
  constexpr std::string_view below = "reply/";
  if (topic.size() > std::min(max_response_topic, max_topic_) || !topic.starts_with(device_base)) return false;
  const std::string_view rest = topic.substr(device_base.size());
  if (!rest.starts_with(below) || rest.size() == below.size() || !is_topic_name(topic)) return false;
  if (has_disallowed_characters(topic)) return false;
  const std::string_view unsafe = traits_of(profile_).unsafe_in_responses;
  return unsafe.empty() || topic.find_first_of(unsafe) == std::string_view::npos;
}

std::string topic_map::room_event(const room_name& room, wire format, std::string_view notification) const {
  std::string out = prefix_;
  out.append("/r/");
  append_room_level(out, room.str());
  return out.append(format == wire::json ? "/json/" : "/cbor/").append(notification);
}

bool topic_map::room_fits(std::string_view device_base, const room_name& room) const {
  static const std::size_t longest = longest_room_notification();
  const std::size_t level = encode_room_level(room.str()).size();
  const std::size_t inbox = device_base.size() + 5 + level + 1 + longest;
  const std::size_t shared = prefix_.size() + 3 + level + 6 + longest;
  return std::max(inbox, shared) <= max_topic_;
}

}  // namespace roombus::mqtt
