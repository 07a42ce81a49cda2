// With the broker's plugin: who is connected, who is let through to a room, and who is put out.

#include <unordered_map>
#include <utility>

#include "bridge/mqtt/bridge_impl.hpp"
#include "bridge/mqtt/room_level.hpp"

namespace roombus::mqtt {

namespace {

plugin_connection connection_of(const mqtt_connection& device) {
  plugin_connection out;
  out.user = device.user.str();
  out.client = std::string(device.client());
  out.generation = device.broker_life;
  return out;
}

}  // namespace

void bridge::impl::make_plugin() {
  plugin_handlers handlers;
  handlers.on_present = [this](const std::vector<plugin_connection>& all, bool restarted) {
    on_plugin(all, restarted);
  };
  handlers.on_absent = [this] { on_no_plugin(); };
  handlers.on_connected = [this](const plugin_connection& who) { on_broker_connect(who); };
  handlers.on_disconnected = [this](const plugin_connection& who) { on_broker_disconnect(who); };
  handlers.on_question = [this](plugin_question q) { on_login_question(std::move(q)); };
  plugin_ = std::make_unique<plugin_client>(options_.plugin, options_.prefix,
                                            plugin_client::environment{env_.link, env_.timers, env_.log, env_.metrics},
                                            std::move(handlers));
}

// ---- messages that came too early

void bridge::impl::hold(received_message message) {
  const std::size_t size = weight(message);
  if (held_.size() >= options_.max_held || held_bytes_ + size > options_.max_pending_bytes || stopping_) {
    return ignore(ignored::stopping, message.topic);
  }
  held_bytes_ += size;
  held_.push_back(std::move(message));
}

void bridge::impl::release_held() {
  std::deque<received_message> all = std::exchange(held_, {});
  held_bytes_ = 0;
  for (received_message& message : all)
    handle(std::move(message));
}

// ---- who is connected

void bridge::impl::on_plugin(const std::vector<plugin_connection>& connected, bool restarted) {
  std::unordered_map<std::string, std::pair<std::uint64_t, std::size_t>> there;  // generation, place in `connected`
  for (std::size_t i = 0; i < connected.size(); ++i)
    there.emplace(connected[i].user + "/" + connected[i].client, std::make_pair(connected[i].generation, i));
  std::vector<device_ptr> gone;
  std::vector<device_ptr> taken;
  for (const auto& [key, device] : devices_) {
    if (!device->life.connected()) continue;
    if (device->taken_rooms) {
      taken.push_back(device);
      continue;
    }
    const auto it = there.find(key);
    if (restarted || it == there.end() || it->second.first != device->broker_life) gone.push_back(device);
  }
  for (const device_ptr& device : gone)
    end_life(device);
  for (const device_ptr& device : taken) {
    const auto it = there.find(device->key);
    settle_taken(device, it == there.end() ? nullptr : &connected[it->second.second]);
  }
  for (const plugin_connection& who : connected)
    on_broker_connect(who);
  release_held();
  tell_parts().detach();  // on a new connection it does not know yet
}

void bridge::impl::on_no_plugin() {
  std::vector<device_ptr> attested;
  for (const auto& [key, device] : devices_) {
    if ((device->broker_life != 0 || device->taken_rooms) && device->life.connected()) attested.push_back(device);
  }
  for (const device_ptr& device : attested) {
    if (device->taken_rooms) {
      settle_taken(device, nullptr);
    } else {
      end_life(device);  // nobody can say any more when they go
    }
  }
  release_held();
}

void bridge::impl::on_broker_connect(const plugin_connection& who) {
  if (stopping_) return;
  const std::string key = who.user + "/" + who.client;
  if (!is_owned(key)) return;
  device_levels levels;
  levels.user = std::string_view(key).substr(0, who.user.size());
  levels.client = std::string_view(key).substr(who.user.size() + 1);
  levels.both = key;
  if (const auto known = devices_.find(key); known != devices_.end() && known->second->life.connected()) {
    if (known->second->broker_life == who.generation) return;
    const device_ptr before = known->second;
    end_life(before);  // and forgotten, if nothing of it was pending
  }
  const device_ptr device = find_or_add(levels);
  if (!device) {
    ignore(ignored::connections, key);
    return plugin_->kick(who);
  }
  device->broker_life = who.generation;
  device->limits = who.limits;
  device->connect_error.reset();
  apply(device, device->life.on_attested());
}

void bridge::impl::on_broker_disconnect(const plugin_connection& who) {
  const auto it = devices_.find(who.user + "/" + who.client);
  if (it == devices_.end() || it->second->broker_life != who.generation) return;
  const device_ptr device = it->second;
  if (!may_act_on(*device)) return;
  if (device->life.connected()) end_life(device);
  forget_if_absent(*device);
}

void bridge::impl::end_life(const device_ptr& device) {
  plugin_->forget(device->user.str(), device->client());
  device->broker_life = 0;
  device->limits = payload::login_limits();
  device->life.on_ended();
  apply(device, presence_change::disconnect);
}

void bridge::impl::kick(const mqtt_connection& device) {
  if (!has_plugin() || device.broker_life == 0) return;
  plugin_->kick(connection_of(device));
}

// ---- broker delivery

device_ptr bridge::impl::find(const connection_id& id) const {
  const std::string_view key = std::string_view(id.str()).substr(std::string_view("mqtt#").size());
  const auto it = devices_.find(key);
  return it == devices_.end() ? nullptr : it->second;
}

task<result<void>> bridge::impl::grant(room_name room, connection_id id, log_position at) {
  const device_ptr device = find(id);
  if (device == nullptr) co_return chat_error(errc::unavailable);
  if (device->taken_rooms) {
    // granted with the others
    std::erase_if(*device->taken_rooms, [&room](const joined_room& in) { return in.room == room; });
    device->taken_rooms->emplace_back(room, std::move(at));
    co_return result<void>();
  }
  // without a plugin there is nobody to ask: the broker's own access rules say who may read
  if (device->broker_life != 0) {
    plugin_connection to = connection_of(*device);
    std::string level = encode_room_level(room.str());
    auto granted = co_await plugin_->grant(std::move(to), std::move(level), std::move(at));
    if (!granted) co_return granted.error();
  }
  // with several instances the store knows who reads what
  if (!is_shared()) encodings_.join(id, room, device->encoding);
  co_return result<void>();
}

void bridge::impl::withdraw(const room_name& room, const connection_id& id) {
  encodings_.leave(id, room);
  const device_ptr device = find(id);
  if (device != nullptr && device->taken_rooms) {
    std::erase_if(*device->taken_rooms, [&room](const joined_room& in) { return in.room == room; });
  }
  if (device != nullptr && device->broker_life != 0 && plugin_) {
    plugin_->withdraw(device->user.str(), device->client(), encode_room_level(room.str()));
  }
}

void bridge::impl::shut_out(const room_name& room, const std::vector<connection_id>& ids, const log_position& removal) {
  constexpr std::string_view kind = "mqtt#";
  if (!plugin_) return;
  const std::string level = encode_room_level(room.str());
  for (const connection_id& id : ids) {
    std::string_view client = id.str();
    if (!client.starts_with(kind)) continue;  // a browser's
    client.remove_prefix(kind.size());
    const std::size_t slash = client.find('/');
    if (slash == std::string_view::npos) continue;
    plugin_->shut_out(client.substr(0, slash), client.substr(slash + 1), level, removal);
  }
}

task<result<void>> bridge::impl::revoke(room_name room, connection_id id) {
  withdraw(room, id);
  const device_ptr device = find(id);
  if (device != nullptr && device->broker_life != 0 && plugin_) {
    auto confirmed = co_await plugin_->confirmed();
    co_return confirmed;
  }
  if (!id.str().starts_with("mqtt#")) co_return result<void>();  // a browser's
  // what is on its way to its own topics cannot be taken back: it is over when the broker has it
  completion<bool> passed;
  env_.link.fence([passed] { passed.complete(true); });
  timer_handle limit = env_.timers.after(options_.plugin.confirm, [passed] { passed.complete(false); });
  const bool in_time = co_await passed;
  if (!in_time) co_return chat_error(errc::timeout);
  co_return result<void>();
}

}  // namespace roombus::mqtt
