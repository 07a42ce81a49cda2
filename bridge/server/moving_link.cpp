#include "bridge/server/moving_link.hpp"

#include <utility>

namespace roombus::server {

void moving_link::move_to(std::unique_ptr<mqtt::mqtt_link> link) {
  const bool was_up = is_up();
  link_ = std::move(link);
  if (was_up && handlers_.on_down) handlers_.on_down("the broker has moved");
  if (started_) start_current();
}

void moving_link::start(std::vector<mqtt::subscription> subscriptions, mqtt::link_handlers handlers) {
  subscriptions_ = std::move(subscriptions);
  handlers_ = std::move(handlers);
  started_ = true;
  if (link_) start_current();
}

void moving_link::start_current() {
  mqtt::link_handlers handlers = handlers_;
  handlers.on_up = [this] {
    if (tell_up_) tell_up_();
    if (handlers_.on_up) handlers_.on_up();
  };
  link_->start(subscriptions_, std::move(handlers));
}

void moving_link::publish(mqtt::outgoing_message message, std::function<void(mqtt::publish_outcome)> done) {
  if (link_) {
    link_->publish(std::move(message), std::move(done));
  } else if (done) {
    loop_.post([done = std::move(done)] { done(mqtt::publish_outcome::dropped); });
  }
}

void moving_link::stop(std::chrono::milliseconds limit, std::function<void()> stopped) {
  started_ = false;
  if (link_) {
    link_->stop(limit, std::move(stopped));
  } else {
    loop_.post(std::move(stopped));
  }
}

}  // namespace roombus::server
