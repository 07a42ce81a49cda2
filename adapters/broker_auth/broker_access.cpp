#include "adapters/broker_auth/broker_access.hpp"

#include <algorithm>
#include <utility>

namespace roombus::broker_auth {

namespace {

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// No broker should ask about these; one that does must not get further.
bool is_topic(std::string_view text) {
  return !text.empty() && text.size() <= 65'535 && std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

}  // namespace

broker_access::broker_access(access_options options)
    : options_(std::move(options)), policy_(options_.prefix, false), rooms_(options_.prefix + "/r/") {}

bool broker_access::is_bridge(std::string_view user) const {
  return !options_.bridge_user.empty() && user == options_.bridge_user;
}

topics::role broker_access::role_of(std::string_view user) const {
  if (is_bridge(user)) return topics::role::bridge;
  const bool admin = contains(options_.admins, user);
  if (contains(options_.workers, user)) return admin ? topics::role::privileged : topics::role::worker;
  return admin ? topics::role::admin : topics::role::device;
}

bool broker_access::may_be(std::string_view user, std::string_view client) const {
  return topics::may_connect_as(is_bridge(user) ? client_ids::any : options_.ids, user, client);
}

bool broker_access::may_publish(std::string_view user, std::string_view client, std::string_view topic,
                                bool retain) const {
  if (!is_topic(topic) || topic.find_first_of("+#") != std::string_view::npos) return false;
  return may_be(user, client) && policy_.write(role_of(user), user, client, topic, retain);
}

bool broker_access::may_subscribe(std::string_view user, std::string_view client, std::string_view filter) const {
  if (!is_topic(filter) || !may_be(user, client)) return false;
  if (!is_bridge(user) && filter.starts_with(rooms_)) return false;
  return policy_.subscribe(role_of(user), user, client, filter);
}

}  // namespace roombus::broker_auth
