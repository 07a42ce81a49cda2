#include "bridge/mqtt/bridge.hpp"

#include <algorithm>
#include <exception>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bridge/mqtt/device_publisher.hpp"
#include "bridge/mqtt/request_decoder.hpp"
#include "bridge/mqtt/room_encodings.hpp"
#include "bridge/mqtt/topic_map.hpp"
#include "schemas/codec/error_codec.hpp"

namespace roombus::mqtt {

namespace {

using device_ptr = std::shared_ptr<mqtt_connection>;  // shared: the map, coroutines at work, and weakly the sinks

/// Topic and payload sizes are bounded; this stands for the rest that a waiting request costs.
constexpr std::size_t request_overhead = 512;

struct key_hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>{}(key); }
};

roombus::reply as_reply(chat_error error) {
  return roombus::reply(std::move(error));
}

}  // namespace

class bridge::impl final : public std::enable_shared_from_this<bridge::impl>,
                           public device_output,
                           public room_broadcaster {
 public:
  impl(bridge_options options, environment env)
      : options_(std::move(options)),
        env_(env),
        topics_(options_.prefix, options_.profile, options_.max_topic),
        metrics_(env.metrics),
        publisher_(topics_, env.link, metrics_, env.time, env.log),
        decoder_(options_.payload) {}

  void start();
  void stop(std::chrono::milliseconds limit, std::function<void()> done);
  void detach();
  [[nodiscard]] std::size_t device_count() const { return devices_.size(); }
  [[nodiscard]] bool broadcasts() const { return options_.mode == delivery::broker; }

  void deliver_to(mqtt_connection& device, const shared_event& e) override { publisher_.send_event(device, e); }
  void close_device(const device_ptr& device, std::uint64_t generation, close_reason reason) override;

  void publish(const room_name& room, const shared_event& e) override;
  task<result<void>> grant(room_name room, connection_id id) override;
  task<result<void>> revoke(room_name room, connection_id id) override;

 private:
  // what the link reports
  void on_message(received_message message);
  void on_status(const device_levels& device, const received_message& message);
  void on_request(const device_levels& device, pending_request request);
  void on_link_up();
  void on_link_down();

  [[nodiscard]] device_ptr find_or_add(const device_levels& device);
  void ignore(ignored reason, std::string_view topic);
  void refuse(const pending_request& request, errc code);
  void apply(const device_ptr& device, presence_change change);
  void push(const device_ptr& device, pending_work work);
  void arm_timer(const device_ptr& device);
  void work_soon(const device_ptr& device);
  void forget_if_absent(const mqtt_connection& device);
  void stop_link_when_idle();

  // one device's work, in order
  static task<void> work_off(std::shared_ptr<impl> self, device_ptr device);
  task<void> connect(device_ptr device, std::uint64_t generation);
  task<void> disconnect(device_ptr device);
  task<void> run_request(device_ptr device, pending_request request);
  void use_encoding(mqtt_connection& device, wire format);

  const bridge_options options_;
  environment env_;
  topic_map topics_;
  bridge_metrics metrics_;
  device_publisher publisher_;
  request_decoder decoder_;
  room_encodings encodings_;
  std::unordered_map<std::string, device_ptr, key_hash, std::equal_to<>> devices_;
  std::size_t pending_bytes_ = 0;
  std::size_t working_ = 0;
  std::uint64_t last_generation_ = 0;

  bool stopping_ = false;
  std::int64_t stop_by_ms_ = 0;
  timer_handle stop_timer_;
  std::function<void()> stopped_;
};

void bridge::impl::start() {
  link_handlers handlers;
  handlers.on_up = [this] { on_link_up(); };
  handlers.on_down = [this](std::string_view) { on_link_down(); };
  handlers.on_message = [this](received_message message) { on_message(std::move(message)); };
  env_.link.start(topics_.request_subscriptions(), std::move(handlers));
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
    device->life.on_ended();
    apply(device, presence_change::disconnect);
  }
  stop_timer_ = env_.timers.after(limit, [this] {
    working_ = 0;
    stop_link_when_idle();
  });
  stop_link_when_idle();
}

void bridge::impl::stop_link_when_idle() {
  if (!stopping_ || working_ > 0 || !stopped_) return;
  stop_timer_.cancel();
  const auto left = std::chrono::milliseconds(std::max<std::int64_t>(0, stop_by_ms_ - env_.time.steady_ms()));
  env_.link.stop(left, std::exchange(stopped_, nullptr));
}

void bridge::impl::detach() {
  // coroutines that still wait may keep this object; nothing else may reach it any more
  if (broadcasts()) env_.chat.set_broadcaster(nullptr);
  for (auto& [key, device] : devices_)
    device->timer.cancel();
  stop_timer_.cancel();
}

// ---- from the link

void bridge::impl::on_message(received_message message) {
  const parsed_topic parsed = topics_.parse(message.topic);
  if (const auto* reason = std::get_if<ignored>(&parsed)) return ignore(*reason, message.topic);
  if (stopping_) return ignore(ignored::stopping, message.topic);
  if (const auto* status = std::get_if<status_topic>(&parsed)) return on_status(status->device, message);
  if (message.retained) return ignore(ignored::retained, message.topic);
  if (message.correlation_data && message.correlation_data->size() > options_.max_correlation_data) {
    return ignore(ignored::correlation_data, message.topic);
  }

  pending_request request;
  request.payload = std::move(message.payload);
  request.content_type = std::move(message.content_type);
  if (const auto* send = std::get_if<send_topic>(&parsed)) {
    metrics_.sends.add();
    request.target = send->room;
    if (message.correlation_data && !message.correlation_data->empty()) {
      request.idempotency_key = idempotency_key_of(*message.correlation_data);
      if (!request.idempotency_key) return ignore(ignored::correlation_data, message.topic);
    }
    return on_request(send->device, std::move(request));
  }
  const call_topic& asked = std::get<call_topic>(parsed);
  metrics_.calls.add();
  request.target = std::string(asked.command);
  request.reply.level = std::min(message.level, qos::at_least_once);
  request.reply.correlation_data = std::move(message.correlation_data);
  const std::string base = topics_.device_base(asked.device.user, asked.device.client);
  if (!asked.id.empty()) {
    request.reply.topic = topic_map::reply(base, asked.id);
  } else if (message.response_topic) {
    if (topics_.is_response_topic(*message.response_topic, base)) {
      request.reply.topic = std::move(*message.response_topic);
    } else {
      ignore(ignored::response_topic, message.topic);
    }
  }
  on_request(asked.device, std::move(request));
}

void bridge::impl::on_status(const device_levels& levels, const received_message& message) {
  metrics_.statuses.add();
  sign shown;
  if (message.payload == "online") {
    shown = message.retained && !options_.births_are_fresh ? sign::online_retained : sign::online;
  } else if (message.payload == "offline") {
    shown = sign::offline;
  } else if (message.payload.empty() && !message.retained) {
    return;  // the retained status was cleared: says nothing about the device
  } else {
    return ignore(ignored::status, message.topic);
  }
  if (shown == sign::offline && !devices_.contains(levels.both)) return;
  const device_ptr device = find_or_add(levels);
  if (!device) return ignore(ignored::connections, message.topic);
  apply(device, device->life.on_sign(shown, env_.time.steady_ms()));
}

void bridge::impl::on_request(const device_levels& levels, pending_request request) {
  const device_ptr device = find_or_add(levels);
  if (!device) {
    metrics_.count(ignored::connections);
    return refuse(request, errc::rate_limited);
  }
  const std::size_t size = request.payload.size() + request_overhead;
  if (device->pending_requests >= options_.max_pending || pending_bytes_ + size > options_.max_pending_bytes) {
    metrics_.overloads.add();
    forget_if_absent(*device);
    return refuse(request, errc::rate_limited);
  }
  apply(device, device->life.on_sign(sign::request, env_.time.steady_ms()));
  request.generation = device->generation;
  pending_bytes_ += size;
  ++device->pending_requests;
  push(device, std::move(request));
}

void bridge::impl::on_link_up() {
  env_.log.write(log_level::info, "mqtt_up", "the broker takes messages");
  for (auto& [key, device] : devices_) {
    device->life.on_link_up(env_.time.steady_ms());
    arm_timer(device);
  }
}

void bridge::impl::on_link_down() {
  env_.log.write(log_level::warning, "mqtt_down",
                 "no broker; " + std::to_string(devices_.size()) + " connections are kept for now");
  for (auto& [key, device] : devices_)
    device->life.on_link_down();
}

device_ptr bridge::impl::find_or_add(const device_levels& levels) {
  if (auto it = devices_.find(levels.both); it != devices_.end()) return it->second;
  if (devices_.size() >= options_.max_connections) return nullptr;
  auto device =
      std::make_shared<mqtt_connection>(levels, topics_.device_base(levels.user, levels.client), options_.times);
  devices_.emplace(device->key, device);
  return device;
}

void bridge::impl::ignore(ignored reason, std::string_view topic) {
  metrics_.count(reason);
  env_.log.write(log_level::debug, "mqtt_ignored",
                 "because of " + std::string(to_text(reason)) + ": " + std::string(topic.substr(0, 256)));
}

void bridge::impl::refuse(const pending_request& request, errc code) {
  if (std::holds_alternative<room_name>(request.target)) {
    metrics_.failed_sends.add();
  } else {
    publisher_.send_reply(request.reply, decoder_.encoding_of(request, wire::json), as_reply(chat_error(code)));
  }
}

// ---- presence

void bridge::impl::apply(const device_ptr& device, presence_change change) {
  switch (change) {
    case presence_change::none:
      break;
    case presence_change::connect:
      device->generation = ++last_generation_;
      push(device, pending_connect{device->generation});
      break;
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
        apply(waiting, waiting->life.on_tick(env_.time.steady_ms()));
      });
}

void bridge::impl::close_device(const device_ptr& device, std::uint64_t generation, close_reason reason) {
  if (device->generation != generation || !device->life.connected()) return;
  env_.log.write(log_level::info, "device_closed", device->id.str() + ": " + std::string(to_text(reason)));
  device->life.on_ended();
  device->pending.push_back(pending_disconnect{});
  work_soon(device);
}

// ---- one device's work

void bridge::impl::push(const device_ptr& device, pending_work work) {
  device->pending.push_back(std::move(work));
  if (device->working) return;
  device->working = true;
  ++working_;
  work_off(shared_from_this(), device).detach();
}

void bridge::impl::work_soon(const device_ptr& device) {
  if (device->working) return;
  device->working = true;
  ++working_;
  env_.timers.post([self = shared_from_this(), device] { work_off(self, device).detach(); });
}

task<void> bridge::impl::work_off(std::shared_ptr<impl> self, device_ptr device) {
  while (!device->pending.empty()) {
    pending_work work = std::move(device->pending.front());
    device->pending.pop_front();
    try {
      if (auto* request = std::get_if<pending_request>(&work)) {
        --device->pending_requests;
        self->pending_bytes_ -= request->payload.size() + request_overhead;
        co_await self->run_request(device, std::move(*request));
      } else if (auto* coming = std::get_if<pending_connect>(&work)) {
        co_await self->connect(device, coming->generation);
      } else {
        co_await self->disconnect(device);
      }
    } catch (const std::exception& e) {
      self->env_.log.write(log_level::error, "device_fault", device->id.str() + ": " + e.what());
    }
  }
  device->working = false;
  if (self->working_ > 0) --self->working_;
  self->forget_if_absent(*device);
  self->stop_link_when_idle();
}

void bridge::impl::forget_if_absent(const mqtt_connection& device) {
  if (device.life.connected() || device.registered != 0 || device.working || !device.pending.empty()) return;
  auto it = devices_.find(device.key);
  if (it != devices_.end() && it->second.get() == &device) devices_.erase(it);
}

task<void> bridge::impl::connect(device_ptr device, std::uint64_t generation) {
  auto sink = std::make_shared<device_sink>(*this, device, generation);
  const bool shares = broadcasts();
  auto outcome = co_await env_.chat.connect(device->user, device->id, std::move(sink), shares);
  if (outcome) {
    device->registered = generation;
    device->connect_error.reset();
    env_.log.write(log_level::debug, "device_connected", device->id.str());
    value_map data{{"id", value(device->id.str())}};
    value_list args{value(device->user.str()), value(std::move(data))};
    publisher_.send_event(*device, std::make_shared<event>(notification::login_confirmed, std::move(args)));
    co_return;
  }
  env_.log.write(log_level::info, "device_refused", device->id.str() + ": " + std::string(outcome.error().code_name()));
  device->connect_error = outcome.error();
  if (device->generation == generation) device->life.on_ended();
  value_list args{value(error_reply(outcome.error()))};
  publisher_.send_event(*device, std::make_shared<event>(notification::login_rejected, std::move(args)));
}

task<void> bridge::impl::disconnect(device_ptr device) {
  if (device->registered == 0) co_return;
  encodings_.leave_all(device->id);
  co_await env_.chat.disconnect(device->id);
  device->registered = 0;
  device->connect_error.reset();
  env_.log.write(log_level::debug, "device_disconnected", device->id.str());
}

task<void> bridge::impl::run_request(device_ptr device, pending_request request) {
  const wire format = decoder_.encoding_of(request, device->encoding);
  std::optional<wire> used;
  result<call> decoded = decoder_.decode(request, used);
  if (used) use_encoding(*device, *used);
  roombus::reply answer = as_reply(errc::unavailable);
  if (device->registered != request.generation) {
    // not an answer to what was asked, but why the connection is not there
    if (device->connect_error) answer = as_reply(*device->connect_error);
  } else if (!decoded) {
    answer = as_reply(decoded.error());
  } else {
    call c = std::move(*decoded);
    c.user = device->user;
    c.id = device->id;
    const std::string* joins = c.command == "roomJoin" && !c.args.empty() ? c.args[0].if_text() : nullptr;
    if (joins != nullptr && !topics_.room_fits(device->base, room_name(*joins))) {
      answer = as_reply(chat_error(errc::invalid_name, {value(*joins)}));
    } else {
      answer = co_await env_.chat.execute(std::move(c));
    }
  }
  if (const room_name* room = std::get_if<room_name>(&request.target)) {
    if (answer) co_return;
    metrics_.failed_sends.add();
    env_.log.write(log_level::debug, "device_send_failed",
                   device->id.str() + " to " + room->str() + ": " + std::string(answer.error().code_name()));
    co_return;
  }
  publisher_.send_reply(request.reply, format, answer);
}

void bridge::impl::use_encoding(mqtt_connection& device, wire format) {
  if (device.encoding == format) return;
  device.encoding = format;
  encodings_.change(device.id, format);
}

// ---- broker delivery

void bridge::impl::publish(const room_name& room, const shared_event& e) {
  for (const wire format : {wire::json, wire::cbor}) {
    if (encodings_.readers(room, format) > 0) publisher_.send_room_event(room, format, e);
  }
}

task<result<void>> bridge::impl::grant(room_name room, connection_id id) {
  // Nothing to ask: without a plugin the broker's own access rules say who may read.
  const std::string_view key = std::string_view(id.str()).substr(std::string_view("mqtt#").size());
  auto it = devices_.find(key);
  if (it != devices_.end()) encodings_.join(id, room, it->second->encoding);
  co_return result<void>();
}

task<result<void>> bridge::impl::revoke(room_name room, connection_id id) {
  encodings_.leave(id, room);
  co_return result<void>();
}

// ---- bridge

bridge::bridge(bridge_options options, environment env) : impl_(std::make_shared<impl>(std::move(options), env)) {
  if (impl_->broadcasts()) env.chat.set_broadcaster(impl_.get());
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

std::size_t bridge::device_count() const {
  return impl_->device_count();
}

}  // namespace roombus::mqtt
