// One device's work: requests, and its coming and going at the service, one after the other.

#include <exception>
#include <utility>

#include "bridge/mqtt/bridge_impl.hpp"
#include "schemas/codec/error_codec.hpp"

namespace roombus::mqtt {

namespace {

roombus::reply as_reply(chat_error error) {
  return roombus::reply(std::move(error));
}

}  // namespace

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
        self->pending_bytes_ -= request->size;
        if (!self->may_act_on(*device)) {
          self->metrics_.count(ignored::not_owned);
          continue;
        }
        co_await self->run_request(device, std::move(*request));
      } else if (auto* coming = std::get_if<pending_connect>(&work)) {
        co_await self->connect(device, std::move(*coming));
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
  if (device->leaving) device->leaving->one_idle.complete(true);
}

void bridge::impl::forget_if_absent(const mqtt_connection& device) {
  if (device.life.connected() || device.registered != 0 || device.working || !device.pending.empty()) return;
  auto it = devices_.find(device.key);
  if (it != devices_.end() && it->second.get() == &device) devices_.erase(it);
}

task<void> bridge::impl::connect(device_ptr device, pending_connect coming) {
  const std::uint64_t generation = coming.generation;
  auto sink = std::make_shared<device_sink>(*this, device, generation);
  const bool shares = broadcasts_to(*device);
  auto outcome =
      co_await env_.chat.connect(device->user, device->id, std::move(sink), shares, std::move(coming.rights));
  if (device->forgotten) {
    if (outcome) co_await env_.chat.disconnect(device->id);  // nobody serves it
    co_return;
  }
  if (outcome) {
    device->registered = generation;
    device->connect_error.reset();
    env_.log.write(log_level::debug, "device_connected", device->id.str());
    confirm_login(*device);
    co_return;
  }
  env_.log.write(log_level::info, "device_refused", device->id.str() + ": " + std::string(outcome.error().code_name()));
  device->connect_error = outcome.error();
  value_list args{value(error_reply(outcome.error()))};
  publisher_.send_event(*device, std::make_shared<event>(notification::login_rejected, std::move(args)));
  if (device->generation != generation) co_return;
  kick(*device);
  device->life.on_ended();
}

void bridge::impl::confirm_login(const mqtt_connection& device) {
  value_map data{{"id", value(device.id.str())}};
  if (device.limits.expires_at_ms) data.append("expiresAt", value(*device.limits.expires_at_ms));
  value_list args{value(device.user.str()), value(std::move(data))};
  publisher_.send_event(device, std::make_shared<event>(notification::login_confirmed, std::move(args)));
}

task<void> bridge::impl::disconnect(device_ptr device) {
  if (device->registered == 0) co_return;
  encodings_.leave_all(device->id);
  co_await env_.chat.disconnect(device->id);
  if (device->forgotten) co_return;
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

}  // namespace roombus::mqtt
