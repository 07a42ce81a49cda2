#include "core/api_keys.hpp"

#include <algorithm>
#include <utility>

namespace roombus {

namespace {

/// Compares all bytes of the padded texts, wherever they differ.
bool same(std::string_view one, std::string_view other) {
  std::size_t difference = one.size() ^ other.size();
  for (std::size_t i = 0; i < api_keys::max_bytes; ++i) {
    const unsigned a = i < one.size() ? static_cast<unsigned char>(one[i]) : 0U;
    const unsigned b = i < other.size() ? static_cast<unsigned char>(other[i]) : 0U;
    difference |= a ^ b;
  }
  return difference == 0;
}

api_access needed_for_one(const value& call) {
  const value_map* map = call.if_map();
  if (map == nullptr) return api_access::read;
  const value* method = map->find("method");
  const std::string* name = method != nullptr ? method->if_text() : nullptr;
  if (name == nullptr) return api_access::read;
  const value* args = map->find("args");
  return needed_access(*name, args != nullptr ? *args : value());
}

}  // namespace

bool api_keys::is_key(std::string_view text) {
  return !text.empty() && text.size() <= max_bytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

void api_keys::add(std::string key, api_access level) {
  for (entry& known : keys_) {
    if (known.key != key) continue;
    known.level = std::max(known.level, level);
    return;
  }
  keys_.push_back({std::move(key), level});
}

std::optional<api_access> api_keys::level_of(std::string_view key) const {
  std::optional<api_access> found;
  for (const entry& known : keys_) {
    if (same(known.key, key)) found = known.level;
  }
  return found;
}

std::string_view to_text(api_access level) {
  switch (level) {
    case api_access::read:
      return "read";
    case api_access::rooms:
      return "rooms";
    case api_access::all:
      return "all";
  }
  return "";
}

api_access needed_access(std::string_view method, const value& args) {
  const api_descriptor* known = find_api_method(method);
  if (known == nullptr) return api_access::read;
  api_access needed = known->access;
  if (known->id != api_method::batch) return needed;
  const value* calls = nullptr;
  if (const value_map* named = args.if_map()) calls = named->find("calls");
  if (const value_list* positional = args.if_list(); positional != nullptr && !positional->empty()) {
    calls = &positional->front();
  }
  const value_list* list = calls != nullptr ? calls->if_list() : nullptr;
  if (list == nullptr) return needed;
  for (const value& call : *list)
    needed = std::max(needed, needed_for_one(call));
  return needed;
}

}  // namespace roombus
