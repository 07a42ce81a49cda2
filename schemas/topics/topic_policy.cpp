#include "schemas/topics/topic_policy.hpp"

#include <algorithm>
#include <utility>

namespace roombus::topics {

namespace {

constexpr std::size_t max_name_level = 128;

/// Takes `start` from the front of `rest`; false when it does not begin so.
bool take(std::string_view& rest, std::string_view start) {
  if (!rest.starts_with(start)) return false;
  rest.remove_prefix(start.size());
  return true;
}

/// Takes the level before the first `/`, and that `/`. False when there is no `/`.
bool take_level(std::string_view& rest, std::string_view& level) {
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos) return false;
  level = rest.substr(0, slash);
  rest.remove_prefix(slash + 1);
  return true;
}

bool serves_hooks(role who) {
  return who == role::worker || who == role::privileged;
}

bool is_admin(role who) {
  return who == role::admin || who == role::privileged;
}

bool has_wildcard(std::string_view text) {
  return text.find_first_of("+#") != std::string_view::npos;
}

}  // namespace

bool is_name_level(std::string_view level) {
  return !level.empty() && level.size() <= max_name_level && std::all_of(level.begin(), level.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '~' ||
           c == '-' || c == '.' || c == '@';
  });
}

topic_policy::topic_policy(std::string prefix, bool any_client)
    : prefix_(std::move(prefix) + "/"), any_client_(any_client) {}

/// Takes `{user}/{client}/` of the account itself. In a filter the client level may be `+`, and `#` may
/// stand for all that follows, where any client is its own.
bool topic_policy::is_own(std::string_view& rest, std::string_view user, std::string_view client, bool filter) const {
  std::string_view of_user;
  std::string_view of_client;
  if (user.empty() || client.empty()) return false;
  if (!take_level(rest, of_user) || of_user != user) return false;
  if (filter && any_client_ && rest == "#") return true;
  if (!take_level(rest, of_client)) return false;
  if (!any_client_) return of_client == client;
  return is_name_level(of_client) || (filter && of_client == "+");
}

decision topic_policy::read(role who, std::string_view user, std::string_view client, std::string_view topic) const {
  if (who == role::bridge) return {verdict::allowed, {}};
  std::string_view rest = topic;
  if (!take(rest, prefix_)) return {};
  if (take(rest, "r/")) {
    std::string_view room;
    if (!take_level(rest, room) || room.empty()) return {};
    if (!rest.starts_with("json/") && !rest.starts_with("cbor/")) return {};
    return {verdict::needs_grant, room};
  }
  bool allowed = false;
  if (take(rest, "u/") || (is_admin(who) && take(rest, "admin/reply/"))) {
    allowed = is_own(rest, user, client, false);
  } else {
    allowed =
        (serves_hooks(who) && rest.starts_with("hook/call/")) || (is_admin(who) && rest.starts_with("admin/events/"));
  }
  return {allowed ? verdict::allowed : verdict::denied, {}};
}

bool topic_policy::write(role who, std::string_view user, std::string_view client, std::string_view topic, bool retain,
                         std::size_t size) const {
  if (topic.starts_with("$SYS")) return false;
  if (who == role::bridge) return true;
  std::string_view rest = topic;
  if (!take(rest, prefix_)) return false;
  if (take(rest, "u/")) {
    if (!is_own(rest, user, client, false)) return false;
    if (rest == "status") return size <= max_status_bytes;
    // a kept request would come again whenever somebody subscribes
    return !retain && (rest.starts_with("call/") || rest.starts_with("send/"));
  }
  if (retain) return false;
  if (is_admin(who) && take(rest, "admin/call/")) return is_own(rest, user, client, false);
  return serves_hooks(who) && rest.starts_with("hook/reply/");
}

bool topic_policy::subscribe(role who, std::string_view user, std::string_view client, std::string_view filter) const {
  if (who == role::bridge) return true;
  std::string_view rest = filter;
  if (take(rest, "$share/")) {
    // workers share hook calls; a shared subscription of a device would hand its events to another connection
    std::string_view group;
    if (!serves_hooks(who) || !take_level(rest, group) || group.empty() || has_wildcard(group)) return false;
    return take(rest, prefix_) && rest.starts_with("hook/call/");
  }
  if (!take(rest, prefix_)) return false;
  if (take(rest, "r/")) return !rest.empty();
  if (take(rest, "u/") || (is_admin(who) && take(rest, "admin/reply/"))) {
    return is_own(rest, user, client, true) && !rest.empty();
  }
  return (serves_hooks(who) && rest.starts_with("hook/call/")) || (is_admin(who) && rest.starts_with("admin/events/"));
}

}  // namespace roombus::topics
