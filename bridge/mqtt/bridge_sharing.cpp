// Several instances share the broker's devices: what is taken over, what is let go, and when the messages of before
// have passed.

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "bridge/mqtt/bridge_impl.hpp"
#include "bridge/mqtt/room_level.hpp"

namespace roombus::mqtt {

namespace {

/// An echo that does not come back is sent again.
constexpr std::chrono::milliseconds echo_patience{1000};
/// Before what did not fit into the link's queue is tried again.
constexpr std::chrono::milliseconds queue_pause{100};

login_rights no_rights() {
  login_rights out;
  out.join.emplace();
  out.publish.emplace();
  return out;
}

}  // namespace

void bridge::impl::share(device_sharing how) {
  sharing_ = std::move(how);
  if (plugin_) plugin_->share();
}

std::string bridge::impl::reads_of(const mqtt_connection& device) const {
  if (!is_shared()) return {};
  std::string format(device.encoding == wire::json ? "json" : "cbor");
  return broadcasts_to(device) ? "shared " + format : format;
}

bool bridge::impl::is_settled() const {
  return env_.link.is_up() && env_.time.steady_ms() - up_since_ms_ >= options_.times.reconnect_grace.count();
}

void bridge::impl::for_each_uncertain(const std::function<void(std::string_view)>& fn) const {
  for (const auto& [key, device] : devices_)
    if (device->life.is_doubtful()) fn(key);
}

bool bridge::impl::serves(const connection_id& id) const {
  const device_ptr device = find(id);
  return device && device->registered != 0;
}

// ---- what was published before

// Two echoes, one after the other: a message of QoS 2 that was delivered before the first is released before the
// second.
task<void> bridge::impl::catch_up() {
  // first: what the plugin withholds from us until it knows would come before the echoes, and is nothing that we serve
  co_await tell_parts();
  for (int turn = 0; turn < 2; ++turn) {
    if (!env_.link.is_up() || stopping_) co_return;  // on a new connection with a clean session nothing old comes
    completion<bool> heard;
    echo_waiters_.emplace(last_echo_ + 1, heard);
    send_echo();
    co_await heard;
  }
}

/// Until the broker's plugin knows which parts are wanted here, or there is no need to tell it.
task<void> bridge::impl::tell_parts() {
  const auto self = shared_from_this();
  while (plugin_ && sharing_.parts && env_.link.is_up() && !stopping_) {
    completion<publish_outcome> told;
    std::string parts = sharing_.parts();
    if (!plugin_->serve(parts, [told](publish_outcome how) { told.complete(how); })) co_return;
    const publish_outcome how = co_await told;
    if (how != publish_outcome::dropped) co_return;
    completion<bool> over;
    timer_handle timer = env_.timers.after(queue_pause, [over] { over.complete(true); });
    co_await over;
  }
}

void bridge::impl::send_echo() {
  outgoing_message message;
  message.topic = topics_.echo(sharing_.nonce);
  message.payload = std::make_shared<const std::string>(std::to_string(++last_echo_));
  message.level = qos::at_least_once;
  env_.link.publish(std::move(message), nullptr);
  echo_timer_ = env_.timers.after(echo_patience, [this] {
    if (!echo_waiters_.empty()) send_echo();
  });
}

bool bridge::impl::take_echo(const received_message& message) {
  if (message.topic != topics_.echo(sharing_.nonce)) return false;
  std::uint64_t number = 0;
  std::from_chars(message.payload.data(), message.payload.data() + message.payload.size(), number);
  std::vector<completion<bool>> heard;
  const auto end = echo_waiters_.upper_bound(number);
  for (auto it = echo_waiters_.begin(); it != end; it = echo_waiters_.erase(it))
    heard.push_back(it->second);
  if (echo_waiters_.empty()) echo_timer_.cancel();
  for (completion<bool>& one : heard)
    one.complete(true);
  return true;
}

void bridge::impl::end_echoes() {
  echo_timer_.cancel();
  auto all = std::exchange(echo_waiters_, {});
  for (auto& [number, heard] : all)
    heard.complete(false);
}

// ---- taking over

void bridge::impl::take_over(std::vector<adopted_device> devices) {
  if (stopping_) return;
  for (adopted_device& from : devices)
    take_over_one(std::move(from));
}

void bridge::impl::correct_rooms(const connection_id& id, const std::vector<joined_room>& rooms) {
  const device_ptr device = find(id);
  if (!device || device->registered == 0) return;
  env_.chat.release(id);
  if (device->taken_rooms) device->taken_rooms = rooms;
  register_taken(device, rooms, device->taken_rooms ? no_rights() : device->limits.rights);
}

void bridge::impl::presence_again() {
  if (stopping_) return;
  if (plugin_ && plugin_->now() != plugin_client::phase::absent) {
    plugin_->ask_again();
  } else {
    read_statuses_again();
  }
}

void bridge::impl::take_over_one(adopted_device from) {
  const std::string key = from.id.str().substr(std::string_view("mqtt#").size());
  const std::size_t slash = key.find('/');
  if (slash == std::string::npos) return;
  device_levels levels;
  levels.user = std::string_view(key).substr(0, slash);
  levels.client = std::string_view(key).substr(slash + 1);
  levels.both = key;
  if (const auto known = devices_.find(key); known != devices_.end()) {
    if (known->second->registered != 0) return;
    const device_ptr before = known->second;
    forget(before);
  }
  // over the limit, too: it is there already
  auto device =
      std::make_shared<mqtt_connection>(levels, topics_.device_base(levels.user, levels.client), options_.times);
  devices_.emplace(device->key, device);
  if (plugin_ && plugin_->now() != plugin_client::phase::absent) {
    // until the plugin has told the limits of its login it may do nothing
    device->taken_rooms = from.rooms;
    (void)device->life.on_attested();
    register_taken(device, std::move(from.rooms), no_rights());
    return;
  }
  device->life.on_taken_over(from.sure, env_.time.steady_ms());
  if (!env_.link.is_up()) device->life.on_link_down();
  register_taken(device, std::move(from.rooms), login_rights());
  arm_timer(device);
}

void bridge::impl::register_taken(const device_ptr& device, std::vector<joined_room> rooms, login_rights rights) {
  device->generation = ++last_generation_;
  auto sink = std::make_shared<device_sink>(*this, device, device->generation);
  if (env_.chat.adopt(device->user, device->id, std::move(sink), std::move(rooms), std::move(rights))) {
    device->registered = device->generation;
    env_.log.write(log_level::debug, "device_taken_over", device->id.str());
  } else {
    forget(device);
  }
}

/// The plugin has said whether it is connected, and as what; or there is no plugin.
void bridge::impl::settle_taken(const device_ptr& device, const plugin_connection* who) {
  std::vector<joined_room> rooms = std::move(*device->taken_rooms);
  device->taken_rooms.reset();
  if (!has_plugin()) {
    env_.chat.release(device->id);
    device->life.on_taken_over(false, env_.time.steady_ms());
    register_taken(device, std::move(rooms), login_rights());
    arm_timer(device);
    return read_statuses_again();
  }
  if (who == nullptr) return end_life(device);
  std::map<std::string, log_position> levels;
  for (const joined_room& in : rooms)
    levels.emplace(encode_room_level(in.room.str()), in.at);
  device->broker_life = who->generation;
  device->limits = who->limits;
  env_.chat.release(device->id);
  register_taken(device, std::move(rooms), who->limits.rights);
  if (device->registered != 0) plugin_->take_over(*who, levels);
}

// ---- statuses that the broker keeps

void bridge::impl::read_statuses_again() {
  if (options_.profile == broker_profile::rabbitmq) return;  // has no kept messages for wildcards
  if (reading_statuses_) {
    read_once_more_ = true;
    return;
  }
  reading_statuses_ = true;
  subscription again;
  again.filter = topics_.status_again_filter();
  env_.link.subscribe(std::move(again), [weak = weak_from_this()](bool) {
    const auto self = weak.lock();
    if (!self) return;
    self->env_.link.unsubscribe(self->topics_.status_again_filter());  // what is on its way still arrives
    self->reading_statuses_ = false;
    if (std::exchange(self->read_once_more_, false) && !self->stopping_) self->read_statuses_again();
  });
}

// ---- letting go

task<void> bridge::impl::let_go(std::function<bool(std::string_view)> which, std::chrono::milliseconds patience) {
  tell_parts().detach();
  auto leaving = std::make_shared<leaving_devices>();
  std::vector<device_ptr> all;
  for (const auto& [key, device] : devices_) {
    if (!which(key)) continue;
    device->leaving = leaving;
    all.push_back(device);
  }
  timer_handle limit = env_.timers.after(patience, [leaving] {
    leaving->late = true;
    leaving->one_idle.complete(false);
  });
  const auto is_busy = [&leaving](const device_ptr& device) {
    return device->leaving == leaving && !device->forgotten && device->working;
  };
  while (patience.count() > 0 && !leaving->late && std::any_of(all.begin(), all.end(), is_busy)) {
    leaving->one_idle = completion<bool>();
    co_await leaving->one_idle;
  }
  limit.cancel();
  for (const device_ptr& device : all) {
    if (device->leaving == leaving) forget(device);
  }
}

void bridge::impl::forget(const device_ptr& device) {
  if (device->forgotten) return;
  device->forgotten = true;
  env_.log.write(log_level::debug, "device_let_go", device->id.str());
  device->timer.cancel();
  for (const pending_work& work : device->pending) {
    const auto* request = std::get_if<pending_request>(&work);
    if (request == nullptr) continue;
    pending_bytes_ -= request->size;
    metrics_.count(ignored::not_owned);
  }
  device->pending.clear();
  device->pending_requests = 0;
  device->life.on_ended();
  encodings_.leave_all(device->id);
  if (plugin_) plugin_->leave_to_others(device->user.str(), device->client());
  if (device->registered != 0) env_.chat.release(device->id);
  device->registered = 0;
  device->generation = ++last_generation_;  // what the service still tells the old life is void
  if (const auto it = devices_.find(device->key); it != devices_.end() && it->second == device) devices_.erase(it);
}

}  // namespace roombus::mqtt
