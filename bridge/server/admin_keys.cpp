#include "bridge/server/admin_keys.hpp"

#include <array>
#include <fstream>

namespace roombus::server {

namespace {

constexpr std::size_t max_keys_in_file = 1000;

/// Adds the keys of one file; answers what is wrong with it, or "".
std::string read_file(const std::string& name, api_access level, api_keys& keys) {
  std::ifstream in(name);
  if (!in) return "expected a readable file, got \"" + name + "\"";
  std::size_t number = 0;
  std::size_t found = 0;
  std::string line;
  line.reserve(api_keys::max_bytes);
  while (std::getline(in, line)) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty() || line.front() == '#') continue;
    if (!api_keys::is_key(line)) {
      return "line " + std::to_string(number) + " of " + name +
             " is no key: expected 1 to 256 printable ASCII characters without blanks";
    }
    if (++found > max_keys_in_file) return name + " has more than " + std::to_string(max_keys_in_file) + " keys";
    keys.add(line, level);
  }
  return found > 0 ? "" : "expected a key in " + name;
}

}  // namespace

std::vector<admin_key_problem> read_admin_keys(config::admin_section& admin) {
  struct source {
    const std::string& key;
    const std::string& file;
    const char* path;
    api_access level;
  };
  const std::array<source, 3> sources{
      {{admin.key, admin.key_file, "admin.key_file", api_access::all},
       {admin.rooms_key, admin.rooms_key_file, "admin.rooms_key_file", api_access::rooms},
       {admin.read_key, admin.read_key_file, "admin.read_key_file", api_access::read}}};
  std::vector<admin_key_problem> problems;
  for (const source& s : sources) {
    if (!s.key.empty()) admin.keys.add(s.key, s.level);
    if (s.file.empty()) continue;
    std::string problem = read_file(s.file, s.level, admin.keys);
    if (!problem.empty()) problems.push_back({s.path, std::move(problem)});
  }
  return problems;
}

bool add_dev_key(config& settings, const std::string& key) {
  if (!settings.auth.dev || !settings.admin.keys.empty()) return false;
  settings.admin.keys.add(key, api_access::all);
  return true;
}

}  // namespace roombus::server
