#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schemas/topics/client_ids.hpp"
#include "schemas/topics/topic_policy.hpp"

namespace roombus::broker_auth {

using topics::client_ids;

struct access_options {
  std::string prefix = "roombus";
  std::string bridge_user;           ///< the account of roombus at the broker; empty: it has none here
  std::vector<std::string> admins;   ///< accounts that may use the server API on MQTT
  std::vector<std::string> workers;  ///< accounts that serve hooks
  client_ids ids = client_ids::own;
};

/// What accounts may do at a broker without our plugin, where rooms come to each device's own topics (inbox delivery).
/// No state but its options.
class broker_access {
 public:
  explicit broker_access(access_options options);

  [[nodiscard]] bool is_bridge(std::string_view user) const;
  /// May `user` connect as `client`?
  [[nodiscard]] bool may_be(std::string_view user, std::string_view client) const;
  [[nodiscard]] bool may_publish(std::string_view user, std::string_view client, std::string_view topic,
                                 bool retain) const;
  [[nodiscard]] bool may_subscribe(std::string_view user, std::string_view client, std::string_view filter) const;

 private:
  [[nodiscard]] topics::role role_of(std::string_view user) const;

  access_options options_;
  topics::topic_policy policy_;
  std::string rooms_;  ///< `P/r/`: broker delivery, which only our plugin can guard
};

}  // namespace roombus::broker_auth
