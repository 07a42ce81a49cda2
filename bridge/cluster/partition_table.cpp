#include "bridge/cluster/partition_table.hpp"

#include <algorithm>
#include <cstdint>

#include "core/ports/cluster_store.hpp"
#include "schemas/topics/device_part.hpp"

namespace roombus::cluster {

namespace {

constexpr char separator = '<';
constexpr std::size_t max_leavers = 8;

static_assert(partition_count == topics::device_parts);

/// Names that differ in their end only would get almost the same FNV; this spreads all bits (splitmix64's last step).
std::uint64_t spread(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

}  // namespace

std::size_t partition_of(std::string_view device) {
  return topics::device_part(device);
}

std::string partition_target(std::size_t number, const std::vector<std::string>& living) {
  std::string best;
  std::uint64_t best_score = 0;
  for (const std::string& name : living) {
    // an instance gets the same parts in all its lives
    const std::uint64_t score =
        spread(topics::fnv1a(std::string_view(name).substr(0, name.rfind('~'))) + spread(number + 1));
    if (best.empty() || score > best_score || (score == best_score && name < best)) {
      best = name;
      best_score = score;
    }
  }
  return best;
}

partition_entry partition_entry::parse(std::string_view text) {
  partition_entry out;
  std::size_t end = std::min(text.find(separator), text.size());
  out.owner = std::string(text.substr(0, end));
  while (end < text.size()) {
    text.remove_prefix(end + 1);
    end = std::min(text.find(separator), text.size());
    if (end > 0) out.leavers.emplace_back(text.substr(0, end));
  }
  return out;
}

std::string partition_entry::str() const {
  std::string out = owner;
  for (const std::string& name : leavers)
    out.append(1, separator).append(name);
  return out;
}

partition_entry partition_entry::taken_by(const std::string& next) const {
  partition_entry out;
  out.owner = next;
  const auto add = [&left = out.leavers](const std::string& name) {
    if (name.empty() || std::find(left.begin(), left.end(), name) != left.end() || left.size() >= max_leavers) return;
    left.push_back(name);
  };
  if (owner != next) add(owner);
  for (const std::string& name : leavers)
    add(name);
  return out;
}

bool partition_entry::names(std::string_view who) const {
  return owner == who || std::find(leavers.begin(), leavers.end(), who) != leavers.end();
}

}  // namespace roombus::cluster
