#include "schemas/topics/client_ids.hpp"

#include "schemas/topics/topic_policy.hpp"

namespace roombus::topics {

bool may_connect_as(client_ids rule, std::string_view user, std::string_view client) {
  if (!is_name_level(user) || !is_name_level(client)) return false;
  if (rule == client_ids::any) return true;
  // exactly one user may have an id, whatever the names are
  if (client == user) return user.find('~') == std::string_view::npos;
  return client.size() > user.size() + 1 && client.starts_with(user) && client[user.size()] == '~' &&
         client.find('~', user.size() + 1) == std::string_view::npos;
}

}  // namespace roombus::topics
