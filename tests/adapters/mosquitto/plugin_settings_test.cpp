#include "adapters/mosquitto/plugin/plugin_settings.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace roombus::plugin {
namespace {

TEST(plugin_settings, each_option_is_taken) {
  plugin_settings s;
  const std::pair<const char*, const char*> options[] = {{"prefix", "home"},
                                                         {"bridge_accounts", "/b"},
                                                         {"accounts", "/a"},
                                                         {"dev", "true"},
                                                         {"client_ids", "own"},
                                                         {"ask_bridge", "true"},
                                                         {"workers", "w1,w2"},
                                                         {"admins", "root"},
                                                         {"max_connections", "7"},
                                                         {"max_rooms", "8"},
                                                         {"password_file", "/p w"},
                                                         {"max_failures", "9"},
                                                         {"failure_window", "1000"},
                                                         {"remembered_passwords", "0"},
                                                         {"reload_interval", "0"},
                                                         {"jwt_secret_file", "/s"},
                                                         {"jwt_secret_hex", "00ff20"},
                                                         {"jwt_public_key_file", "/k"},
                                                         {"jwt_jwks_file", "/j"},
                                                         {"jwt_audience", "one"},
                                                         {"jwt_audience", "two, three"},
                                                         {"jwt_issuer", "https://id"},
                                                         {"jwt_leeway", "0"},
                                                         {"jwt_require_exp", "false"},
                                                         {"jwt_user_claim", "name"},
                                                         {"jwt_rights_claim", "rights"}};
  for (const auto& [name, text] : options)
    EXPECT_TRUE(take_setting(s, name, text)) << name;
  EXPECT_EQ(s.guard.prefix, "home");
  EXPECT_EQ(s.bridge_accounts + s.accounts, "/b/a");
  EXPECT_TRUE(s.guard.dev);
  EXPECT_EQ(s.guard.ids, client_ids::own);
  EXPECT_TRUE(s.ask_bridge);
  EXPECT_EQ(s.guard.workers, (std::vector<std::string>{"w1", "w2"}));
  EXPECT_EQ(s.guard.admins, std::vector<std::string>{"root"});
  EXPECT_EQ(s.guard.max_connections, 7U);
  EXPECT_EQ(s.guard.max_rooms, 8U);
  EXPECT_EQ(s.logins.password_file, "/p w");
  EXPECT_EQ(s.logins.max_failures, 9U);
  EXPECT_EQ(s.logins.failure_window_ms, 1000);
  EXPECT_EQ(s.guard.guesses.max_failures, 9U);
  EXPECT_EQ(s.guard.guesses.window_ms, 1000);
  EXPECT_EQ(s.logins.remembered_passwords, 0U);
  EXPECT_EQ(s.logins.reload_interval_ms, 0);
  const auth::jwt_options& jwt = s.logins.jwt;
  EXPECT_EQ(jwt.sources.secret_file + jwt.sources.public_key_file + jwt.sources.jwks_file, "/s/k/j");
  EXPECT_EQ(jwt.sources.secret, std::string("\0\xff ", 3));
  EXPECT_EQ(jwt.rules.audience, (std::vector<std::string>{"one", "two, three"}));
  EXPECT_EQ(jwt.rules.issuer, std::vector<std::string>{"https://id"});
  EXPECT_EQ(jwt.rules.leeway_ms, 0);
  EXPECT_FALSE(jwt.rules.require_exp);
  EXPECT_EQ(jwt.user_claim + jwt.rights_claim, "namerights");
}

TEST(plugin_settings, what_is_unknown_or_wrong_is_refused) {
  const std::pair<const char*, const char*> options[] = {
      {"", ""},           {"Dev", "true"},          {"dev", "yes"},           {"dev", ""},
      {"prefix", ""},     {"prefix", "a/+"},        {"workers", "a/b"},       {"admins", "a,b c"},
      {"max_rooms", "0"}, {"max_rooms", "-1"},      {"max_rooms", "1x"},      {"max_connections", "99999999"},
      {"accounts", ""},   {"jwt_audience", ""},     {"jwt_secret_hex", "0"},  {"jwt_secret_hex", ""},
      {"jwt_leeway", ""}, {"jwt_secret_hex", "0x"}, {"jwt_secret", "secret"}, {"jwt_require_exp", "1"},
      {"password", "/p"}, {"max_failures", "0"},    {"client_ids", ""},       {"client_ids", "mine"}};
  for (const auto& [name, text] : options) {
    plugin_settings s;
    EXPECT_FALSE(take_setting(s, name, text)) << name << " " << text;
  }
}

}  // namespace
}  // namespace roombus::plugin
