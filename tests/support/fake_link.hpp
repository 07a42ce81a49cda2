#pragma once

// A broker of one bridge, in memory: it keeps what is published, and delivers what a test says a device published.

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bridge/mqtt/mqtt_link.hpp"
#include "bridge/mqtt/topic.hpp"

namespace roombus::test {

class fake_link final : public mqtt::mqtt_link {
 public:
  void start(std::vector<mqtt::subscription> subscriptions, mqtt::link_handlers handlers) override {
    subscriptions_ = std::move(subscriptions);
    handlers_ = std::move(handlers);
  }

  void publish(mqtt::outgoing_message message, std::function<void(mqtt::publish_outcome)> done) override {
    const mqtt::publish_outcome outcome = up_ ? answer : mqtt::publish_outcome::dropped;
    if (outcome == mqtt::publish_outcome::done) published.push_back(std::move(message));
    if (done) done(outcome);
  }

  void fence(std::function<void()> passed) override {
    if (holds_fences) {
      fences.push_back(std::move(passed));
    } else {
      passed();
    }
  }

  void subscribe(mqtt::subscription wanted, std::function<void(bool)> done) override {
    if (up_) {
      const bool taken = !refuse_subscriptions;
      if (taken) kept_.push_back(std::move(wanted));
      if (done) done(taken);
    } else {
      waiting_.emplace_back(std::move(wanted), std::move(done));
    }
  }
  void unsubscribe(const std::string& filter) override {
    std::erase_if(kept_, [&](const mqtt::subscription& s) { return s.filter == filter; });
    for (auto& [wanted, done] : waiting_) {
      if (wanted.filter == filter && done) std::exchange(done, nullptr)(false);
    }
    std::erase_if(waiting_, [&](const auto& w) { return w.first.filter == filter; });
  }

  [[nodiscard]] bool is_up() const override { return up_; }
  [[nodiscard]] std::size_t in_flight() const override { return 0; }

  void stop(std::chrono::milliseconds limit, std::function<void()> stopped) override {
    stop_limit = limit;
    up_ = false;
    stopped();
  }

  void go_up() {
    up_ = true;
    for (auto& [wanted, done] : std::exchange(waiting_, {}))
      subscribe(std::move(wanted), std::move(done));
    handlers_.on_up();
  }
  void go_down() {
    up_ = false;
    handlers_.on_down("test");
  }

  /// Delivers a message if a subscription selects it, and answers whether one did.
  bool deliver(mqtt::received_message message) {
    for (const auto* list : {&subscriptions_, &kept_}) {
      for (const mqtt::subscription& s : *list) {
        if (!mqtt::topic_matches(s.filter, message.topic)) continue;
        handlers_.on_message(std::move(message));
        return true;
      }
    }
    return false;
  }
  /// Delivers a message that no subscription needs to select, as a faulty broker may.
  void deliver_anyway(mqtt::received_message message) { handlers_.on_message(std::move(message)); }

  /// What was published since the last call.
  std::vector<mqtt::outgoing_message> take() { return std::exchange(published, {}); }

  [[nodiscard]] const std::vector<mqtt::subscription>& subscriptions() const { return subscriptions_; }

  /// Those made by `subscribe`.
  [[nodiscard]] const std::vector<mqtt::subscription>& kept() const { return kept_; }

  std::vector<mqtt::outgoing_message> published;
  bool refuse_subscriptions = false;
  bool holds_fences = false;
  std::vector<std::function<void()>> fences;
  mqtt::publish_outcome answer = mqtt::publish_outcome::done;
  std::chrono::milliseconds stop_limit{-1};

 private:
  std::vector<mqtt::subscription> subscriptions_;
  std::vector<mqtt::subscription> kept_;
  std::vector<std::pair<mqtt::subscription, std::function<void(bool)>>> waiting_;
  mqtt::link_handlers handlers_;
  bool up_ = false;
};

}  // namespace roombus::test
