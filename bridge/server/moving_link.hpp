#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/mqtt/mqtt_link.hpp"
#include "core/ports/environment.hpp"

namespace roombus::server {

/// Somebody beside the bridge who uses the link, with subscriptions of his own. Anything may be empty.
struct link_tap {
  std::function<void()> on_up;
  std::function<void(std::string_view reason)> on_down;
  std::function<bool(mqtt::received_message&)> take;  ///< true: the message was for him, nobody else gets it
};

/// The one link of an instance, shared by the bridge and taps, which hear of everything before the bridge does.
/// Its broker may move: an embedded broker that was started again can have another private port. `move_to` replaces the
/// link beneath, with all subscriptions and handlers.
class moving_link final : public mqtt::mqtt_link {
 public:
  explicit moving_link(scheduler& loop) : loop_(loop) {}

  /// Uses `link` from now on; the one before is let go, what it had in flight counts as dropped.
  void move_to(std::unique_ptr<mqtt::mqtt_link> link);
  /// Before `start`.
  void add_tap(link_tap tap) { taps_.push_back(std::move(tap)); }
  /// `fn` runs when the link is up, each time, before the bridge hears of it.
  void on_up(std::function<void()> fn) { tell_up_ = std::move(fn); }

  void start(std::vector<mqtt::subscription> subscriptions, mqtt::link_handlers handlers) override;
  void publish(mqtt::outgoing_message message, std::function<void(mqtt::publish_outcome)> done) override;
  void fence(std::function<void()> passed) override;
  void subscribe(mqtt::subscription wanted, std::function<void(bool)> done) override;
  void unsubscribe(const std::string& filter) override;
  [[nodiscard]] bool is_up() const override { return link_ && link_->is_up(); }
  [[nodiscard]] std::size_t in_flight() const override { return link_ ? link_->in_flight() : 0; }
  [[nodiscard]] bool is_busy() const override { return link_ && link_->is_busy(); }
  void stop(std::chrono::milliseconds limit, std::function<void()> stopped) override;

 private:
  struct kept {
    mqtt::subscription what;
    std::map<std::uint64_t, std::function<void(bool)>> waiting;
  };

  void start_current();
  void ask_for(const std::string& filter, std::uint64_t request);
  void settle(const std::string& filter, std::uint64_t request, bool acknowledged);
  void went_down(std::string_view reason);
  void received(mqtt::received_message message);

  scheduler& loop_;
  std::vector<link_tap> taps_;
  std::vector<mqtt::subscription> subscriptions_;
  mqtt::link_handlers handlers_;
  std::function<void()> tell_up_;
  std::map<std::string, kept> kept_;
  std::uint64_t last_request_ = 0;
  bool started_ = false;
  std::unique_ptr<mqtt::mqtt_link> link_;
};

}  // namespace roombus::server
