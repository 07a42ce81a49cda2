#include "bridge/mqtt/bridge.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "bridge/mqtt/bridge_impl.hpp"

namespace roombus::mqtt {

void bridge::impl::start() {
  link_handlers handlers;
  handlers.on_up = [this] { on_link_up(); };
  handlers.on_down = [this](std::string_view) { on_link_down(); };
  handlers.on_message = [this](received_message message) { on_message(std::move(message)); };
  std::vector<subscription> all = topics_.request_subscriptions();
  if (plugin_) {
    const std::vector<subscription> more = plugin_->subscriptions();
    all.insert(all.end(), more.begin(), more.end());
  }
  if (is_shared()) {
    subscription echoes;
    echoes.filter = topics_.echo(sharing_.nonce);
    all.push_back(std::move(echoes));
  }
  all.insert(all.end(), options_.extra_subscriptions.begin(), options_.extra_subscriptions.end());
  env_.link.start(std::move(all), std::move(handlers));
}

void bridge::impl::stop(std::chrono::milliseconds limit, std::function<void()> done) {
  if (stopping_) return;
  stopping_ = true;
  stopped_ = std::move(done);
  stop_by_ms_ = env_.time.steady_ms() + limit.count();
  std::vector<device_ptr> all;
  all.reserve(devices_.size());
  for (auto& [key, device] : devices_)
    all.push_back(device);
  for (const device_ptr& device : all) {
    if (!device->life.connected()) continue;
    if (!may_act_on(*device)) {
      forget(device);
      continue;
    }
    device->life.on_ended();
    apply(device, presence_change::disconnect);
  }
  end_echoes();
  stop_timer_ = env_.timers.after(limit, [this] {
    working_ = 0;
    stop_link_when_idle();
  });
  stop_link_when_idle();
}

void bridge::impl::stop_link_when_idle() {
  if (!stopping_ || working_ > 0 || !stopped_) return;
  stop_timer_.cancel();
  if (plugin_) plugin_->close();
  const auto left = std::chrono::milliseconds(std::max<std::int64_t>(0, stop_by_ms_ - env_.time.steady_ms()));
  env_.link.stop(left, std::exchange(stopped_, nullptr));
}

void bridge::impl::detach() {
  // coroutines that still wait may keep this object; nothing else may reach it any more
  env_.chat.set_broadcaster(nullptr);
  plugin_.reset();
  for (auto& [key, device] : devices_)
    device->timer.cancel();
  stop_timer_.cancel();
  echo_timer_.cancel();
}

// ---- presence

void bridge::impl::apply(const device_ptr& device, presence_change change) {
  switch (change) {
    case presence_change::none:
      break;
    case presence_change::connect: {
      pending_connect coming;
      coming.generation = device->generation = ++last_generation_;
      coming.rights = device->limits.rights;
      push(device, std::move(coming));
      break;
    }
    case presence_change::disconnect:
      push(device, pending_disconnect{});
      break;
  }
  arm_timer(device);
}

void bridge::impl::arm_timer(const device_ptr& device) {
  // A timer that runs too early looks again, so that a request, which only moves the deadline away, costs nothing.
  const std::optional<std::int64_t> at = device->life.deadline();
  if (!at || (device->timer_at != 0 && device->timer_at <= *at)) return;
  const std::int64_t now = env_.time.steady_ms();
  device->timer_at = std::max(*at, now + 1);
  device->timer =
      env_.timers.after(std::chrono::milliseconds(device->timer_at - now), [this, weak = std::weak_ptr(device)] {
        const device_ptr waiting = weak.lock();
        if (!waiting) return;
        waiting->timer_at = 0;
        on_timer(waiting);
      });
}

void bridge::impl::on_timer(const device_ptr& device) {
  if (!may_act_on(*device)) {
    // it may live on elsewhere; whoever owns it, or found out that we do not, decides
    constexpr std::chrono::milliseconds later{1000};
    device->timer_at = env_.time.steady_ms() + later.count();
    device->timer = env_.timers.after(later, [this, weak = std::weak_ptr(device)] {
      const device_ptr waiting = weak.lock();
      if (!waiting) return;
      waiting->timer_at = 0;
      arm_timer(waiting);
    });
    return;
  }
  apply(device, device->life.on_tick(env_.time.steady_ms()));
}

void bridge::impl::close_device(const device_ptr& device, std::uint64_t generation, close_reason reason) {
  if (device->generation != generation || !device->life.connected()) return;
  // devices of an instance that stalled go on under another one
  if (is_shared() && reason == close_reason::instance_stalled) return;
  env_.log.write(log_level::info, "device_closed", device->id.str() + ": " + std::string(to_text(reason)));
  if (reason != close_reason::server_shutdown) kick(*device);
  if (plugin_) plugin_->forget(device->user.str(), device->client());
  device->life.on_ended();
  device->pending.push_back(pending_disconnect{});
  work_soon(device);
}

// ---- broker delivery

void bridge::impl::publish(const room_name& room, const shared_event& e) {
  for (const wire format : {wire::json, wire::cbor}) {
    if (encodings_.readers(room, format) > 0) publisher_.send_room_event(room, format, e);
  }
}

// ---- bridge

bridge::bridge(bridge_options options, environment env) : impl_(std::make_shared<impl>(std::move(options), env)) {
  env.chat.set_broadcaster(impl_.get());
  env.metrics.add_gauge("roombus_mqtt_connections", "Devices that are connected, or have something pending.",
                        [weak = std::weak_ptr(impl_)] {
                          const auto alive = weak.lock();
                          return alive ? static_cast<double>(alive->device_count()) : 0.0;
                        });
}

bridge::~bridge() {
  impl_->detach();
}

void bridge::start() {
  impl_->start();
}

void bridge::stop(std::chrono::milliseconds limit, std::function<void()> done) {
  impl_->stop(limit, std::move(done));
}

void bridge::share_devices(device_sharing how) {
  impl_->share(std::move(how));
}

task<void> bridge::catch_up() {
  return impl_->catch_up();
}

void bridge::take_over(std::vector<adopted_device> devices) {
  impl_->take_over(std::move(devices));
}

void bridge::correct_rooms(const connection_id& id, const std::vector<joined_room>& rooms) {
  impl_->correct_rooms(id, rooms);
}

void bridge::presence_again() {
  impl_->presence_again();
}

task<void> bridge::let_go(std::function<bool(std::string_view)> which, std::chrono::milliseconds patience) {
  return impl_->let_go(std::move(which), patience);
}

void bridge::for_each_uncertain(const std::function<void(std::string_view device)>& fn) const {
  impl_->for_each_uncertain(fn);
}

bool bridge::serves(const connection_id& id) const {
  return impl_->serves(id);
}

void bridge::shut_out(const room_name& room, const std::vector<connection_id>& ids, const log_position& removal) {
  impl_->shut_out(room, ids, removal);
}

std::size_t bridge::device_count() const {
  return impl_->device_count();
}

}  // namespace roombus::mqtt
