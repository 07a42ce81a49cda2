#include "adapters/mosquitto/plugin/connection_registry.hpp"

#include <utility>

namespace roombus::plugin {

connection_registry::refusal connection_registry::check(key k, role who, std::string_view user,
                                                        std::string_view client) const {
  if (const live_connection* known = find(k); known != nullptr && known->user == user && known->client == client) {
    return refusal::none;
  }
  // one name space for all users: nobody pushes out another user, least of all the bridge
  if (auto it = by_client_.find(client); it != by_client_.end()) {
    for (const live_connection* other : it->second) {
      if (other->user != user) return refusal::client_id_taken;
    }
  }
  return who == role::device && by_key_.size() >= max_connections_ ? refusal::full : refusal::none;
}

connection_registry::change connection_registry::add(key k, role who, std::string_view user, std::string_view client,
                                                     payload::login_limits limits,
                                                     const std::optional<keyed_proof>& asked) {
  change out;
  if (auto known = by_key_.find(k); known != by_key_.end()) {
    if (known->second.user == user && known->second.client == client && known->second.who == who) return out;
    (void)remove(k);  // its end was never told
  }
  std::vector<live_connection*>& same = by_client_[std::string(client)];
  for (live_connection* other : same) {
    if (!other->superseded) out.superseded.push_back(other->generation);
    other->superseded = true;
  }
  live_connection& added = by_key_[k];
  added.generation = ++last_generation_;
  added.who = who;
  added.user = std::string(user);
  added.client = std::string(client);
  added.limits = std::move(limits);
  added.asked = asked;
  same.push_back(&added);  // a node of the map: it does not move
  out.connected = &added;
  return out;
}

connection_registry::ended connection_registry::remove(key k) {
  ended out;
  auto it = by_key_.find(k);
  if (it == by_key_.end()) return out;
  auto of_client = by_client_.find(it->second.client);
  std::vector<live_connection*>& same = of_client->second;
  std::erase(same, &it->second);
  if (same.empty()) {
    by_client_.erase(of_client);
  } else if (!it->second.superseded) {
    live_connection* next = same.back();
    next->superseded = false;
    next->generation = ++last_generation_;
    out.revived = next;
  }
  out.gone = std::move(it->second);
  by_key_.erase(it);
  return out;
}

const live_connection* connection_registry::current(std::string_view client) const {
  auto it = by_client_.find(client);
  if (it == by_client_.end()) return nullptr;
  for (const live_connection* c : it->second) {
    if (!c->superseded) return c;
  }
  return nullptr;
}

}  // namespace roombus::plugin
