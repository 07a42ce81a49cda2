#include "adapters/redis/slot_map.hpp"

#include <algorithm>
#include <utility>

namespace roombus::redis {

std::optional<slot_map> slot_map::parse(const reply& answer, const node_address& asked) {
  // each item: first slot, last slot, {host, port, …} of the master, of replicas…
  if (answer.type != reply::kind::list || answer.items.empty()) return std::nullopt;
  slot_map out;
  for (const reply& range : answer.items) {
    const std::int64_t first = range.at(0).number;
    const std::int64_t last = range.at(1).number;
    const reply& master = range.at(2);
    const std::int64_t port = master.at(1).number;
    if (first < 0 || last >= slot_count || first > last || port <= 0 || port > 65535) return std::nullopt;
    node_address address;
    address.host = master.at(0).text;
    if (address.host.empty() || address.host == "?") address.host = asked.host;
    address.port = static_cast<std::uint16_t>(port);
    const std::uint16_t place = out.place_of(std::move(address));
    for (std::int64_t slot = first; slot <= last; ++slot)
      out.master_of_[static_cast<std::size_t>(slot)] = place;
  }
  return out;
}

const node_address* slot_map::find(std::uint16_t slot) const {
  const std::uint16_t place = master_of_[slot];
  return place == nobody ? nullptr : &masters_[place];
}

void slot_map::set(std::uint16_t slot, node_address master) {
  master_of_[slot] = place_of(std::move(master));
}

std::set<node_address> slot_map::masters() const {
  return {masters_.begin(), masters_.end()};
}

std::uint16_t slot_map::place_of(node_address master) {
  const auto it = std::find(masters_.begin(), masters_.end(), master);
  if (it != masters_.end()) return static_cast<std::uint16_t>(it - masters_.begin());
  masters_.push_back(std::move(master));
  return static_cast<std::uint16_t>(masters_.size() - 1);
}

}  // namespace roombus::redis
