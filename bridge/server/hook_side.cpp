#include "bridge/server/hook_side.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "adapters/hooks/http_hook_caller.hpp"
#include "adapters/loop/event_loop.hpp"

namespace roombus::server {

namespace {

constexpr std::size_t max_answer = 1'000'000;  // bytes

remote_hooks_options options_of(const remote_hooks_section& section, std::string transport,
                                const std::string& instance) {
  remote_hooks_options options;
  options.transport = std::move(transport);
  options.instance = instance;
  options.hooks = section.hooks;
  options.on_failure = section.on_failure;
  for (const std::string& text : section.policy) {
    if (auto one = parse_hook_policy(text)) options.policy.insert(std::move(*one));
  }
  return options;
}

}  // namespace

hook_side::hook_side(const hooks_section& settings, const std::string& instance, const codec_limits& answers,
                     hook_caller* over_mqtt, environment env) {
  if (!settings.http.hooks.empty()) {
    hooks::http_hook_options options;
    options.url = hooks::hook_url::parse(settings.http.url).value();  // checked with the configuration
    if (options.url.tls) {
      net::opened_tls_context opened = net::open_tls_context(settings.http.tls);
      // the files were there when the configuration was checked
      if (!opened.context) throw std::runtime_error("hooks.http: " + opened.error);
      options.tls = std::move(opened.context);
    }
    options.timeout = std::chrono::milliseconds(settings.http.timeout_ms);
    options.max_connections = settings.http.max_connections;
    options.max_queue = settings.http.max_queue;
    options.encoding = settings.http.encoding;
    options.secret = settings.http.secret;
    options.answer = answers;
    options.answer.max_bytes = max_answer;
    over_http_ = std::make_unique<hooks::http_hook_caller>(
        std::move(options), hooks::http_hook_caller::environment{env.loop, env.time, env.metrics});
    http_hooks_ =
        std::make_unique<remote_hooks>(options_of(settings.http, "http", instance),
                                       remote_hooks::environment{*over_http_, env.time, env.log, env.metrics});
  }
  if (over_mqtt != nullptr && !settings.mqtt.hooks.empty()) {
    mqtt_hooks_ = std::make_unique<remote_hooks>(options_of(settings.mqtt, "mqtt", instance),
                                                 remote_hooks::environment{*over_mqtt, env.time, env.log, env.metrics});
  }
}

hook_side::~hook_side() = default;

service_hooks hook_side::hooks() {
  service_hooks all;
  if (http_hooks_) http_hooks_->add_to(all);
  if (mqtt_hooks_) mqtt_hooks_->add_to(all);
  return all;
}

}  // namespace roombus::server
