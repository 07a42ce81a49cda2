#include "bridge/hooks/mqtt_hook_caller.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::mqtt {

namespace {

/// The hook that people call who have no login: half of the places are for them, so that they cannot keep those from
/// being asked who are in, and whose messages are checked.
constexpr std::string_view hook_of_strangers = "onConnect";

task<hook_outcome> wait_for(completion<hook_outcome> done) {
  hook_outcome outcome = co_await done;
  co_return outcome;
}

hook_outcome outcome_of(const received_message& message, const codec_limits& limits) {
  if (message.payload.size() > limits.max_bytes) {
    return {hook_failure::too_large, "an answer of more than " + std::to_string(limits.max_bytes) + " bytes"};
  }
  const auto form = payload::detect(
      message.payload, message.content_type ? std::optional<std::string_view>(*message.content_type) : std::nullopt);
  if (!form) return {hook_failure::malformed, "neither JSON nor CBOR"};
  auto answer =
      *form == payload::encoding::json ? json::read(message.payload, limits) : cbor::read(message.payload, limits);
  if (!answer) return {hook_failure::malformed, to_text(answer.error())};
  if (value_map* map = answer->if_map()) return {std::move(*map)};
  return {hook_failure::malformed, "no object"};
}

}  // namespace

class mqtt_hook_caller::impl : public std::enable_shared_from_this<impl> {
 public:
  impl(mqtt_hook_options options, environment env)
      : options_(std::move(options)),
        env_(env),
        call_base_(options_.prefix + "/hook/call/"),
        reply_base_(options_.prefix + "/hook/reply/" + options_.instance + "/"),
        ignored_(env.metrics.add_counter("roombus_mqtt_hook_replies_ignored_total",
                                         "Answers of hook workers that nobody waits for: late, repeated, forged.")) {}

  task<hook_outcome> call(const std::string& hook, value_map body) {
    pending_call c;
    const completion<hook_outcome> done = c.done;
    c.by_stranger = hook == hook_of_strangers;
    const bool full = pending_.size() >= options_.max_pending;
    if (full || (c.by_stranger && strangers_ >= std::max<std::size_t>(1, options_.max_pending / 2))) {
      done.complete(hook_outcome(hook_failure::overload,
                                 std::to_string(full ? pending_.size() : strangers_) + " calls wait already"));
      return wait_for(done);
    }
    if (c.by_stranger) ++strangers_;
    const std::string nonce = random_id(env_.random);
    body.set("replyTo", value(reply_base_ + nonce));
    outgoing_message message;
    message.topic = call_base_ + hook;
    message.payload = std::make_shared<const std::string>(payload::encode(value(std::move(body)), options_.encoding));
    message.level = qos::at_least_once;
    message.response_topic = reply_base_ + nonce;
    message.correlation_data = nonce;
    message.content_type = std::string(payload::content_type_of(options_.encoding));

    c.timer = env_.timers.after(options_.timeout, [weak = weak_from_this(), nonce] {
      if (auto self = weak.lock()) self->time_out(nonce);
    });
    pending_.emplace(nonce, std::move(c));
    env_.link.publish(std::move(message), [weak = weak_from_this(), nonce](publish_outcome outcome) {
      auto self = weak.lock();
      if (!self || outcome == publish_outcome::done) return;
      self->complete(nonce, hook_outcome(hook_failure::unreachable, outcome == publish_outcome::refused
                                                                        ? "the broker refused the message"
                                                                        : "no connection to the broker"));
    });
    return wait_for(done);
  }

  bool take(received_message& message) {
    if (!message.topic.starts_with(reply_base_)) return false;
    const std::string nonce = message.topic.substr(reply_base_.size());
    const bool wanted = !message.retained && pending_.contains(nonce) &&
                        (!message.correlation_data || *message.correlation_data == nonce);
    if (wanted) {
      complete(nonce, outcome_of(message, options_.answer));
    } else {
      ignored_.add();
    }
    return true;
  }

  [[nodiscard]] std::string reply_filter() const { return reply_base_ + "+"; }
  [[nodiscard]] std::size_t pending() const { return pending_.size(); }

  void shut_down() { pending_.clear(); }

 private:
  struct pending_call {
    completion<hook_outcome> done;
    timer_handle timer;
    bool by_stranger = false;
  };

  void complete(const std::string& nonce, hook_outcome outcome) {
    auto node = pending_.extract(nonce);
    if (node.empty()) return;
    if (node.mapped().by_stranger) --strangers_;
    node.mapped().timer.cancel();
    node.mapped().done.complete(std::move(outcome));
  }

  void time_out(const std::string& nonce) {
    complete(nonce, hook_outcome(hook_failure::timeout, "after " + std::to_string(options_.timeout.count()) + " ms"));
  }

  const mqtt_hook_options options_;
  environment env_;
  const std::string call_base_;
  const std::string reply_base_;
  counter& ignored_;
  std::unordered_map<std::string, pending_call> pending_;  // by nonce
  std::size_t strangers_ = 0;                              // of them
};

mqtt_hook_caller::mqtt_hook_caller(mqtt_hook_options options, environment env)
    : impl_(std::make_shared<impl>(std::move(options), env)) {
  env.metrics.add_gauge("roombus_hook_mqtt_waiting", "Calls of hooks that wait for a worker's answer.",
                        [weak = std::weak_ptr(impl_)] {
                          const auto alive = weak.lock();
                          return alive ? static_cast<double>(alive->pending()) : 0.0;
                        });
}

mqtt_hook_caller::~mqtt_hook_caller() {
  impl_->shut_down();
}

task<hook_outcome> mqtt_hook_caller::call(std::string hook, value_map body) {
  return impl_->call(hook, std::move(body));
}

std::vector<subscription> mqtt_hook_caller::subscriptions() const {
  return {{impl_->reply_filter(), qos::at_least_once, false}};
}

bool mqtt_hook_caller::take(received_message& message) {
  return impl_->take(message);
}

}  // namespace roombus::mqtt
