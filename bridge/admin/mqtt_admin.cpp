#include "bridge/admin/mqtt_admin.hpp"

#include <algorithm>
#include <deque>
#include <exception>
#include <optional>
#include <string_view>
#include <utility>

#include "bridge/admin/admin_topic.hpp"
#include "bridge/mqtt/topic.hpp"
#include "bridge/mqtt/topic_map.hpp"
#include "core/task.hpp"
#include "schemas/codec/batch_reply.hpp"
#include "schemas/codec/json.hpp"
#include "schemas/codec/payload.hpp"

namespace roombus::mqtt {

namespace {

constexpr std::size_t max_response_topic = 512;

roombus::reply failed(chat_error error) {
  return roombus::reply(std::move(error));
}

}  // namespace

/// Where the answer of one call goes.
struct answer_address {
  answer_address() = default;
  std::string topic;  ///< empty: nowhere
  std::optional<std::string> correlation_data;
  qos level = qos::at_most_once;
  wire form = wire::json;
};

class mqtt_admin::impl final : public std::enable_shared_from_this<mqtt_admin::impl> {
 public:
  impl(mqtt_admin_options options, environment env)
      : options_(std::move(options)),
        env_(env),
        calls_(env.metrics.add_counter("roombus_api_calls_total", "Calls of the server API.", "transport=\"mqtt\"")),
        failed_calls_(env.metrics.add_counter("roombus_api_failed_calls_total",
                                              "Calls that were answered with an error.", "transport=\"mqtt\"")),
        refused_keys_(env.metrics.add_counter("roombus_api_refused_keys_total",
                                              "Requests without a key, or with one that is not known.",
                                              "transport=\"mqtt\"")),
        ignored_(env.metrics.add_counter("roombus_api_ignored_total",
                                         "Messages to the server API that were no calls: wrong topic, retained, or too "
                                         "long.",
                                         "transport=\"mqtt\"")) {}

  [[nodiscard]] std::vector<subscription> subscriptions() const {
    // as the bridge's own requests: QoS 2 where the broker has it, no retained ones
    return {{options_.prefix + "/admin/call/#", traits_of(options_.profile).max_qos, false}};
  }

  void start() {
    observer_ = env_.chat.events().add([this](const operator_event& e) { publish_event(e); });
  }

  void detach() {
    env_.chat.events().remove(observer_);
    detached_ = true;
  }

  void link_up() {
    for (outgoing_message& message : std::exchange(waiting_, {}))
      env_.link.publish(std::move(message), {});
  }

  bool take(received_message& message) {
    if (!is_admin_call(message.topic, options_.prefix)) return false;
    const auto parsed = parse_admin_call(message.topic, options_.prefix, options_.profile);
    const bool too_long =
        message.topic.size() > options_.max_topic ||
        (message.correlation_data && message.correlation_data->size() > options_.max_correlation_data);
    if (!parsed || message.retained || too_long) {
      ignored_.add();
      env_.log.write(log_level::debug, "mqtt_api_ignored", message.topic.substr(0, 256));
      return true;
    }
    if (!serves(std::string(parsed->user) + "/" + std::string(parsed->client))) return true;
    calls_.add();
    const auto detected = payload::detect(message.payload, message.content_type);
    answer_address to = address_of(*parsed, message);
    to.form = detected.value_or(wire::json);
    run_call(*parsed, message, std::move(to));
    return true;
  }

 private:
  [[nodiscard]] bool serves(const std::string& device) const { return !options_.serves || options_.serves(device); }

  answer_address address_of(const admin_call_topic& topic, received_message& message) {
    answer_address to;
    to.level = std::min(message.level, qos::at_least_once);
    to.correlation_data = std::move(message.correlation_data);
    const std::string base = admin_reply_base(options_.prefix, topic);
    if (!topic.id.empty()) {
      to.topic = base + std::string(topic.id);
    } else if (message.response_topic && is_response_topic(*message.response_topic, base)) {
      to.topic = std::move(*message.response_topic);
    } else if (message.response_topic) {
      ignored_.add();
    }
    return to;
  }

  [[nodiscard]] bool is_response_topic(std::string_view topic, std::string_view base) const {
    if (topic.size() > std::min(max_response_topic, options_.max_topic) || !topic.starts_with(base)) return false;
    if (topic.size() == base.size() || !is_topic_name(topic) || has_disallowed_characters(topic)) return false;
    const std::string_view unsafe = traits_of(options_.profile).unsafe_in_responses;
    return unsafe.empty() || topic.find_first_of(unsafe) == std::string_view::npos;
  }

  void run_call(const admin_call_topic& topic, const received_message& message, answer_address to) {
    if (!options_.users.empty() &&
        std::find(options_.users.begin(), options_.users.end(), topic.user) == options_.users.end()) {
      return answer(to, failed(errc::not_allowed));
    }
    if (running_ >= options_.max_running) return answer(to, failed(errc::rate_limited));
    auto decoded = payload::decode_request(message.payload, message.content_type, options_.payload);
    if (!decoded) {
      if (decoded.error().code == codec_errc::too_large) return answer(to, failed(errc::payload_too_large));
      return answer(to, failed(chat_error(errc::bad_argument, {value(0), value(to_text(decoded.error()))})));
    }
    value_map* body = decoded->arguments.if_map();
    const value* key = body != nullptr ? body->find("key") : nullptr;
    const std::string* key_text = key != nullptr ? key->if_text() : nullptr;
    const std::optional<api_access> level = key_text != nullptr ? env_.keys.level_of(*key_text) : std::nullopt;
    if (!level) {
      refused_keys_.add();
      return answer(to, failed(errc::not_allowed));
    }
    for (const auto& [name, v] : *body) {
      if (name != "key" && name != "args") {
        return answer(to, failed(chat_error(errc::bad_argument, {value(0), value(name)})));
      }
    }
    value* given = body->find("args");
    value args = given != nullptr ? std::move(*given) : value();
    std::string method(topic.method);
    const api_access needed = needed_access(method, args);
    if (needed > *level) return answer(to, failed(errc::not_allowed));
    if (needed > api_access::read) {
      env_.log.write(log_level::info, "api_call",
                     method + " from mqtt#" + std::string(topic.user) + "/" + std::string(topic.client));
    }
    ++running_;
    execute(shared_from_this(), std::move(method), std::move(args), std::move(to)).detach();
  }

  static task<void> execute(std::shared_ptr<impl> self, std::string method, value args, answer_address to) {
    std::optional<roombus::reply> outcome;
    try {
      service& chat = self->env_.chat;
      outcome = co_await chat.call_api(method, std::move(args));
    } catch (const std::exception& e) {
      if (!self->detached_) self->env_.log.write(log_level::error, "api_fault", method + ": " + e.what());
    }
    --self->running_;
    if (self->detached_) co_return;
    if (!outcome) outcome = failed(chat_error(errc::internal_error, {value("the call failed")}));
    if (method == "batch") outcome = with_error_texts(std::move(*outcome));
    self->answer(to, *outcome);
  }

  void answer(const answer_address& to, const roombus::reply& outcome) {
    if (!outcome) failed_calls_.add();
    if (to.topic.empty()) return;
    outgoing_message message;
    message.topic = to.topic;
    message.payload = std::make_shared<const std::string>(payload::reply_payload(outcome, to.form));
    message.level = to.level;
    message.correlation_data = to.correlation_data;
    message.content_type = std::string(payload::content_type_of(to.form));
    env_.link.publish(std::move(message), {});
  }

  void publish_event(const operator_event& e) {
    // the one that all instances emit: whoever serves this name publishes it
    if (e.name == "clusterBus" && !serves("admin/events")) return;
    outgoing_message message;
    message.topic = options_.prefix + "/admin/events/" + std::string(e.name);
    message.payload = std::make_shared<const std::string>(json::write(value(e.data)));
    message.level = qos::at_least_once;
    message.content_type = std::string(payload::content_type_of(wire::json));
    if (env_.link.is_up()) return env_.link.publish(std::move(message), {});
    waiting_.push_back(std::move(message));
    if (waiting_.size() > options_.max_waiting_events) waiting_.pop_front();
  }

  const mqtt_admin_options options_;
  environment env_;
  std::deque<outgoing_message> waiting_;
  std::uint64_t observer_ = 0;
  std::size_t running_ = 0;
  bool detached_ = false;
  counter& calls_;
  counter& failed_calls_;
  counter& refused_keys_;
  counter& ignored_;
};

mqtt_admin::mqtt_admin(mqtt_admin_options options, environment env)
    : impl_(std::make_shared<impl>(std::move(options), env)) {
  impl_->start();
}

mqtt_admin::~mqtt_admin() {
  impl_->detach();
}

std::vector<subscription> mqtt_admin::subscriptions() const {
  return impl_->subscriptions();
}

void mqtt_admin::link_up() {
  impl_->link_up();
}

bool mqtt_admin::take(received_message& message) {
  return impl_->take(message);
}

}  // namespace roombus::mqtt
