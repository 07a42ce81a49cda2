#pragma once

// Puts settings of all sources into one configuration, and remembers which key came from where.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "bridge/server/config_file.hpp"
#include "bridge/server/load_config.hpp"

namespace roombus::server {

class config_sources {
 public:
  explicit config_sources(config& target) : target_(target) {}

  // In the order of precedence, weakest first.
  void apply_file(const file_content& file);
  void apply_environment(const environment_list& environment);
  void apply_flags(const std::vector<std::pair<std::string, std::string>>& flags);
  /// The [[room]] entries of the file; the keys of [chat] are their defaults, so they come when these are final.
  void apply_rooms();

  [[nodiscard]] bool was_set(const std::string& path) const { return origins_.contains(path); }
  /// A key's place for messages: "roombus.toml:12: mqtt.broker", "ROOMBUS_MQTT__BROKER", "--mqtt.broker", or its path.
  [[nodiscard]] std::string origin(const std::string& path) const;
  /// None of these keys had an error: they can be compared with each other.
  [[nodiscard]] bool usable(std::initializer_list<const char*> paths) const;

  std::vector<std::string> errors;

 private:
  struct room_source {
    std::string origin;
    std::vector<const file_entry*> entries;
  };

  bool check_section(const file_entry& entry);
  void apply_entry(const file_entry& entry);
  /// One row of a table that stands for a list.
  void apply_row(const config_key<config>& key, const file_entry& entry);
  void apply_text(const std::string& path, const std::string& text, const std::string& origin);
  void apply(const config_key<config>& key, const setting& value, const std::string& origin);
  void check_room(const room_entry& room, const std::string& origin);

  config& target_;
  std::map<std::string, std::string> origins_;
  std::set<std::string> bad_;
  std::vector<room_source> rooms_;
};

}  // namespace roombus::server
