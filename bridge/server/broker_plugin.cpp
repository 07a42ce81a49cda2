#include "bridge/server/broker_plugin.hpp"

#include <filesystem>
#include <system_error>

#include "bridge/mqtt/topic_map.hpp"

namespace roombus::server {

std::string find_broker_plugin(const std::string& setting) {
  if (setting == "none") return "";
  std::error_code error;
  if (setting != "auto") {
    const auto absolute = std::filesystem::absolute(setting, error);
    return error ? setting : absolute.string();
  }
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return "";
  const auto above = program.parent_path().parent_path();
  for (const char* folder : {"lib", "lib/roombus"}) {
    const auto candidate = above / folder / "roombus_mosquitto.so";
    if (std::filesystem::is_regular_file(candidate, error)) return candidate.string();
  }
  return "";
}

namespace {

/// The broker's copies of files are looked at so often; the files themselves at auth.reload_interval.
constexpr const char* copies_interval_ms = "1000";

std::string hex(const std::string& bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += digits[byte >> 4U];
    out += digits[byte & 0xFU];
  }
  return out;
}

}  // namespace

std::vector<mosquitto::login_setting> device_logins_of(const config& settings) {
  using kind = mosquitto::login_setting::kind;
  const auth::jwt_options& jwt = settings.auth.logins.jwt;
  const auth::password_options& passwords = settings.auth.logins.password;
  std::vector<mosquitto::login_setting> out;
  const auto add_file = [&out](const char* name, const std::string& path) {
    if (!path.empty()) out.emplace_back(name, path, kind::file);
  };
  add_file("password_file", passwords.file);
  add_file("jwt_secret_file", jwt.sources.secret_file);
  add_file("jwt_public_key_file", jwt.sources.public_key_file);
  add_file("jwt_jwks_file", jwt.sources.jwks_file);
  if (!jwt.sources.secret.empty()) out.emplace_back("jwt_secret_hex", hex(jwt.sources.secret));
  if (settings.hooks.decide_logins()) out.emplace_back("ask_bridge", "true");
  if (out.empty()) return out;
  if (settings.mqtt.client_ids == broker_auth::client_ids::own) out.emplace_back("client_ids", "own");
  out.emplace_back("reload_interval", copies_interval_ms);
  out.emplace_back("max_failures", std::to_string(passwords.max_failures));
  out.emplace_back("failure_window", std::to_string(passwords.failure_window_ms));
  for (const std::string& audience : jwt.rules.audience)
    out.emplace_back("jwt_audience", audience);
  for (const std::string& issuer : jwt.rules.issuer)
    out.emplace_back("jwt_issuer", issuer);
  out.emplace_back("jwt_leeway", std::to_string(jwt.rules.leeway_ms));
  out.emplace_back("jwt_require_exp", jwt.rules.require_exp ? "true" : "false");
  out.emplace_back("jwt_user_claim", jwt.user_claim);
  out.emplace_back("jwt_rights_claim", jwt.rights_claim);
  return out;
}

mqtt::plugin_options plugin_options_of(const config& settings, bool embedded_has_it, const std::string& name,
                                       const std::string& life) {
  mqtt::plugin_options options;
  if (settings.mqtt.broker.kind == broker_kind::embedded) {
    options.use = embedded_has_it ? mqtt::plugin_use::require : mqtt::plugin_use::none;
  } else if (settings.mqtt.profile == mqtt::broker_profile::mosquitto) {
    options.use =
        settings.mqtt.identity == identity_kind::plugin ? mqtt::plugin_use::require : mqtt::plugin_use::detect;
  }
  options.instance = mqtt::topic_map::is_name_level(name, mqtt::broker_profile::mosquitto) ? name : life;
  options.life = life;
  options.lease = settings.chat.heartbeat_timeout;
  options.renew = settings.chat.heartbeat_rate;
  options.confirm = settings.chat.bus_ack_timeout;
  return options;
}

}  // namespace roombus::server
