#include "adapters/mosquitto/plugin/plugin_settings.hpp"

#include <charconv>
#include <sstream>
#include <vector>

namespace roombus::plugin {

namespace {

constexpr std::int64_t max_time_ms = 7 * 86'400'000L;

template <class Number>
bool take_number(const std::string& text, Number& out, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || number < least || number > most) return false;
  out = static_cast<Number>(number);
  return true;
}

bool take_switch(const std::string& text, bool& out) {
  out = text == "true";
  return out || text == "false";
}

bool take_text(const std::string& text, std::string& out) {
  out = text;
  return !text.empty();
}

bool take_client_ids(const std::string& text, client_ids& out) {
  out = text == "own" ? client_ids::own : client_ids::any;
  return text == "own" || text == "any";
}

bool take_hex(const std::string& text, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned byte = 0;
    const auto read = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    if (read.ec != std::errc() || read.ptr != text.data() + i + 2) return false;
    out += static_cast<char>(byte);
  }
  return !text.empty() && text.size() % 2 == 0;
}

/// Names between commas.
bool take_names(const std::string& text, std::vector<std::string>& out) {
  std::istringstream names(text);
  for (std::string name; std::getline(names, name, ',');) {
    if (!is_name_level(name)) return false;
    out.push_back(name);
  }
  return true;
}

bool take_one_more(const std::string& text, std::vector<std::string>& out) {
  out.push_back(text);
  return !text.empty();
}

bool take_guard_setting(plugin_settings& settings, std::string_view name, const std::string& text, bool& known) {
  constexpr std::int64_t most = 10'000'000;
  guard_options& guard = settings.guard;
  if (name == "prefix") return take_text(text, guard.prefix) && text.find_first_of("+#$ ") == std::string::npos;
  if (name == "ask_bridge") return take_switch(text, settings.ask_bridge);
  if (name == "bridge_accounts") return take_text(text, settings.bridge_accounts);
  if (name == "accounts") return take_text(text, settings.accounts);
  if (name == "dev") return take_switch(text, guard.dev);
  if (name == "client_ids") return take_client_ids(text, guard.ids);
  if (name == "workers") return take_names(text, guard.workers);
  if (name == "admins") return take_names(text, guard.admins);
  if (name == "max_connections") return take_number(text, guard.max_connections, 1, most);
  if (name == "max_rooms") return take_number(text, guard.max_rooms, 1, most);
  return known = false;
}

bool take_login_setting(device_login_options& logins, std::string_view name, const std::string& text) {
  if (name == "password_file") return take_text(text, logins.password_file);
  if (name == "max_failures") return take_number(text, logins.max_failures, 1, 1'000'000);
  if (name == "failure_window") return take_number(text, logins.failure_window_ms, 1'000, max_time_ms);
  if (name == "remembered_passwords") return take_number(text, logins.remembered_passwords, 0, 1'000'000);
  if (name == "reload_interval") return take_number(text, logins.reload_interval_ms, 0, max_time_ms);
  auth::jwt_options& jwt = logins.jwt;
  if (name == "jwt_secret_file") return take_text(text, jwt.sources.secret_file);
  if (name == "jwt_secret_hex") return take_hex(text, jwt.sources.secret);
  if (name == "jwt_public_key_file") return take_text(text, jwt.sources.public_key_file);
  if (name == "jwt_jwks_file") return take_text(text, jwt.sources.jwks_file);
  if (name == "jwt_audience") return take_one_more(text, jwt.rules.audience);
  if (name == "jwt_issuer") return take_one_more(text, jwt.rules.issuer);
  if (name == "jwt_leeway") return take_number(text, jwt.rules.leeway_ms, 0, 600'000);
  if (name == "jwt_require_exp") return take_switch(text, jwt.rules.require_exp);
  if (name == "jwt_user_claim") return take_text(text, jwt.user_claim);
  if (name == "jwt_rights_claim") return take_text(text, jwt.rights_claim);
  return false;
}

}  // namespace

bool take_setting(plugin_settings& settings, std::string_view name, const std::string& text) {
  bool known = true;
  const bool good = take_guard_setting(settings, name, text, known);
  if (known) return good;
  if (!take_login_setting(settings.logins, name, text)) return false;
  settings.guard.guesses = {settings.logins.max_failures, settings.logins.failure_window_ms};  // one rule for all
  return true;
}

}  // namespace roombus::plugin
