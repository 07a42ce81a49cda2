#include "schemas/codec/map_keys.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace roombus {

bool has_duplicate_keys(const value_map& map) {
  constexpr std::size_t few = 16;  // below it comparing each with each is faster than sorting
  if (map.size() <= few) {
    for (const auto* a = map.begin(); a != map.end(); ++a) {
      for (const auto* b = map.begin(); b != a; ++b) {
        if (a->first == b->first) return true;
      }
    }
    return false;
  }
  std::vector<std::string_view> keys;
  keys.reserve(map.size());
  for (const auto& field : map)
    keys.emplace_back(field.first);
  std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

}  // namespace roombus
