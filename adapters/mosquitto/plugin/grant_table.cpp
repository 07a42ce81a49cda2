#include "adapters/mosquitto/plugin/grant_table.hpp"

#include <algorithm>
#include <utility>

namespace roombus::plugin {

namespace {
constexpr std::size_t max_owners = 64;
}  // namespace

std::size_t grant_table::find_owner(std::string_view instance) const {
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    if (owners_[i].instance == instance) return i;
  }
  return no_owner;
}

std::size_t grant_table::owner(std::string_view instance) {
  if (const std::size_t known = find_owner(instance); known != no_owner) return known;
  std::size_t unused = no_owner;
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    if (owners_[i].until_ms == 0) unused = i;  // lease over, and its grants are gone
  }
  if (unused == no_owner) {
    if (owners_.size() >= max_owners) return no_owner;
    unused = owners_.size();
    owners_.emplace_back();
  }
  owners_[unused].instance = std::string(instance);
  owners_[unused].among = false;
  return unused;
}

void grant_table::renew(std::size_t owner, std::int64_t until_ms) {
  owners_[owner].until_ms = until_ms;
  if (owners_[owner].among) among_until_ms_ = std::max(among_until_ms_, until_ms);
}

bool grant_table::grant(std::uint64_t generation, std::string_view room_level, std::size_t owner, log_place at) {
  rooms& of = rooms_[generation];
  if (of.size() >= max_rooms_ && of.find(room_level) == of.end()) return false;
  entry e;
  e.owner = owner;
  e.at = at;
  of.insert_or_assign(std::string(room_level), std::move(e));
  return true;
}

void grant_table::revoke(std::uint64_t generation, std::string_view room_level) {
  auto of = rooms_.find(generation);
  if (of == rooms_.end()) return;
  if (auto it = of->second.find(room_level); it != of->second.end()) of->second.erase(it);
  if (of->second.empty()) rooms_.erase(of);
}

void grant_table::shut_out(std::uint64_t generation, std::string_view room_level, log_place removal) {
  auto of = rooms_.find(generation);
  if (of == rooms_.end()) return;
  const auto it = of->second.find(room_level);
  if (it == of->second.end()) return;
  const log_place& granted = it->second.at;
  const bool both_known = granted.epoch != 0 && removal.epoch != 0;
  if (both_known && (granted.epoch != removal.epoch || granted.sequence >= removal.sequence)) return;
  revoke(generation, room_level);
}

void grant_table::drop_owner(std::size_t owner) {
  for (auto of = rooms_.begin(); of != rooms_.end();) {
    std::erase_if(of->second, [owner](const auto& e) { return e.second.owner == owner; });
    of = of->second.empty() ? rooms_.erase(of) : std::next(of);
  }
}

void grant_table::leave_to_others(std::size_t owner) {
  if (!owners_[owner].among) return drop_owner(owner);
  for (auto& [generation, of] : rooms_) {
    for (auto& [room, e] : of) {
      if (e.owner == owner) e.owner = orphan;
    }
  }
}

bool grant_table::expire(std::int64_t now_ms) {
  bool any = false;
  if (among_until_ms_ != 0 && among_until_ms_ <= now_ms) {
    among_until_ms_ = 0;
    drop_owner(orphan);
  }
  for (std::size_t i = 0; i < owners_.size(); ++i) {
    if (owners_[i].until_ms == 0 || owners_[i].until_ms > now_ms) continue;
    owners_[i].until_ms = 0;
    if (among_until_ms_ > now_ms) {
      leave_to_others(i);
    } else {
      drop_owner(i);
    }
    any = true;
  }
  return any;
}

bool grant_table::counts(const entry& e, std::int64_t now_ms) const {
  if (e.owner == orphan || owners_[e.owner].among) return among_until_ms_ > now_ms;
  return is_alive(e.owner, now_ms);
}

bool grant_table::allows(std::uint64_t generation, std::string_view room_level, std::int64_t now_ms) const {
  auto of = rooms_.find(generation);
  if (of == rooms_.end()) return false;
  auto it = of->second.find(room_level);
  return it != of->second.end() && counts(it->second, now_ms);
}

std::size_t grant_table::size() const {
  std::size_t all = 0;
  for (const auto& [generation, of] : rooms_)
    all += of.size();
  return all;
}

}  // namespace roombus::plugin
