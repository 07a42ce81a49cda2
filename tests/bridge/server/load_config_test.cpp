#include "bridge/server/load_config.hpp"

#include <gtest/gtest.h>

#include <unistd.h>
#include <map>

#include <cstdlib>
#include <fstream>

#include "bridge/server/config_key.hpp"

namespace roombus::server {
namespace {

using texts = std::vector<std::string>;

// A file that ends with the test.
class temporary_file {
 public:
  explicit temporary_file(const std::string& content) {
    std::string name = testing::TempDir() + "roombus-XXXXXX";
    const int descriptor = mkstemp(name.data());
    EXPECT_GE(descriptor, 0);
    close(descriptor);
    path = name;
    std::ofstream(path) << content;
  }
  ~temporary_file() { unlink(path.c_str()); }
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  std::string path;
};

config_result load(texts args, const environment_list& environment = {}) {
  args.insert(args.begin(), "serve");
  return load_config(args, environment);
}

// Loads `content` as a file; its name in messages becomes F.
config_result load_file(const std::string& content, texts args = {}, const environment_list& environment = {}) {
  const temporary_file file(content);
  args.insert(args.begin(), {"--config", file.path});
  auto out = load(args, environment);
  for (auto* list : {&out.errors, &out.warnings}) {
    for (auto& text : *list) {
      if (text.starts_with(file.path)) text.replace(0, file.path.size(), "F");
    }
  }
  return out;
}

TEST(load_config, without_anything_has_the_defaults) {
  const auto out = load({});
  EXPECT_EQ(out.errors, texts{});
  EXPECT_EQ(out.warnings, texts{});
  EXPECT_EQ(out.settings.http.listen.str(), "127.0.0.1:8000");
  EXPECT_EQ(out.settings.mqtt.broker.kind, broker_kind::embedded);
  EXPECT_EQ(out.settings.mqtt.profile, mqtt::broker_profile::mosquitto);
  EXPECT_FALSE(out.settings.chat.enable_direct_messages);
  EXPECT_TRUE(out.settings.rooms.empty());
}

TEST(load_config, flags_before_environment_before_file_before_defaults) {
  const std::string file = "[mqtt]\nprefix = \"file\"\nmax_topic = 100\noffline_grace = 1\n";
  const auto out = load_file(file, {"--mqtt.prefix", "flag"},
                             {{"ROOMBUS_MQTT__PREFIX", "env"}, {"ROOMBUS_MQTT__MAX_TOPIC", "200"}, {"OTHER", "x"}});
  EXPECT_EQ(out.errors, texts{});
  EXPECT_EQ(out.settings.mqtt.prefix, "flag");
  EXPECT_EQ(out.settings.mqtt.max_topic, 200u);
  EXPECT_EQ(out.settings.mqtt.offline_grace, 1u);
  EXPECT_EQ(out.settings.mqtt.idle_timeout, 120'000u);
}

TEST(load_config, the_file_may_be_named_by_the_environment) {
  const temporary_file file("[mqtt]\nprefix = \"file\"\n");
  EXPECT_EQ(load({}, {{"ROOMBUS_CONFIG", file.path}}).settings.mqtt.prefix, "file");
}

TEST(load_config, keys_of_sections_inside_sections) {
  const auto out = load_file("[auth.jwt]\nleeway = 5\n[auth]\nreload_interval = 7\n[auth.password]\nworkers = 3\n", {},
                             {{"ROOMBUS_AUTH__JWT__USER_CLAIM", "name"}});
  EXPECT_EQ(out.errors, texts{});
  EXPECT_EQ(out.settings.auth.logins.jwt.rules.leeway_ms, 5);
  EXPECT_EQ(out.settings.auth.logins.reload_interval.count(), 7);
  EXPECT_EQ(out.settings.auth.logins.password.workers, 3u);
  EXPECT_EQ(out.settings.auth.logins.jwt.user_claim, "name");
  EXPECT_EQ(load_file("[auth.jvt]\nleeway = 5\n").errors,
            texts{"F:1: [auth.jvt]: no such section; did you mean auth.jwt?"});
  EXPECT_EQ(load_file("[auth.jwt]\nleewy = 5\n").errors,
            texts{"F:2: auth.jwt.leewy: no such key; did you mean auth.jwt.leeway?"});
  EXPECT_EQ(load_file("[auth.jwt]\nsecret = \"too short to be one\"\n").errors,
            texts{"F:2: auth.jwt.secret: expected a text of at least 32 bytes, or nothing"})
      << "secrets are not shown";
}

TEST(load_config, instances_share_what_can_be_shared) {
  const std::string redis = "[store]\nkind = \"redis\"\n";
  const std::string mosquitto = "[mqtt]\nbroker = \"tcp://127.0.0.1:1883\"\nidentity = \"acl\"\n";
  const auto shared = [](const std::string& file) {
    const auto out = load_file(file);
    EXPECT_EQ(out.errors, texts{});
    return out.settings.is_shared();
  };
  EXPECT_TRUE(shared(redis + mosquitto));
  EXPECT_TRUE(shared(redis + "[mqtt]\nbroker = \"ssl://127.0.0.1:8883\"\nidentity = \"acl\"\n"));
  EXPECT_FALSE(shared(redis + mosquitto + "[instance]\ncluster = \"off\"\n"));
  EXPECT_FALSE(shared(redis)) << "nobody else is at the embedded broker";
  EXPECT_FALSE(shared(redis + "[mqtt]\nbroker = \"none\"\n"));
  EXPECT_FALSE(shared(mosquitto));
}

TEST(load_config, files_of_tls_are_read_where_tls_is_spoken) {
  const std::string nowhere = "cannot use the certificates in \"/nowhere\": No such file or directory";
  EXPECT_EQ(load_file("[hooks.http]\nurl = \"https://h\"\nca_file = \"/nowhere\"\n").errors,
            texts{"F:3: hooks.http.ca_file: " + nowhere});
  const std::string redis = "[store]\nkind = \"redis\"\nredis = \"rediss://h\"\n";
  EXPECT_EQ(load_file(redis).errors, texts{});
  EXPECT_EQ(load_file(redis + "redis_ca_file = \"/nowhere\"\n").errors, texts{"F:4: store.redis_ca_file: " + nowhere});
  EXPECT_EQ(load_file(redis + "redis_cert_file = \"/nowhere\"\n").errors,
            texts{"F:4: store.redis_cert_file: cannot use the certificate in \"/nowhere\": No such file or directory"});
  EXPECT_EQ(load_file("[store]\nkind = \"redis\"\ncluster = true\nredis = \"rediss://a,redis://b\"\n").errors,
            texts{"F:4: store.redis: expected either redis:// or rediss:// for all nodes"});
  const auto warnings = [](const std::string& file) {
    const auto out = load_file(file);
    EXPECT_EQ(out.errors, texts{});
    std::string all;
    for (const std::string& one : out.warnings)
      all += one + "\n";
    return all;
  };
  EXPECT_NE(warnings("[hooks.http]\nurl = \"http://h\"\nca_file = \"/nowhere\"\n")
                .find("hooks.http.ca_file: has no effect without hooks.http.url = \"https://"),
            std::string::npos);
  EXPECT_NE(warnings("[store]\nkind = \"redis\"\nredis_ca_file = \"/nowhere\"\n")
                .find("store.redis_ca_file: has no effect without store.redis = \"rediss://"),
            std::string::npos);
  EXPECT_NE(warnings(redis + "redis_key_file = \"/nowhere\"\n")
                .find("store.redis_key_file: has no effect without store.redis_cert_file"),
            std::string::npos);
}

// What a key's default would be changed to, in all three sources.
TEST(load_config, every_key_can_be_given_in_every_way) {
  const config defaults;
  const std::string api_key_file = ::testing::TempDir() + "roombus-api-key";
  std::ofstream(api_key_file) << "a-key\n";
  // of texts that are not free
  const std::map<std::string, std::string> other_values{
      {"http.namespace", "/x"},
      {"mqtt.broker", "none"},
      {"mqtt.delivery", "inbox"},
      {"mqtt.profile", "emqx"},
      {"mqtt.identity", "acl"},
      {"mqtt.auth_client_ids", "any"},
      {"mqtt.client_ids", "own"},
      {"chat.message_format", "text"},
      {"instance.cluster", "off"},
      {"log.format", "json"},
      {"log.level", "debug"},
      {"store.kind", "memory"},
      {"store.sync", "normal"},
      {"store.redis", "redis://127.0.0.1:1/1"},
      {"auth.jwt.secret", "a secret of more than thirty-two bytes"},
      {"hooks.http.url", "http://127.0.0.1:9/hooks"},
      {"hooks.http.secret_file", api_key_file},
      {"hooks.http.encoding", "cbor"},
      {"hooks.mqtt.encoding", "cbor"},
      {"hooks.http.on_failure", "continue"},
      {"hooks.mqtt.on_failure", "continue"},
  };
  for (const auto& key : config_keys()) {
    // these say something only together with others: hook_config_test
    if (key.section.starts_with("hooks.") && (key.name == "hooks" || key.name == "policy")) continue;
    const auto value = key.get(defaults);
    std::string text;
    std::string toml;
    if (const auto* b = std::get_if<bool>(&value)) text = toml = *b ? "false" : "true";
    if (const auto* i = std::get_if<std::int64_t>(&value)) text = toml = std::to_string(*i + 1);
    if (std::holds_alternative<std::string>(value)) {
      const auto known = other_values.find(key.path());
      if (known != other_values.end()) {
        text = known->second;
      } else {
        text = key.name == "listen" ? "127.0.0.1:9" : key.name.ends_with("key_file") ? api_key_file : "x";
      }
      toml = "\"" + text + "\"";
    }
    if (std::holds_alternative<texts>(value)) {
      text = key.section == "http" ? "https://a.b, http://c:1" : key.section == "mqtt" ? "ann, bob" : "10.0.0.0/8, ::1";
      toml = key.section == "http"   ? "[\"https://a.b\", \"http://c:1\"]"
             : key.section == "mqtt" ? "[\"ann\", \"bob\"]"
                                     : "[\"10.0.0.0/8\", \"::1\"]";
    }
    const auto by_file = load_file("[" + key.section + "]\n" + key.name + " = " + toml + "\n");
    const auto by_variable = load({}, {{key.variable(), text}});
    const auto by_flag = load({"--" + key.path() + "=" + text});
    for (const auto* out : {&by_file, &by_variable, &by_flag}) {
      EXPECT_EQ(out->errors, texts{}) << key.path();
      EXPECT_EQ(key.get(out->settings), key.get(by_flag.settings)) << key.path();
      EXPECT_NE(key.get(out->settings), value) << key.path();
    }
  }
}

TEST(load_config, a_rule_for_client_ids_wants_the_plugin_of_the_embedded_broker) {
  EXPECT_EQ(load_file("").settings.mqtt.client_ids, broker_auth::client_ids::any);
  const auto out = load_file("[mqtt]\nclient_ids = \"own\"\n");
  EXPECT_EQ(out.warnings, texts{});
  EXPECT_EQ(out.settings.mqtt.client_ids, broker_auth::client_ids::own);
  for (const char* more : {"plugin = \"none\"\n", "broker = \"none\"\n", "[auth]\ndev = true\n"}) {
    const auto warnings = load_file(std::string("[mqtt]\nclient_ids = \"own\"\n") + more).warnings;
    ASSERT_FALSE(warnings.empty()) << more;
    EXPECT_EQ(warnings.front(),
              "F:2: mqtt.client_ids: has no effect but with the plugin of the embedded broker (mqtt.plugin), and none "
              "with auth.dev");
  }
}

TEST(load_config, the_server_api_on_mqtt_wants_to_know_who_may_call_it) {
  const auto warnings = [](const std::string& file) {
    const auto out = load_file(file);
    EXPECT_EQ(out.errors, texts{}) << file;
    return out.warnings;
  };
  EXPECT_EQ(warnings("[mqtt]\nadmin = true\nadmins = [\"root\"]\n"), texts{});
  EXPECT_EQ(
      warnings("[mqtt]\nadmin = true\n"),
      texts{"F:2: mqtt.admin: nobody can use it: the embedded broker lets only mqtt.admins through, and there are "
            "none"});
  EXPECT_EQ(warnings("[mqtt]\nadmins = [\"root\"]\n"),
            texts{"F:2: mqtt.admins: has no effect without mqtt.admin = true"});
  EXPECT_EQ(warnings("[mqtt]\nbroker = \"none\"\nadmin = true\n"),
            texts{"F:3: mqtt.admin: has no effect with mqtt.broker = \"none\""});
}

TEST(load_config, brokers_that_ask_need_a_key_and_logins) {
  const config by_default;
  EXPECT_EQ(by_default.mqtt.auth_key, "") << "nobody may ask";
  EXPECT_EQ(by_default.mqtt.auth_client_ids, broker_auth::client_ids::own);
  const auto out = load_file("[mqtt]\nauth_key = \"k\"\nauth_client_ids = \"any\"\n");
  EXPECT_EQ(out.errors, texts{});
  EXPECT_EQ(out.settings.mqtt.auth_key, "k");
  EXPECT_EQ(out.settings.mqtt.auth_client_ids, broker_auth::client_ids::any);
  EXPECT_EQ(out.warnings, texts{"F:2: mqtt.auth_key: brokers that ask are told to let nobody in: there is neither "
                                "auth.password nor auth.jwt"});
  EXPECT_EQ(load_file("[mqtt]\nauth_key = \"k\"\n[auth.password]\nfile = \"users\"\n").warnings, texts{});
  EXPECT_EQ(load_file("[mqtt]\nauth_key = \"a b\"\n").errors.size(), 1U);
  EXPECT_EQ(load_file("[mqtt]\nauth_client_ids = \"some\"\n").errors.size(), 1U);
}

TEST(load_config, keys_of_the_server_api_are_read_and_checked) {
  const auto out = load_file("[admin]\nkey = \"one\"\nread_key = \"two\"\n");
  EXPECT_EQ(out.errors, texts{});
  EXPECT_EQ(out.settings.admin.keys.level_of("one"), api_access::all);
  EXPECT_EQ(out.settings.admin.keys.level_of("two"), api_access::read);
  EXPECT_EQ(load_file("[admin]\nkey_file = \"/does/not/exist\"\n").errors,
            texts{"F:2: admin.key_file: expected a readable file, got \"/does/not/exist\""});
  const auto blank = load_file("[admin]\nkey = \"a b\"\n").errors;
  ASSERT_EQ(blank.size(), 1u);
  EXPECT_EQ(blank.front().find("a b"), std::string::npos) << "a key is never shown";
}

TEST(load_config, wrong_values_name_the_place_and_what_was_expected) {
  struct row {
    const char* file;
    texts errors;
  };
  for (const row& r : {
           row{"[http]\npage = \"yes\"\n", {"F:2: http.page: expected true or false, got \"yes\""}},
           row{"[http]\nlisten = 8000\n",
               {"F:2: http.listen: expected an address such as \"127.0.0.1:8000\" or \"[::1]:8000\", got 8000"}},
           row{"[http]\nlistn = \"x\"\n", {"F:2: http.listn: no such key; did you mean http.listen?"}},
           row{"[htp]\nlisten = \"x\"\n", {"F:1: [htp]: no such section; did you mean http?"}},
           row{"http = 3\nx = 1\n",
               {"F:1: http: expected a section [http]", "F:2: x: expected keys only below a section such as [http]"}},
           row{"[[http]]\npage = true\n", {"F:1: [[http]]: expected [http], once"}},
           row{"[room]\nname = \"x\"\n", {"F:1: [room]: expected [[room]], one for each room"}},
           row{"[chat]\nmessage_format = \"xml\"\n",
               {"F:2: chat.message_format: expected one of \"object\", \"text\", got \"xml\""}},
           row{"[chat]\nlock_ttl = 1.5\n",
               {"F:2: chat.lock_ttl: expected an integer from 1 to 604800000, got a number with a fraction"}},
           row{"[chat]\nlock_ttl = 0\n[log]\nlevel = \"loud\"\n",
               {"F:2: chat.lock_ttl: expected an integer from 1 to 604800000, got 0",
                "F:4: log.level: expected one of \"error\", \"warning\", \"info\", \"debug\", got \"loud\""}},
           row{"[store]\nkind = \"disk\"\n",
               {"F:2: store.kind: expected one of \"memory\", \"sqlite\", \"redis\", got \"disk\""}},
           row{"[store]\nkind = \"redis\"\nredis = \"redis://a,redis://b\"\n",
               {"F:3: store.redis: expected one Redis, or store.cluster = true for several nodes of a cluster"}},
           row{"[store]\nkind = \"redis\"\ncluster = true\nredis = \"redis://a/1\"\n",
               {"F:4: store.redis: expected no database number: a cluster has only 0"}},
           row{"[http]\ncors_origins = [\"example.org\"]\n",
               {"F:2: http.cors_origins: expected a list of origins such as \"https://example.org\", or \"*\", got "
                "[\"example.org\"]"}},
           row{"[mqtt]\npassword = 12\n", {"F:2: mqtt.password: expected a text without control characters"}},
           row{"[auth]\ndev_networks = [\"10.0.0.1/8\"]\n",
               {"F:2: auth.dev_networks: expected a list of networks such as \"10.0.0.0/8\" or \"::1/128\", got "
                "[\"10.0.0.1/8\"]"}},
       }) {
    EXPECT_EQ(load_file(r.file).errors, r.errors);
  }
}

TEST(load_config, wrong_variables_and_flags_are_named) {
  const auto out = load({"--http.page=maybe", "--http.cors_origins=https://a.b,ftp://x"},
                        {{"ROOMBUS_HTTP__PAGE", "1"},
                         {"ROOMBUS_HTTP__LISTNE", "x"},
                         {"ROOMBUS_HTTP_LISTEN", "x"},
                         {"ROOMBUS_ROOM__NAME", "x"},
                         {"ROOMBUS_CHAT__LOCK_TTL", "10s"},
                         {"ROOMBUS_CHAT__CLOSE_TIMEOUT", ""},
                         {"ROOMBUS_PORT_8000_TCP", "tcp://10.0.0.1:8000"}});
  EXPECT_EQ(out.errors,
            (texts{"ROOMBUS_HTTP__PAGE: expected true or false, got \"1\"",
                   "ROOMBUS_HTTP__LISTNE: no such variable; did you mean ROOMBUS_HTTP__LISTEN?",
                   "ROOMBUS_HTTP_LISTEN: no such variable; did you mean ROOMBUS_HTTP__LISTEN?",
                   "ROOMBUS_ROOM__NAME: rooms can only be given in a file, as [[room]]",
                   "ROOMBUS_CHAT__LOCK_TTL: expected an integer from 1 to 604800000, got \"10s\"",
                   "--http.page: expected true or false, got \"maybe\"",
                   "--http.cors_origins: expected a list of origins such as \"https://example.org\", or \"*\", got "
                   "[\"https://a.b\", \"ftp://x\"]"}));
}

TEST(load_config, a_given_broker_needs_somebody_who_vouches) {
  EXPECT_EQ(
      load_file("[mqtt]\nbroker = \"tcp://b:1883\"\n").errors,
      texts{"F:2: mqtt.broker: a broker that is not ours needs mqtt.identity = \"plugin\" or \"acl\": without our "
            "plugin or access rules every device could speak for every user"});
  const auto out = load({"--mqtt.broker=ssl://b", "--mqtt.identity=acl"});
  EXPECT_EQ(out.errors, texts{});
  EXPECT_EQ(out.settings.mqtt.broker.address.port, 8883);
  EXPECT_EQ(out.settings.mqtt.profile, mqtt::broker_profile::generic);
  EXPECT_EQ(load({"--mqtt.identity=acl"}).warnings,
            texts{"--mqtt.identity: has no effect with mqtt.broker = \"embedded\""});
  // a wrong identity is told once, not twice
  EXPECT_EQ(load({"--mqtt.broker=tcp://b", "--mqtt.identity=none"}).errors.size(), 1u);
}

TEST(load_config, a_password_comes_from_one_place_and_is_never_shown) {
  const temporary_file secret("s3cret\nmore\n");
  const texts broker{"--mqtt.broker=tcp://b", "--mqtt.identity=acl", "--mqtt.username=u"};
  const auto with = [&](texts more) {
    more.insert(more.begin(), broker.begin(), broker.end());
    return load(more);
  };
  EXPECT_EQ(with({"--mqtt.password_file", secret.path}).settings.mqtt.password, "s3cret");
  EXPECT_EQ(with({"--mqtt.password_file", secret.path, "--mqtt.password=x"}).errors,
            texts{"--mqtt.password_file: expected either mqtt.password or mqtt.password_file"});
  EXPECT_EQ(
      with({"--mqtt.password_file=/nonexistent"}).errors,
      texts{"--mqtt.password_file: expected a readable file with a password in its first line, got \"/nonexistent\""});
  EXPECT_EQ(load({"--mqtt.broker=tcp://b", "--mqtt.identity=acl", "--mqtt.password=x"}).errors,
            texts{"--mqtt.password: expected mqtt.username with it"});
  const auto wrong = with({"--mqtt.password=hush\x01"});
  ASSERT_EQ(wrong.errors.size(), 1u);
  EXPECT_EQ(wrong.errors[0].find("hush"), std::string::npos);
}

TEST(load_config, dev_turns_on_what_was_not_said) {
  const auto out = load({"--dev", "--chat.enable_direct_messages=false"});
  EXPECT_EQ(out.errors, texts{});
  EXPECT_TRUE(out.settings.chat.enable_rooms_management);
  EXPECT_TRUE(out.settings.chat.enable_userlist_updates);
  EXPECT_FALSE(out.settings.chat.enable_direct_messages);
  ASSERT_EQ(out.settings.rooms.size(), 1u);
  EXPECT_EQ(out.settings.rooms[0].name.str(), "default");
  EXPECT_TRUE(out.settings.rooms[0].settings.enable_userlist_updates);
  EXPECT_EQ(out.warnings,
            texts{"auth.dev: whoever connects from 127.0.0.0/8, ::1/128 can log in as anybody, by name alone"});
  EXPECT_TRUE(load({}, {{"ROOMBUS_AUTH__DEV", "true"}}).settings.chat.enable_rooms_management);
}

TEST(load_config, dev_limits_who_is_let_in) {
  EXPECT_TRUE(load({"--dev"}).settings.auth.dev_list().contains("127.0.0.1"));
  const auto out =
      load({"--dev", "--http.listen=0.0.0.0:8000", "--auth.dev_networks=10.83.64.1", "--mqtt.broker=none"});
  EXPECT_EQ(out.errors, texts{});
  EXPECT_EQ(out.warnings.size(), 2u);
  EXPECT_TRUE(out.settings.auth.dev_list().contains("10.83.64.1"));
  EXPECT_FALSE(out.settings.auth.dev_list().contains("127.0.0.1"));
  EXPECT_EQ(
      load({"--dev", "--mqtt.listen=0.0.0.0:1883"}).errors,
      texts{"--mqtt.listen: expected a loopback address with auth.dev, got \"0.0.0.0:1883\": the embedded broker would "
            "let any machine be any user"});
  EXPECT_EQ(load({"--mqtt.listen=0.0.0.0:1883"}).errors, texts{});
}

TEST(load_config, listeners_differ) {
  EXPECT_EQ(load({"--http.listen=127.0.0.1:1883"}).errors,
            texts{"mqtt.listen: expected another address than http.listen (127.0.0.1:1883)"});
  EXPECT_EQ(load({"--http.listen=127.0.0.1:1883", "--mqtt.broker=none"}).errors, texts{});
  EXPECT_EQ(load({"--http.listen=h:0", "--admin.listen=h:0", "--mqtt.listen=h:0"}).errors, texts{});
}

TEST(load_config, rooms_have_the_state_of_add_room) {
  const auto out = load_file(R"(
[[room]]
name = "kitchen"
owner = "ann"
adminlist = ["bob"]
whitelist = ["eve", "dan"]
blacklist = ["mallory"]
whitelist_only = true
history_max_size = 7
enable_access_lists_updates = false
[[room]]
name = "hall"
[chat]
history_max_size = 5
enable_access_lists_updates = true
)");
  ASSERT_EQ(out.errors, texts{});
  ASSERT_EQ(out.settings.rooms.size(), 2u);
  const auto& kitchen = out.settings.rooms[0];
  EXPECT_EQ(kitchen.name.str(), "kitchen");
  EXPECT_EQ(kitchen.settings.owner, user_name("ann"));
  EXPECT_EQ(kitchen.settings.adminlist, std::vector<user_name>{user_name("bob")});
  EXPECT_EQ(kitchen.settings.whitelist, (std::vector<user_name>{user_name("eve"), user_name("dan")}));
  EXPECT_EQ(kitchen.settings.blacklist, std::vector<user_name>{user_name("mallory")});
  EXPECT_TRUE(kitchen.settings.whitelist_only);
  EXPECT_EQ(kitchen.settings.history_max_size, 7u);
  EXPECT_FALSE(kitchen.settings.enable_access_lists_updates);
  const auto& hall = out.settings.rooms[1].settings;
  EXPECT_FALSE(hall.owner);
  EXPECT_EQ(hall.history_max_size, 5u);
  EXPECT_TRUE(hall.enable_access_lists_updates);
}

TEST(load_config, wrong_rooms) {
  struct row {
    const char* file;
    texts errors;
  };
  for (const row& r : {
           row{"[[room]]\nowner = \"x\"\n", {"F:1: [[room]]: expected a name"}},
           row{"[[room]]\nname = \"a:b\"\n",
               {"F:2: room.name: expected a room name (not empty, without : { } and control characters), got \"a:b\""}},
           row{"[[room]]\nname = \"a\"\nonwer = \"x\"\n", {"F:3: room.onwer: no such key; did you mean room.owner?"}},
           row{"[[room]]\nname = \"a\"\n[[room]]\nname = \"a\"\n",
               {"F:3: [[room]] \"a\": the name is already taken by a [[room]] before"}},
           row{"[[room]]\nname = \"a\"\nblacklist = [\"b\", \"\"]\n",
               {"F:3: room.blacklist: expected a list of user names, got [\"b\", \"\"]"}},
           row{"[limits]\nname_bytes = 2\n[[room]]\nname = \"abc\"\n",
               {"F:3: [[room]] \"abc\": expected a name of at most 2 bytes of UTF-8"}},
           row{"[chat]\nroom_list_size_limit = 1\n[[room]]\nname = \"a\"\nwhitelist = [\"b\", \"c\"]\n",
               {"F:3: [[room]] \"a\": whitelist: expected at most 1 names (chat.room_list_size_limit)"}},
       }) {
    EXPECT_EQ(load_file(r.file).errors, r.errors);
  }
}

TEST(load_config, check_config_wants_a_file) {
  const texts args{"check-config"};
  EXPECT_EQ(load_config(args, {}).errors, texts{"check-config: expected --config FILE"});
}

TEST(load_config, help_reads_nothing) {
  const texts args{"--help"};
  const auto out = load_config(args, {{"ROOMBUS_HTTP__PAGE", "1"}});
  EXPECT_EQ(out.command, program_command::help);
  EXPECT_EQ(out.errors, texts{});
}

TEST(load_config, the_environment_of_a_process) {
  const char* variables[] = {"A=1", "B=x=y", "broken", "C=", nullptr};
  EXPECT_EQ(read_environment(variables), (environment_list{{"A", "1"}, {"B", "x=y"}, {"C", ""}}));
}

}  // namespace
}  // namespace roombus::server
