#include "bridge/server/moving_link.hpp"

#include <utility>

namespace roombus::server {

void moving_link::move_to(std::unique_ptr<mqtt::mqtt_link> link) {
  const bool was_up = is_up();
  link_ = std::move(link);
  if (was_up) went_down("the broker has moved");
  if (started_) start_current();
}

void moving_link::start(std::vector<mqtt::subscription> subscriptions, mqtt::link_handlers handlers) {
  subscriptions_ = std::move(subscriptions);
  handlers_ = std::move(handlers);
  started_ = true;
  if (link_) start_current();
}

void moving_link::went_down(std::string_view reason) {
  for (const link_tap& tap : taps_) {
    if (tap.on_down) tap.on_down(reason);
  }
  if (handlers_.on_down) handlers_.on_down(reason);
}

void moving_link::received(mqtt::received_message message) {
  for (const link_tap& tap : taps_) {
    if (tap.take && tap.take(message)) return;
  }
  if (handlers_.on_message) handlers_.on_message(std::move(message));
}

void moving_link::start_current() {
  mqtt::link_handlers handlers;
  handlers.on_up = [this] {
    for (const link_tap& tap : taps_) {
      if (tap.on_up) tap.on_up();
    }
    if (tell_up_) tell_up_();
    if (handlers_.on_up) handlers_.on_up();
  };
  handlers.on_down = [this](std::string_view reason) { went_down(reason); };
  handlers.on_message = [this](mqtt::received_message message) { received(std::move(message)); };
  link_->start(subscriptions_, std::move(handlers));
  std::vector<std::pair<std::string, std::uint64_t>> open;
  for (const auto& [filter, k] : kept_) {
    if (k.waiting.empty()) link_->subscribe(k.what, {});
    for (const auto& [request, done] : k.waiting)
      open.emplace_back(filter, request);
  }
  for (const auto& [filter, request] : open)
    ask_for(filter, request);
}

void moving_link::publish(mqtt::outgoing_message message, std::function<void(mqtt::publish_outcome)> done) {
  if (link_) {
    link_->publish(std::move(message), std::move(done));
  } else if (done) {
    loop_.post([done = std::move(done)] { done(mqtt::publish_outcome::dropped); });
  }
}

void moving_link::fence(std::function<void()> passed) {
  if (!link_) return passed();
  link_->fence(std::move(passed));
}

void moving_link::subscribe(mqtt::subscription wanted, std::function<void(bool)> done) {
  if (!done) done = [](bool) {};
  const auto known = kept_.find(wanted.filter);
  if (known == kept_.end() && kept_.size() >= max_subscriptions) {
    return loop_.post([done = std::move(done)] { done(false); });
  }
  const std::string filter = wanted.filter;
  kept& k = kept_[filter];
  if (known == kept_.end()) k.what = std::move(wanted);
  k.waiting.emplace(++last_request_, std::move(done));
  if (link_ && started_) ask_for(filter, last_request_);
}

void moving_link::ask_for(const std::string& filter, std::uint64_t request) {
  link_->subscribe(kept_.at(filter).what,
                   [this, filter, request](bool acknowledged) { settle(filter, request, acknowledged); });
}

void moving_link::settle(const std::string& filter, std::uint64_t request, bool acknowledged) {
  const auto it = kept_.find(filter);
  if (it == kept_.end()) return;
  const auto waiting = it->second.waiting.find(request);
  if (waiting == it->second.waiting.end()) return;  // it was ended, and perhaps begun again
  const auto done = std::move(waiting->second);
  it->second.waiting.erase(waiting);
  if (!acknowledged && it->second.waiting.empty()) kept_.erase(it);
  done(acknowledged);
}

void moving_link::unsubscribe(const std::string& filter) {
  const auto it = kept_.find(filter);
  if (it == kept_.end()) return;
  for (auto& [request, done] : it->second.waiting)
    loop_.post([done = std::move(done)] { done(false); });
  kept_.erase(it);
  if (link_ && started_) link_->unsubscribe(filter);
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
