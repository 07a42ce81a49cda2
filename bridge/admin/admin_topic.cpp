#include "bridge/admin/admin_topic.hpp"

#include <utility>

#include "bridge/mqtt/topic.hpp"
#include "bridge/mqtt/topic_map.hpp"

namespace roombus::mqtt {

namespace {

constexpr std::string_view call_part = "/admin/call/";

/// The part up to the next `/`; `rest` becomes what is behind it, or nothing.
std::string_view take_level(std::optional<std::string_view>& rest) {
  const std::size_t slash = rest->find('/');
  const std::string_view level = rest->substr(0, slash);
  rest = slash == std::string_view::npos ? std::nullopt : std::optional(rest->substr(slash + 1));
  return level;
}

}  // namespace

bool is_admin_call(std::string_view topic, std::string_view prefix) {
  return topic.starts_with(prefix) && topic.substr(prefix.size()).starts_with(call_part);
}

std::optional<admin_call_topic> parse_admin_call(std::string_view topic, std::string_view prefix,
                                                 broker_profile profile) {
  if (!is_admin_call(topic, prefix) || !is_topic_name(topic)) return std::nullopt;
  std::optional<std::string_view> rest = topic.substr(prefix.size() + call_part.size());
  admin_call_topic call;
  for (std::string_view* level : {&call.user, &call.client, &call.method}) {
    if (!rest) return std::nullopt;
    *level = take_level(rest);
  }
  if (!topic_map::is_name_level(call.user, profile) || !topic_map::is_name_level(call.client, profile) ||
      call.method.empty()) {
    return std::nullopt;
  }
  if (!rest) return call;
  call.id = take_level(rest);
  // the same characters as names have
  if (rest || !topic_map::is_name_level(call.id, profile)) return std::nullopt;
  return call;
}

std::string admin_reply_base(std::string_view prefix, const admin_call_topic& call) {
  std::string out(prefix);
  return out.append("/admin/reply/").append(call.user).append("/").append(call.client).append("/");
}

}  // namespace roombus::mqtt
