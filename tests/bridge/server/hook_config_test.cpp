#include "bridge/server/hook_config.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "bridge/server/load_config.hpp"

namespace roombus::server {
namespace {

/// Loads a file with this text.
config_result load(const std::string& text, const environment_list& environment = {},
                   std::vector<std::string> flags = {}) {
  const std::string file = ::testing::TempDir() + "hook_config_test.toml";
  std::ofstream(file) << text;
  std::vector<std::string> args{"check-config", "--config", file};
  args.insert(args.end(), flags.begin(), flags.end());
  return load_config(args, environment);
}

/// The only error, without the path before its line; or all of them.
std::string error_of(const config_result& result) {
  std::string all;
  for (const std::string& error : result.errors) {
    const auto at = error.find(".toml:");
    all += (all.empty() ? "" : "\n") + (at == std::string::npos ? error : error.substr(at + 6));
  }
  return all;
}

TEST(hook_config_test, sections_and_the_table_of_policies) {
  const auto result = load(
      "[hooks.http]\n"
      "url = \"http://127.0.0.1:9000/hooks\"\n"
      "hooks = [\"onConnect\", \"roomMessageBefore\"]\n"
      "timeout_ms = 500\n"
      "on_failure = \"continue\"\n"
      "encoding = \"cbor\"\n"
      "secret = \"s\"\n"
      "[hooks.http.policy]\n"
      "onConnect = \"reject\"\n"
      "[hooks.mqtt]\n"
      "hooks = [\"onJoin\"]\n"
      "policy = [\"onJoin=continue\"]\n"
      "[mqtt]\n"
      "hook_workers = [\"w1\", \"w2\"]\n");
  ASSERT_EQ(error_of(result), "");
  const hooks_section& hooks = result.settings.hooks;
  EXPECT_EQ(hooks.http.url, "http://127.0.0.1:9000/hooks");
  EXPECT_EQ(hooks.http.hooks, (std::vector<std::string>{"onConnect", "roomMessageBefore"}));
  EXPECT_EQ(hooks.http.timeout_ms, 500U);
  EXPECT_EQ(hooks.http.on_failure, hook_policy::go_on);
  EXPECT_EQ(hooks.http.encoding, payload::encoding::cbor);
  EXPECT_EQ(hooks.http.policy, std::vector<std::string>{"onConnect=reject"});
  EXPECT_EQ(hooks.mqtt.policy, std::vector<std::string>{"onJoin=continue"});
  EXPECT_EQ(hooks.mqtt.workers, (std::vector<std::string>{"w1", "w2"}));
  EXPECT_TRUE(hooks.decide_logins());
}

TEST(hook_config_test, variables_and_flags) {
  const auto result = load("", {{"ROOMBUS_HOOKS__HTTP__URL", "http://h"}, {"ROOMBUS_HOOKS__HTTP__HOOKS", "onJoin"}},
                           {"--hooks.http.policy", "onJoin=continue", "--hooks.http.timeout_ms", "7"});
  ASSERT_EQ(error_of(result), "");
  EXPECT_EQ(result.settings.hooks.http.hooks, std::vector<std::string>{"onJoin"});
  EXPECT_EQ(result.settings.hooks.http.policy, std::vector<std::string>{"onJoin=continue"});
  EXPECT_EQ(result.settings.hooks.http.timeout_ms, 7U);
  EXPECT_FALSE(result.settings.hooks.decide_logins());
}

TEST(hook_config_test, what_is_wrong_is_told_with_its_line) {
  struct row {
    const char* text;
    const char* error;
  };
  const std::string start = "[hooks.http]\nurl = \"http://h\"\n";
  const row rows[] = {
      {"hooks = [\"onJion\"]", "3: hooks.http.hooks: no such hook \"onJion\"; did you mean onJoin?"},
      {"hooks = [\"onJoin\", \"onJoin\"]", "3: hooks.http.hooks: \"onJoin\" is listed twice"},
      {"hooks = [\"onJoin\"]\n[hooks.http.policy]\nonJoin = 1", "5: hooks.http.policy.onJoin: expected a text"},
      {"hooks = [\"onJoin\"]\n[hooks.http.policy]\nonJoin = \"maybe\"",
       "5: hooks.http.policy.onJoin: expected a list such as \"roomMessageBefore=continue\", got [\"onJoin=maybe\"]"},
      {"hooks = [\"onJoin\"]\n[hooks.http.policy]\nonLeave = \"reject\"",
       "5: hooks.http.policy.onLeave: \"onLeave\" is not among the hooks that are called (hooks.http.hooks)"},
      {"hooks = [\"onJoin\"]\n[hooks.mqtt]\nhooks = [\"onJoin\"]",
       "5: hooks.mqtt.hooks: \"onJoin\" is called over HTTP already (hooks.http.hooks)"},
      {"[hooks.mqtt]\nhooks = [\"onStart\"]",
       "4: hooks.mqtt.hooks: onStart cannot be called over MQTT: the broker is reached only after it"},
      {"[hooks.mqtt]\nhooks = [\"onJoin\"]\n[mqtt]\nbroker = \"none\"",
       "4: hooks.mqtt.hooks: expected a broker (mqtt.broker)"},
      {"secret = \"a\"\nsecret_file = \"b\"",
       "4: hooks.http.secret_file: expected either hooks.http.secret or hooks.http.secret_file"},
      {"secret_file = \"/nowhere\"",
       "3: hooks.http.secret_file: expected a readable file with a secret in its first line, got \"/nowhere\""},
  };
  for (const row& r : rows)
    EXPECT_EQ(error_of(load(start + r.text)), r.error);
  EXPECT_EQ(error_of(load("[hooks.http]\nhooks = [\"onJoin\"]")),
            "2: hooks.http.hooks: expected hooks.http.url with it: where the hooks are called");
  EXPECT_EQ(error_of(load("[hooks.http]\nurl = \"https://h\"")), "");
  EXPECT_EQ(error_of(load("[hooks.http]\nurl = \"ftp://h\"")).substr(0, 29), "2: hooks.http.url: expected a");
  EXPECT_EQ(error_of(load("[mqtt]\nhook_workers = [\"a b\"]")).substr(0, 21), "2: mqtt.hook_workers:");
}

TEST(hook_config_test, calls_that_devices_can_draw_off_are_warned_of) {
  const auto warned = [](const std::string& broker, const std::string& hooks = "hooks = [\"onJoin\"]\n") {
    const auto result = load("[hooks.mqtt]\n" + hooks + "[mqtt]\n" + broker);
    EXPECT_EQ(error_of(result), "") << broker;
    return std::any_of(result.warnings.begin(), result.warnings.end(), [](const std::string& warning) {
      return warning.find("hooks.mqtt.hooks") != std::string::npos;
    });
  };
  const std::string given = "broker = \"tcp://127.0.0.1:1883\"\n";
  EXPECT_TRUE(warned(given + "profile = \"mosquitto\"\nidentity = \"acl\"\n"));
  EXPECT_FALSE(warned(given + "profile = \"mosquitto\"\nidentity = \"acl\"\n", "")) << "no calls";
  EXPECT_FALSE(warned(given + "profile = \"mosquitto\"\nidentity = \"plugin\"\n"));
  EXPECT_FALSE(warned(given + "profile = \"emqx\"\nidentity = \"acl\"\n")) << "asks at each subscription";
  EXPECT_FALSE(warned("")) << "embedded";
}

}  // namespace
}  // namespace roombus::server
