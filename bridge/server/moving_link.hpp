#pragma once

#include <functional>
#include <memory>

#include "bridge/mqtt/mqtt_link.hpp"
#include "core/ports/environment.hpp"

namespace roombus::server {

/// A link whose broker may move: an embedded broker that was started again can have another private port. `move_to`
/// replaces the link beneath, with the subscriptions and handlers that `start` was given.
class moving_link final : public mqtt::mqtt_link {
 public:
  explicit moving_link(scheduler& loop) : loop_(loop) {}

  /// Uses `link` from now on; the one before is let go, what it had in flight counts as dropped.
  void move_to(std::unique_ptr<mqtt::mqtt_link> link);
  /// `fn` runs when the link is up, each time, before the bridge hears of it.
  void on_up(std::function<void()> fn) { tell_up_ = std::move(fn); }

  void start(std::vector<mqtt::subscription> subscriptions, mqtt::link_handlers handlers) override;
  void publish(mqtt::outgoing_message message, std::function<void(mqtt::publish_outcome)> done) override;
  [[nodiscard]] bool is_up() const override { return link_ && link_->is_up(); }
  [[nodiscard]] std::size_t in_flight() const override { return link_ ? link_->in_flight() : 0; }
  void stop(std::chrono::milliseconds limit, std::function<void()> stopped) override;

 private:
  void start_current();

  scheduler& loop_;
  std::unique_ptr<mqtt::mqtt_link> link_;
  std::function<void()> tell_up_;
  std::vector<mqtt::subscription> subscriptions_;
  mqtt::link_handlers handlers_;
  bool started_ = false;
};

}  // namespace roombus::server
