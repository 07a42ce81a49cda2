#include "bridge/server/mqtt_side.hpp"

#include <utility>

#include "bridge/paho/paho_link.hpp"
#include "bridge/server/broker_plugin.hpp"

namespace roombus::server {

namespace {

mqtt::bridge_options options_of(const config& settings) {
  const config::mqtt_section& section = settings.mqtt;
  mqtt::bridge_options options;
  options.prefix = section.prefix;
  options.profile = section.profile;
  options.mode = section.delivery == delivery_kind::broker  ? mqtt::delivery::broker
                 : section.delivery == delivery_kind::inbox ? mqtt::delivery::inbox
                                                            : mqtt::delivery::automatic;
  options.max_topic = section.max_topic;
  options.payload = settings.payload;
  options.times.offline_grace = std::chrono::milliseconds(section.offline_grace);
  options.times.idle_timeout = std::chrono::milliseconds(section.idle_timeout);
  options.times.reconnect_grace = std::chrono::milliseconds(section.reconnect_grace);
  // the embedded broker runs without persistence: a birth that it still has is not older than itself
  options.births_are_fresh = section.broker.kind == broker_kind::embedded;
  return options;
}

std::unique_ptr<mosquitto::mosquitto_process> embedded_broker(const config& settings,
                                                              const mqtt_side::environment& env) {
  if (settings.mqtt.broker.kind != broker_kind::embedded) return nullptr;
  mosquitto::process_options options;
  options.device_address = settings.mqtt.listen.host;
  options.device_port = settings.mqtt.listen.port;
  options.dev = settings.auth.dev;
  options.prefix = settings.mqtt.prefix;
  if (settings.mqtt.admin) options.admins = settings.mqtt.admins;
  options.workers = settings.hooks.mqtt.workers;
  options.plugin = find_broker_plugin(settings.mqtt.plugin);
  options.logins = device_logins_of(settings);
  options.login_files_interval = settings.auth.logins.reload_interval;
  if (!options.dev && options.plugin.empty() && !options.logins.empty()) {
    env.log.write(roombus::log_level::warning, "no_device_logins",
                  "the embedded broker has no plugin (mqtt.plugin), which would let devices in: they will be refused");
  }
  return std::make_unique<mosquitto::mosquitto_process>(std::move(options), env.timers, env.random, env.log,
                                                        env.metrics);
}

std::unique_ptr<mqtt::mqtt_admin> server_api(const config& settings, mqtt::mqtt_link& link,
                                             std::function<bool(std::string_view)> serves,
                                             const mqtt_side::environment& env) {
  if (!settings.mqtt.admin) return nullptr;
  mqtt::mqtt_admin_options options;
  options.prefix = settings.mqtt.prefix;
  options.profile = settings.mqtt.profile;
  options.users = settings.mqtt.admins;
  options.payload = settings.payload;
  options.max_topic = settings.mqtt.max_topic;
  options.serves = std::move(serves);
  return std::make_unique<mqtt::mqtt_admin>(
      std::move(options), mqtt::mqtt_admin::environment{env.chat, link, settings.admin.keys, env.log, env.metrics});
}

constexpr std::size_t max_hook_answer = 1'000'000;  // bytes

std::unique_ptr<mqtt::mqtt_hook_caller> hook_calls(const config& settings, const std::string& instance,
                                                   mqtt::mqtt_link& link, const mqtt_side::environment& env) {
  const mqtt_hooks_section& section = settings.hooks.mqtt;
  if (section.hooks.empty()) return nullptr;
  mqtt::mqtt_hook_options options;
  options.prefix = settings.mqtt.prefix;
  options.instance = instance;
  options.timeout = std::chrono::milliseconds(section.timeout_ms);
  options.max_pending = section.max_pending;
  options.encoding = section.encoding;
  options.answer = settings.payload;
  options.answer.max_bytes = max_hook_answer;
  return std::make_unique<mqtt::mqtt_hook_caller>(
      std::move(options), mqtt::mqtt_hook_caller::environment{link, env.timers, env.random, env.metrics});
}

}  // namespace

mqtt::bridge_options mqtt_side::bridge_options_of(const config& settings) {
  mqtt::bridge_options options = options_of(settings);
  options.plugin = plugin_options_of(settings, broker_ && !find_broker_plugin(settings.mqtt.plugin).empty(),
                                     env_.chat.instance(), random_hex(env_.random, 8));
  if (settings.is_shared()) {
    options.plugin.verify = [this](std::function<void(bool)> then) {
      if (verify_) return verify_(std::move(then));
      then(true);
    };
  }
  const auto subscribe = [&options](const std::vector<mqtt::subscription>& more) {
    options.extra_subscriptions.insert(options.extra_subscriptions.end(), more.begin(), more.end());
  };
  if (admin_) subscribe(admin_->subscriptions());
  if (hook_calls_) subscribe(hook_calls_->subscriptions());
  options.on_extra = [this](mqtt::received_message& message) {
    return (hook_calls_ && hook_calls_->take(message)) || (admin_ && admin_->take(message));
  };
  return options;
}

mqtt_side::mqtt_side(const config& settings, const std::string& instance, environment env)
    : settings_(settings),
      client_id_(settings.mqtt.client_id.empty() ? "roombus-" + instance + '-' + random_hex(env.random, 8)
                                                 : settings.mqtt.client_id),
      env_(env),
      device_address_(settings.mqtt.broker.kind == broker_kind::embedded ? settings.mqtt.listen
                                                                         : settings.mqtt.broker.address),
      broker_(embedded_broker(settings, env)),
      link_(env.timers),
      admin_(server_api(
          settings, link_, [this](std::string_view device) { return !serves_ || serves_(device); }, env)),
      hook_calls_(hook_calls(settings, instance, link_, env)),
      bridge_(bridge_options_of(settings),
              mqtt::bridge::environment{env.chat, link_, env.timers, env.time, env.log, env.metrics}) {}

void mqtt_side::connect_to(const std::string& uri, const std::string& username, const std::string& password) {
  if (uri == uri_) return;  // the link finds its way back by itself
  uri_ = uri;
  mqtt::paho_options options;
  options.uri = uri;
  options.client_id = client_id_;
  options.username = username;
  options.password = password;
  options.ca_file = settings_.mqtt.ca_file;
  const bool mqtt5 = mqtt::traits_of(settings_.mqtt.profile).mqtt5;
  options.version = mqtt5 ? mqtt::protocol_version::v5 : mqtt::protocol_version::v3_1_1;
  // a single instance: the broker keeps for us what devices send while the link is down; of several, another one has
  // long been serving them (design §3)
  options.clean_start = settings_.is_shared();
  options.session_expiry = std::chrono::minutes(settings_.is_shared() ? 0 : 10);
  link_.move_to(mqtt::make_paho_link(std::move(options), env_.timers, env_.random, env_.log, env_.metrics));
}

void mqtt_side::start(std::function<void()> up, std::function<void(const std::string&)> failed) {
  link_.on_up([this, up = std::move(up)] {
    up();
    if (admin_) admin_->link_up();
  });
  bridge_.start();
  if (!broker_) {
    const std::string scheme = settings_.mqtt.broker.kind == broker_kind::ssl ? "ssl://" : "tcp://";
    connect_to(scheme + settings_.mqtt.broker.address.str(), settings_.mqtt.username, settings_.mqtt.password);
    return;
  }
  mosquitto::process_handlers handlers;
  handlers.on_ready = [this](const mosquitto::broker_address& address) {
    device_address_.port = address.device_port;
    connect_to(address.bridge_uri, address.username, address.password);
  };
  handlers.on_down = [this](std::string_view reason) {
    env_.log.write(roombus::log_level::error, "broker_down", reason);
  };
  handlers.on_failed = [failed = std::move(failed)](std::string_view reason) {
    failed("the embedded broker did not start: " + std::string(reason));
  };
  broker_->start(std::move(handlers));
}

void mqtt_side::stop(std::chrono::milliseconds limit, std::function<void()> stopped) {
  bridge_.stop(limit, [this, stopped = std::move(stopped)] {
    if (broker_) {
      broker_->stop(stopped);
    } else {
      stopped();
    }
  });
}

}  // namespace roombus::server
