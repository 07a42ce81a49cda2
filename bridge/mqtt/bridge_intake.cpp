// What the link reports: messages of devices, and the link's own ups and downs.

#include <algorithm>
#include <utility>

#include "bridge/mqtt/bridge_impl.hpp"

namespace roombus::mqtt {

namespace {

constexpr std::size_t longest_content_type = 256;

const device_levels* device_of(const parsed_topic& parsed) {
  if (const auto* call = std::get_if<call_topic>(&parsed)) return &call->device;
  if (const auto* send = std::get_if<send_topic>(&parsed)) return &send->device;
  if (const auto* status = std::get_if<status_topic>(&parsed)) return &status->device;
  return nullptr;
}

std::size_t size_of(const pending_request& request) {
  constexpr std::size_t overhead = 512;
  const auto bytes = [](const std::optional<std::string>& text) { return text ? text->size() : 0; };
  return overhead + request.payload.size() + request.reply.topic.size() + bytes(request.content_type) +
         bytes(request.idempotency_key) + bytes(request.reply.correlation_data);
}

}  // namespace

void bridge::impl::on_message(received_message message) {
  if (plugin_ && plugin_->take(message)) return;
  if (is_shared() && take_echo(message)) return;
  if (is_waiting_for_plugin()) {
    const parsed_topic parsed = topics_.parse(message.topic);
    const device_levels* device = device_of(parsed);
    if (device != nullptr && is_owned(device->both)) return hold(std::move(message));
  }
  handle(std::move(message));
}

void bridge::impl::handle(received_message message) {
  const parsed_topic parsed = topics_.parse(message.topic);
  if (const auto* reason = std::get_if<ignored>(&parsed)) {
    if (*reason == ignored::topic && options_.on_extra && options_.on_extra(message)) return;
    return ignore(*reason, message.topic);
  }
  // asked here and not when it arrived: it may have been held
  if (is_shared() && !is_owned(device_of(parsed)->both)) return metrics_.count(ignored::not_owned);
  if (stopping_) return ignore(ignored::stopping, message.topic);
  if (const auto* status = std::get_if<status_topic>(&parsed)) return on_status(status->device, message);
  if (message.retained) return ignore(ignored::retained, message.topic);
  if (message.correlation_data && message.correlation_data->size() > options_.max_correlation_data) {
    return ignore(ignored::correlation_data, message.topic);
  }

  pending_request request;
  request.payload = std::move(message.payload);
  request.content_type = std::move(message.content_type);
  if (request.content_type && request.content_type->size() > longest_content_type) {
    request.content_type = request.content_type->substr(0, longest_content_type);  // one that nobody knows
  }
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
  if (has_plugin()) {
    // it knows better who is there; but a birth comes when the device has subscribed, so it gets its confirmation now
    const auto known = devices_.find(levels.both);
    if (message.payload != "online" || message.retained || known == devices_.end()) return;
    const mqtt_connection& device = *known->second;
    if (device.registered != 0 && device.registered == device.generation) confirm_login(device);
    return;
  }
  if (is_shared() && message.retained) {
    // read again because of other devices: says nothing new about one that has shown itself
    const auto known = devices_.find(levels.both);
    if (known != devices_.end() && known->second->life.is_certain()) return;
  }
  sign shown;
  if (message.payload == "online") {
    shown = message.retained && !is_fresh_birth(levels) ? sign::online_retained : sign::online;
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

/// A birth that the broker kept may be older than the broker's last end, when no wills were published. That cannot be
/// where it keeps nothing beyond its end; nor where another instance served the device until now, and the broker was
/// there for so long that the device's time to show itself since is over.
bool bridge::impl::is_fresh_birth(const device_levels& levels) const {
  if (options_.births_are_fresh) return true;
  if (!is_shared() || !is_settled()) return false;
  const auto known = devices_.find(levels.both);
  return known != devices_.end() && known->second->life.connected();
}

void bridge::impl::on_request(const device_levels& levels, pending_request request) {
  if (has_plugin()) {
    const auto known = devices_.find(levels.both);
    if (known == devices_.end() || !(known->second->life.connected() || known->second->connect_error)) {
      return refuse(request, chat_error(errc::invalid_socket, {value("mqtt#" + std::string(levels.both))}));
    }
  }
  const device_ptr device = find_or_add(levels);
  if (!device) {
    metrics_.count(ignored::connections);
    return refuse(request, chat_error(errc::rate_limited));
  }
  request.size = size_of(request);
  if (device->pending_requests >= options_.max_pending || pending_bytes_ + request.size > options_.max_pending_bytes) {
    metrics_.overloads.add();
    forget_if_absent(*device);
    return refuse(request, chat_error(errc::rate_limited));
  }
  if (!has_plugin()) apply(device, device->life.on_sign(sign::request, env_.time.steady_ms()));
  request.generation = device->generation;
  pending_bytes_ += request.size;
  ++device->pending_requests;
  push(device, std::move(request));
}

void bridge::impl::on_link_up() {
  env_.log.write(log_level::info, "mqtt_up", "the broker takes messages");
  up_since_ms_ = env_.time.steady_ms();
  for (auto& [key, device] : devices_) {
    device->life.on_link_up(env_.time.steady_ms());
    arm_timer(device);
  }
  if (plugin_) plugin_->link_up();
}

void bridge::impl::on_link_down() {
  env_.log.write(log_level::warning, "mqtt_down",
                 "no broker; " + std::to_string(devices_.size()) + " connections are kept for now");
  for (auto& [key, device] : devices_)
    device->life.on_link_down();
  if (plugin_) plugin_->link_down();
  end_echoes();
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

void bridge::impl::refuse(const pending_request& request, chat_error error) {
  if (std::holds_alternative<room_name>(request.target)) {
    metrics_.failed_sends.add();
  } else {
    publisher_.send_reply(request.reply, decoder_.encoding_of(request, wire::json), roombus::reply(std::move(error)));
  }
}

}  // namespace roombus::mqtt
