#include "bridge/server/config_sources.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "bridge/server/suggest.hpp"
#include "core/utf8.hpp"

namespace roombus::server {

namespace {

constexpr std::size_t shown_bytes = 80;  // of a wrong value

std::string shown(const std::string& text) {
  if (!is_valid_utf8(text)) return "a text that is not UTF-8";
  std::string out = "\"";
  for (char c : utf8_prefix(text, shown_bytes))
    out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  return out + (text.size() > shown_bytes ? "…\"" : "\"");
}

std::string shown(const setting& value) {
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<std::int64_t>(&value)) return std::to_string(*i);
  if (const auto* s = std::get_if<std::string>(&value)) return shown(*s);
  std::string out = "[";
  for (const auto& item : std::get<std::vector<std::string>>(value)) {
    if (out.size() > shown_bytes) return out + ", …]";
    out += (out.size() > 1 ? ", " : "") + shown(item);
  }
  return out + "]";
}

template <class Target>
const config_key<Target>* find_key(const std::vector<config_key<Target>>& keys, const std::string& path) {
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return k.path() == path; });
  return found == keys.end() ? nullptr : &*found;
}

template <class Target>
std::vector<std::string> paths_of(const std::vector<config_key<Target>>& keys) {
  std::vector<std::string> out;
  for (const auto& key : keys)
    out.push_back(key.path());
  return out;
}

std::vector<std::string> sections() {
  std::vector<std::string> out{"room"};
  for (const auto& key : config_keys()) {
    // `hooks.http` makes `hooks` a section too
    for (auto dot = key.section.find('.'); dot != std::string::npos; dot = key.section.find('.', dot + 1)) {
      const auto outer = key.section.substr(0, dot);
      if (std::find(out.begin(), out.end(), outer) == out.end()) out.push_back(outer);
    }
    if (std::find(out.begin(), out.end(), key.section) == out.end()) out.push_back(key.section);
  }
  return out;
}

bool contains(const std::vector<std::string>& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<setting> from_text(setting_kind kind, const std::string& text) {
  switch (kind) {
    case setting_kind::boolean:
      if (text == "true") return setting(true);
      if (text == "false") return setting(false);
      return std::nullopt;
    case setting_kind::integer: {
      std::int64_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
      return setting(number);
    }
    case setting_kind::text:
      return setting(text);
    case setting_kind::list:
      break;
  }
  std::vector<std::string> items;
  std::size_t at = 0;
  while (!trimmed(text).empty() && at <= text.size()) {
    const auto comma = std::min(text.find(',', at), text.size());
    items.push_back(trimmed(text.substr(at, comma - at)));
    at = comma + 1;
  }
  return setting(std::move(items));
}

// The error of a wrong value; empty when it was taken.
template <class Target>
std::string set_value(const config_key<Target>& key, Target& target, const setting& value) {
  if (value.index() == static_cast<std::size_t>(key.kind) && key.set(target, value)) return "";
  return "expected " + key.expected + (key.secret ? "" : ", got " + shown(value));
}

}  // namespace

static_assert(std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(setting_kind::list), setting>,
                             std::vector<std::string>>,
              "setting_kind counts the alternatives of setting");

std::string config_sources::origin(const std::string& path) const {
  const auto found = origins_.find(path);
  return found == origins_.end() ? path : found->second;
}

bool config_sources::usable(std::initializer_list<const char*> paths) const {
  return std::none_of(paths.begin(), paths.end(), [&](const char* path) { return bad_.contains(path); });
}

void config_sources::apply(const config_key<config>& key, const setting& value, const std::string& origin) {
  origins_[key.path()] = origin;
  const auto error = set_value(key, target_, value);
  if (error.empty()) return;
  bad_.insert(key.path());
  errors.push_back(origin + ": " + error);
}

void config_sources::apply_file(const file_content& file) {
  errors.insert(errors.end(), file.errors.begin(), file.errors.end());
  std::set<std::string> unknown;
  for (const auto& entry : file.entries) {
    if (unknown.contains(entry.section)) continue;
    if (entry.section.empty()) {
      const bool is_section = contains(sections(), entry.key);
      errors.push_back(
          entry.origin + ": " + entry.key + ": expected " +
          (is_section ? "a section [" + entry.key + "]" : std::string("keys only below a section such as [http]")));
    } else if (entry.key.empty()) {
      if (!check_section(entry)) unknown.insert(entry.section);
    } else if (entry.section == "room") {
      rooms_.back().entries.push_back(&entry);
    } else {
      apply_entry(entry);
    }
  }
}

bool config_sources::check_section(const file_entry& entry) {
  const bool repeated = entry.index.has_value();
  const auto known = sections();
  const auto brackets = repeated ? "[[" + entry.section + "]]" : "[" + entry.section + "]";
  std::string error;
  if (const auto* key = find_key(config_keys(), entry.section); key != nullptr) {  // `[http] listen = {…}`
    if (key->table) return true;
    bad_.insert(entry.section);
    errors.push_back(entry.origin + ": " + entry.section + ": expected " + key->expected + ", got a table");
    return false;
  }
  if (!contains(known, entry.section)) {
    error = "no such section" + did_you_mean(entry.section, known);
  } else if (entry.section == "room" && !repeated) {
    error = "expected [[room]], one for each room";
  } else if (entry.section != "room" && repeated) {
    error = "expected [" + entry.section + "], once";
  }
  if (!error.empty()) {
    errors.push_back(entry.origin + ": " + brackets + ": " + error);
    return false;
  }
  if (repeated) rooms_.push_back({entry.origin, {}});
  return true;
}

void config_sources::apply_row(const config_key<config>& key, const file_entry& entry) {
  const auto where = entry.origin + ": " + entry.section + "." + entry.key;
  const auto* given = std::get_if<setting>(&entry.value);
  const auto* text = given == nullptr ? nullptr : std::get_if<std::string>(given);
  if (text == nullptr) {
    bad_.insert(entry.section);
    errors.push_back(where + ": expected a text");
    return;
  }
  auto rows = std::get<std::vector<std::string>>(key.get(target_));
  rows.push_back(entry.key + "=" + *text);
  apply(key, setting(std::move(rows)), where);
}

void config_sources::apply_entry(const file_entry& entry) {
  if (const auto* table = find_key(config_keys(), entry.section); table != nullptr) return apply_row(*table, entry);
  const auto path = entry.section + "." + entry.key;
  const auto where = entry.origin + ": " + path;
  const auto* key = find_key(config_keys(), path);
  if (key == nullptr) {
    errors.push_back(where + ": no such key" + did_you_mean(path, paths_of(config_keys())));
  } else if (const auto* foreign = std::get_if<foreign_value>(&entry.value)) {
    bad_.insert(path);
    errors.push_back(where + ": expected " + key->expected + ", got " + foreign->kind);
  } else {
    apply(*key, std::get<setting>(entry.value), where);
  }
}

void config_sources::apply_text(const std::string& path, const std::string& text, const std::string& origin) {
  const auto* key = find_key(config_keys(), path);
  if (key == nullptr) return;  // the callers know their keys
  if (const auto value = from_text(key->kind, text)) return apply(*key, *value, origin);
  bad_.insert(path);
  errors.push_back(origin + ": expected " + key->expected + (key->secret ? "" : ", got " + shown(text)));
}

void config_sources::apply_environment(const environment_list& environment) {
  std::vector<std::string> variables;
  for (const auto& key : config_keys())
    variables.push_back(key.variable());
  for (const auto& [name, text] : environment) {
    if (!name.starts_with("ROOMBUS_") || text.empty()) continue;
    const auto found = std::find(variables.begin(), variables.end(), name);
    if (found != variables.end()) {
      apply_text(config_keys()[static_cast<std::size_t>(found - variables.begin())].path(), text, name);
    } else if (name.starts_with("ROOMBUS_ROOM__")) {
      errors.push_back(name + ": rooms can only be given in a file, as [[room]]");
    } else if (name.find("__") != std::string::npos) {
      errors.push_back(name + ": no such variable" + did_you_mean(name, variables));
    } else {
      // Others may use our prefix (Kubernetes does, for a service called roombus), so only a slip is told.
      const auto meant = std::find_if(variables.begin(), variables.end(), [&, &n = name](const std::string& v) {
        return std::string(v).replace(v.find("__"), 2, "_") == n;
      });
      if (meant != variables.end()) errors.push_back(name + ": no such variable; did you mean " + *meant + "?");
    }
  }
}

void config_sources::apply_flags(const std::vector<std::pair<std::string, std::string>>& flags) {
  for (const auto& [path, text] : flags)
    apply_text(path, text, "--" + path);
}

void config_sources::apply_rooms() {
  for (const auto& source : rooms_) {
    room_entry room;
    room.settings.history_max_size = target_.chat.history_max_size;
    room.settings.enable_access_lists_updates = target_.chat.enable_access_lists_updates;
    room.settings.enable_userlist_updates = target_.chat.enable_userlist_updates;
    bool named = false;
    const auto before = errors.size();
    for (const auto* entry : source.entries) {
      const auto where = entry->origin + ": room." + entry->key;
      named = named || entry->key == "name";
      const auto* key = find_key(room_keys(), "room." + entry->key);
      if (key == nullptr) {
        errors.push_back(where + ": no such key" + did_you_mean("room." + entry->key, paths_of(room_keys())));
      } else if (const auto* foreign = std::get_if<foreign_value>(&entry->value)) {
        errors.push_back(where + ": expected " + key->expected + ", got " + foreign->kind);
      } else if (const auto error = set_value(*key, room, std::get<setting>(entry->value)); !error.empty()) {
        errors.push_back(where + ": " + error);
      }
    }
    if (!named) errors.push_back(source.origin + ": [[room]]: expected a name");
    if (errors.size() == before) check_room(room, source.origin + ": [[room]] " + shown(room.name.str()));
    target_.rooms.push_back(std::move(room));
  }
}

void config_sources::check_room(const room_entry& room, const std::string& origin) {
  const auto limit = target_.limits.name_bytes;
  if (!is_valid_name(room.name.str(), limit)) {
    errors.push_back(origin + ": expected a name of at most " + std::to_string(limit) + " bytes of UTF-8");
  }
  for (const auto& other : target_.rooms) {
    if (other.name == room.name) errors.push_back(origin + ": the name is already taken by a [[room]] before");
  }
  const auto& s = room.settings;
  const std::pair<const char*, const std::vector<user_name>*> lists[] = {
      {"adminlist", &s.adminlist}, {"whitelist", &s.whitelist}, {"blacklist", &s.blacklist}};
  std::vector<user_name> users;
  if (s.owner) users.push_back(*s.owner);
  for (const auto& [name, list] : lists) {
    users.insert(users.end(), list->begin(), list->end());
    if (list->size() > target_.chat.room_list_size_limit) {
      errors.push_back(origin + ": " + name + ": expected at most " +
                       std::to_string(target_.chat.room_list_size_limit) + " names (chat.room_list_size_limit)");
    }
  }
  for (const auto& user : users) {
    if (is_valid_name(user.str(), limit)) continue;
    errors.push_back(origin + ": the user name " + shown(user.str()) + " is longer than " + std::to_string(limit) +
                     " bytes (limits.name_bytes)");
  }
}

}  // namespace roombus::server
