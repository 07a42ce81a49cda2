#include "bridge/server/load_config.hpp"

#include <algorithm>
#include <fstream>

#include "adapters/hooks/hook_url.hpp"
#include "adapters/net/tls_context.hpp"
#include "adapters/redis/redis_url.hpp"
#include "bridge/server/admin_keys.hpp"
#include "bridge/server/config_sources.hpp"

namespace roombus::server {

namespace {

constexpr std::size_t max_password_bytes = 4096;

// What follows from the keys together, and what they must not be together.
class finisher {
 public:
  finisher(config_result& out, config_sources& sources) : out_(out), c_(out.settings), sources_(sources) {}

  void imply_dev() {
    if (!c_.auth.dev) return;
    const auto turn_on = [&](const char* path, bool& place) {
      if (!sources_.was_set(path)) place = true;
    };
    if (!sources_.was_set("store.kind")) c_.store.kind = store_kind::memory;
    // with the plugin a device is there only while its client is: single calls of mosquitto_pub would join for a moment
    if (!sources_.was_set("mqtt.plugin")) c_.mqtt.plugin = "none";
    turn_on("chat.enable_rooms_management", c_.chat.enable_rooms_management);
    turn_on("chat.enable_direct_messages", c_.chat.enable_direct_messages);
    turn_on("chat.enable_userlist_updates", c_.chat.enable_userlist_updates);
  }

  void add_default_room() {
    if (!c_.auth.dev || !c_.rooms.empty()) return;
    room_entry room;
    room.name = room_name("default");
    room.settings.history_max_size = c_.chat.history_max_size;
    room.settings.enable_access_lists_updates = c_.chat.enable_access_lists_updates;
    room.settings.enable_userlist_updates = c_.chat.enable_userlist_updates;
    c_.rooms.push_back(std::move(room));
  }

  void check() {
    check_listeners();
    check_broker();
    check_password();
    check_dev();
    check_store();
    check_tls();
    check_admin();
    finish_hooks(c_.hooks, c_.mqtt.broker.kind != broker_kind::none,
                 [this](const char* path, const std::string& why) { fail(path, why); });
    warn_of_shared_calls();
    if (sources_.usable({"chat.heartbeat_rate", "chat.heartbeat_timeout"}) &&
        c_.chat.heartbeat_timeout <= c_.chat.heartbeat_rate) {
      fail("chat.heartbeat_timeout",
           "expected more than chat.heartbeat_rate (" + std::to_string(c_.chat.heartbeat_rate.count()) + " ms)");
    }
  }

 private:
  void fail(const std::string& path, const std::string& why) {
    out_.errors.push_back(sources_.origin(path) + ": " + why);
  }

  [[nodiscard]] bool embedded() const { return c_.mqtt.broker.kind == broker_kind::embedded; }
  [[nodiscard]] bool given_broker() const {
    return c_.mqtt.broker.kind == broker_kind::tcp || c_.mqtt.broker.kind == broker_kind::ssl;
  }

  void check_listeners() {
    if (!sources_.usable({"http.listen", "admin.listen", "mqtt.listen", "mqtt.broker"})) return;
    const auto differ = [&](const char* path, const endpoint& one, const char* other_path, const endpoint& other) {
      if (one.port != 0 && one == other) {
        fail(path, "expected another address than " + std::string(other_path) + " (" + other.str() + ")");
      }
    };
    differ("admin.listen", c_.admin.listen, "http.listen", c_.http.listen);
    if (!embedded()) return;
    differ("mqtt.listen", c_.mqtt.listen, "http.listen", c_.http.listen);
    differ("mqtt.listen", c_.mqtt.listen, "admin.listen", c_.admin.listen);
  }

  void check_broker() {
    if (!sources_.usable({"mqtt.broker", "mqtt.identity", "mqtt.profile"})) return;
    if (embedded() && !sources_.was_set("mqtt.profile")) c_.mqtt.profile = mqtt::broker_profile::mosquitto;
    if (given_broker() && c_.mqtt.identity == identity_kind::none) {
      fail("mqtt.broker",
           "a broker that is not ours needs mqtt.identity = \"plugin\" or \"acl\": without our plugin or access rules "
           "every device could speak for every user");
    }
    if (sources_.was_set("mqtt.client_ids") && (!embedded() || c_.mqtt.plugin == "none" || c_.auth.dev)) {
      out_.warnings.push_back(sources_.origin("mqtt.client_ids") +
                              ": has no effect but with the plugin of the embedded broker (mqtt.plugin), and none with "
                              "auth.dev");
    }
    for (const char* path : {"mqtt.username", "mqtt.password", "mqtt.password_file", "mqtt.ca_file", "mqtt.identity"}) {
      if (!given_broker() && sources_.was_set(path)) {
        out_.warnings.push_back(sources_.origin(path) + ": has no effect with mqtt.broker = \"" + c_.mqtt.broker.str() +
                                "\"");
      }
    }
  }

  void check_password() {
    auto& m = c_.mqtt;
    if (!m.password.empty() && !m.password_file.empty()) {
      fail("mqtt.password_file", "expected either mqtt.password or mqtt.password_file");
      return;
    }
    if (!m.password_file.empty() && given_broker()) {
      std::ifstream in(m.password_file);
      std::getline(in, m.password);
      if (!m.password.empty() && m.password.back() == '\r') m.password.pop_back();
      if (m.password.empty() || m.password.size() > max_password_bytes) {
        fail("mqtt.password_file",
             "expected a readable file with a password in its first line, got \"" + m.password_file + "\"");
      }
    }
    if (!m.password.empty() && m.username.empty() && given_broker() && sources_.usable({"mqtt.username"})) {
      fail(m.password_file.empty() ? "mqtt.password" : "mqtt.password_file", "expected mqtt.username with it");
    }
  }

  void check_store() {
    for (const char* path : {"store.path", "store.sync"}) {
      if (c_.store.kind != store_kind::sqlite && sources_.was_set(path)) {
        out_.warnings.push_back(sources_.origin(path) + ": has no effect without store.kind = \"sqlite\"");
      }
    }
    for (const char* path :
         {"store.redis", "store.cluster", "store.prefix", "store.replicas", "store.replica_timeout", "store.timeout"}) {
      if (c_.store.kind != store_kind::redis && sources_.was_set(path)) {
        out_.warnings.push_back(sources_.origin(path) + ": has no effect without store.kind = \"redis\"");
      }
    }
    if (c_.store.kind != store_kind::redis || !sources_.usable({"store.redis", "store.cluster"})) return;
    const auto urls = redis::redis_url::parse_list(c_.store.redis);
    if (!c_.store.cluster && urls && urls->size() > 1) {
      fail("store.redis", "expected one Redis, or store.cluster = true for several nodes of a cluster");
    }
    if (c_.store.cluster && urls && urls->front().database != 0) {
      fail("store.redis", "expected no database number: a cluster has only 0");
    }
    if (urls &&
        std::any_of(urls->begin(), urls->end(), [&](const auto& url) { return url.tls != urls->front().tls; })) {
      fail("store.redis", "expected either redis:// or rediss:// for all nodes");
    }
  }

  void check_tls() {
    if (sources_.usable({"store.kind", "store.redis"})) {
      const auto urls = redis::redis_url::parse_list(c_.store.redis);
      const bool used = c_.store.kind == store_kind::redis && urls && urls->front().tls;
      check_tls_files(c_.store.redis_tls, used, "store.redis_", "store.redis = \"rediss://...\"");
    }
    if (sources_.usable({"hooks.http.url"})) {
      const auto url = hooks::hook_url::parse(c_.hooks.http.url);
      check_tls_files(c_.hooks.http.tls, url && url->tls, "hooks.http.", "hooks.http.url = \"https://...\"");
    }
  }

  /// `keys`: what the keys of the files begin with.
  void check_tls_files(const net::tls_options& files, bool used, const std::string& keys, const char* condition) {
    const auto warn = [this](const std::string& path, const std::string& why) {
      if (sources_.was_set(path)) out_.warnings.push_back(sources_.origin(path) + ": has no effect without " + why);
    };
    if (!used) {
      for (const char* name : {"ca_file", "cert_file", "key_file"})
        warn(keys + name, condition);
      return;
    }
    if (files.cert_file.empty()) warn(keys + "key_file", keys + "cert_file");
    const net::opened_tls_context opened = net::open_tls_context(files);
    if (opened.context) return;
    const bool key_given = opened.part == net::tls_part::key && !files.key_file.empty();
    const char* wrong = opened.part == net::tls_part::trust ? "ca_file" : key_given ? "key_file" : "cert_file";
    fail(keys + wrong, opened.error);
  }

  void check_dev() {
    if (!c_.auth.dev || !sources_.usable({"mqtt.broker", "mqtt.listen", "http.listen", "auth.dev_networks"})) return;
    std::string networks;
    for (const auto& network : c_.auth.dev_networks)
      networks += (networks.empty() ? "" : ", ") + network;
    out_.warnings.push_back("auth.dev: whoever connects from " + (networks.empty() ? "nowhere" : networks) +
                            " can log in as anybody, by name alone");
    if (!c_.http.listen.is_loopback()) {
      out_.warnings.push_back(sources_.origin("http.listen") + ": " + c_.http.listen.str() +
                              " can be reached from other machines; clients outside auth.dev_networks are refused");
    }
    if (embedded() && !c_.mqtt.listen.is_loopback()) {
      fail("mqtt.listen", "expected a loopback address with auth.dev, got \"" + c_.mqtt.listen.str() +
                              "\": the embedded broker would let any machine be any user");
    }
  }

  void warn_of_shared_calls() {
    if (c_.hooks.mqtt.hooks.empty() || !sources_.usable({"mqtt.broker", "mqtt.identity", "mqtt.profile"})) return;
    if (!given_broker() || c_.mqtt.identity != identity_kind::acl ||
        c_.mqtt.profile != mqtt::broker_profile::mosquitto) {
      return;
    }
    out_.warnings.push_back(sources_.origin("hooks.mqtt.hooks") +
                            ": Mosquitto without our plugin lets every device into the shared subscription of the "
                            "workers, where calls get lost; docs/hooks.md says how to prevent it");
  }

  void check_admin() {
    if (sources_.usable({"admin.key", "admin.rooms_key", "admin.read_key"})) {
      for (const admin_key_problem& problem : read_admin_keys(c_.admin))
        fail(problem.path, problem.reason);
    }
    if (!sources_.usable({"mqtt.admin", "mqtt.admins", "mqtt.broker"})) return;
    const auto warn = [this](const char* path, const std::string& why) {
      out_.warnings.push_back(sources_.origin(path) + ": " + why);
    };
    if (c_.mqtt.admin && c_.mqtt.broker.kind == broker_kind::none) {
      warn("mqtt.admin", "has no effect with mqtt.broker = \"none\"");
    } else if (c_.mqtt.admin && embedded() && c_.mqtt.admins.empty()) {
      warn("mqtt.admin", "nobody can use it: the embedded broker lets only mqtt.admins through, and there are none");
    } else if (!c_.mqtt.admin && !c_.mqtt.admins.empty()) {
      warn("mqtt.admins", "has no effect without mqtt.admin = true");
    }
    const auto& logins = c_.auth.logins;
    const bool tokens = !logins.jwt.sources.secret.empty() || !logins.jwt.sources.secret_file.empty() ||
                        !logins.jwt.sources.public_key_file.empty() || !logins.jwt.sources.jwks_file.empty();
    if (!c_.mqtt.auth_key.empty() && logins.password.file.empty() && !tokens) {
      warn("mqtt.auth_key", "brokers that ask are told to let nobody in: there is neither auth.password nor auth.jwt");
    }
  }

  config_result& out_;
  config& c_;
  config_sources& sources_;
};

bool needs_configuration(program_command command) {
  return command == program_command::serve || command == program_command::check_config ||
         command == program_command::healthcheck;
}

}  // namespace

environment_list read_environment(const char* const* variables) {
  environment_list out;
  for (; variables != nullptr && *variables != nullptr; ++variables) {
    const std::string variable(*variables);
    const auto equals = variable.find('=');
    if (equals != std::string::npos) out.emplace_back(variable.substr(0, equals), variable.substr(equals + 1));
  }
  return out;
}

config_result load_config(std::span<const std::string> args, const environment_list& environment) {
  auto line = parse_command_line(args);
  config_result out;
  out.command = line.command;
  out.ready_file = std::move(line.ready_file);
  out.url = std::move(line.url);
  out.errors = std::move(line.errors);
  if (!needs_configuration(out.command)) return out;

  for (const auto& [name, text] : environment) {
    if (name == "ROOMBUS_CONFIG" && line.config_file.empty()) line.config_file = text;
  }
  if (out.command == program_command::check_config && line.config_file.empty() && out.errors.empty()) {
    out.errors.emplace_back("check-config: expected --config FILE");
  }
  config_sources sources(out.settings);
  file_content file;
  if (!line.config_file.empty()) file = read_config_file(line.config_file);
  sources.apply_file(file);
  sources.apply_environment(environment);
  sources.apply_flags(line.settings);
  finisher finish(out, sources);
  finish.imply_dev();
  sources.apply_rooms();
  finish.add_default_room();
  out.errors.insert(out.errors.end(), sources.errors.begin(), sources.errors.end());
  finish.check();
  return out;
}

}  // namespace roombus::server
