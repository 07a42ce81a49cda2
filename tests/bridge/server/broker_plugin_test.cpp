// What the embedded broker's plugin is told about logins is what it understands, and what browsers have.

#include "bridge/server/broker_plugin.hpp"

#include <gtest/gtest.h>

#include "adapters/mosquitto/plugin/plugin_settings.hpp"

namespace roombus::server {
namespace {

plugin::plugin_settings taken(const config& settings) {
  plugin::plugin_settings out;
  for (const mosquitto::login_setting& s : device_logins_of(settings))
    EXPECT_TRUE(plugin::take_setting(out, s.name, s.value)) << s.name;
  return out;
}

TEST(device_logins_of, nothing_without_a_login_method) {
  EXPECT_TRUE(device_logins_of(config()).empty());
  config dev;
  dev.auth.dev = true;
  EXPECT_TRUE(device_logins_of(dev).empty());
}

TEST(device_logins_of, all_that_is_configured_reaches_the_plugin) {
  config settings;
  auth::credential_options& logins = settings.auth.logins;
  logins.password.file = "/passwords";
  logins.password.max_failures = 7;
  logins.password.failure_window_ms = 8'000;
  logins.jwt.sources.secret = std::string(" a\0\xff ", 5);
  logins.jwt.sources.secret_file = "/secret";
  logins.jwt.sources.public_key_file = "/key";
  logins.jwt.sources.jwks_file = "/jwks";
  logins.jwt.rules.audience = {"one", "two, three"};
  logins.jwt.rules.issuer = {"https://id"};
  logins.jwt.rules.leeway_ms = 9;
  logins.jwt.rules.require_exp = false;
  logins.jwt.user_claim = "name";
  logins.jwt.rights_claim = "rights";
  const plugin::device_login_options got = taken(settings).logins;
  EXPECT_EQ(got.password_file, "/passwords");
  EXPECT_EQ(got.max_failures, 7U);
  EXPECT_EQ(got.failure_window_ms, 8'000);
  EXPECT_EQ(got.jwt.sources.secret, logins.jwt.sources.secret);
  EXPECT_EQ(got.jwt.sources.secret_file, "/secret");
  EXPECT_EQ(got.jwt.sources.public_key_file, "/key");
  EXPECT_EQ(got.jwt.sources.jwks_file, "/jwks");
  EXPECT_EQ(got.jwt.rules.audience, logins.jwt.rules.audience);
  EXPECT_EQ(got.jwt.rules.issuer, logins.jwt.rules.issuer);
  EXPECT_EQ(got.jwt.rules.leeway_ms, 9);
  EXPECT_FALSE(got.jwt.rules.require_exp);
  EXPECT_EQ(got.jwt.user_claim, "name");
  EXPECT_EQ(got.jwt.rights_claim, "rights");
}

TEST(device_logins_of, a_rule_for_client_ids_reaches_the_plugin) {
  config settings;
  settings.auth.logins.password.file = "/passwords";
  EXPECT_EQ(taken(settings).guard.ids, plugin::client_ids::any);
  settings.mqtt.client_ids = broker_auth::client_ids::own;
  EXPECT_EQ(taken(settings).guard.ids, plugin::client_ids::own);
}

TEST(device_logins_of, the_on_connect_hook_is_asked_by_the_broker) {
  config settings;
  settings.hooks.http.hooks = {"onJoin"};
  EXPECT_TRUE(device_logins_of(settings).empty());
  settings.hooks.http.hooks = {"onConnect"};
  EXPECT_TRUE(taken(settings).ask_bridge);
  settings.hooks.http.hooks = {};
  settings.hooks.mqtt.hooks = {"onConnect"};
  EXPECT_TRUE(taken(settings).ask_bridge);
}

TEST(device_logins_of, files_are_copied_and_the_rest_is_not) {
  config settings;
  settings.auth.logins.password.file = "/passwords";
  settings.auth.logins.jwt.sources.secret = "x";
  for (const mosquitto::login_setting& s : device_logins_of(settings)) {
    const bool is_file = s.what == mosquitto::login_setting::kind::file;
    EXPECT_EQ(is_file, s.name == "password_file") << s.name;
  }
}

}  // namespace
}  // namespace roombus::server
