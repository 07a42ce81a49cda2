#include "bridge/cluster/mqtt_bus.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>

#include "bridge/mqtt/room_level.hpp"
#include "schemas/codec/cbor.hpp"
#include "schemas/codec/payload.hpp"
#include "schemas/topics/device_part.hpp"

namespace roombus::mqtt {

namespace {

constexpr std::size_t longest_level = 512;
constexpr std::chrono::milliseconds retry_refused{1000};

/// Two names of one level would only share a topic: who receives looks into the message.
std::string level_of(std::string_view name) {
  std::string level = encode_room_level(name);
  if (level.size() <= longest_level) return level;
  return "%h" + std::to_string(topics::fnv1a(name));  // no encoded name: `h` is no hex digit
}

void answer(const cluster_bus::done_handler& done, bool sent) {
  if (done) done(sent);
}

}  // namespace

mqtt_cluster_bus::mqtt_cluster_bus(mqtt_bus_options options, environment env)
    : options_(std::move(options)),
      all_topic_(options_.prefix + "/bus/all"),
      instance_base_(options_.prefix + "/bus/instance/"),
      room_base_(options_.prefix + "/bus/room/"),
      env_(env),
      sent_(env.metrics.add_counter("roombus_bus_sent_total", "Messages to other instances that the broker took.")),
      unsent_(env.metrics.add_counter("roombus_bus_unsent_total",
                                      "Messages to other instances that the broker did not take, or too large.")),
      received_(env.metrics.add_counter("roombus_bus_received_total", "Messages from instances, this one too.")),
      ignored_(env.metrics.add_counter("roombus_bus_ignored_total",
                                       "Messages on the bus that no instance sent, or that came retained.")) {
  env.metrics.add_gauge("roombus_bus_up", "1 while other instances are reached.",
                        [this, alive = std::weak_ptr<bool>(alive_)] { return !alive.expired() && up_ ? 1.0 : 0.0; });
}

mqtt_cluster_bus::~mqtt_cluster_bus() = default;

// ---- coming and going

void mqtt_cluster_bus::open(std::string incarnation, cluster_bus_handlers handlers) {
  on_ = std::move(handlers);
  own_topic_ = instance_base_ + level_of(incarnation);
  wanted_ = {all_topic_, own_topic_};
  subscribe_own(all_topic_);
  subscribe_own(own_topic_);
}

void mqtt_cluster_bus::rename(std::string incarnation) {
  std::string topic = instance_base_ + level_of(incarnation);
  if (topic == own_topic_) return;
  env_.link.unsubscribe(own_topic_);
  wanted_.erase(own_topic_);
  own_topic_ = std::move(topic);
  up_ = false;
  wanted_.insert(own_topic_);
  subscribe_own(own_topic_);
}

void mqtt_cluster_bus::subscribe_own(const std::string& topic) {
  subscription s;
  s.filter = topic;
  s.retained = false;
  env_.link.subscribe(std::move(s), [this, topic, alive = std::weak_ptr<bool>(alive_)](bool acknowledged) {
    if (alive.expired() || !wanted_.contains(topic)) return;  // renamed meanwhile
    if (acknowledged) {
      wanted_.erase(topic);
      return look_whether_up();
    }
    env_.log.write(log_level::error, "bus_refused",
                   "the broker refuses " + topic + ", without which there are no other instances; it is tried again");
    retry_ = env_.timers.after(retry_refused, [this] {
      const std::set<std::string> all = wanted_;
      for (const std::string& one : all)
        subscribe_own(one);
    });
  });
}

void mqtt_cluster_bus::look_whether_up() {
  if (up_ || own_topic_.empty() || !wanted_.empty() || !env_.link.is_up()) return;
  up_ = true;
  if (on_.on_up) on_.on_up();
}

void mqtt_cluster_bus::link_up() {
  look_whether_up();
}

void mqtt_cluster_bus::link_down() {
  if (std::exchange(up_, false) && on_.on_down) on_.on_down();
}

// ---- sending

void mqtt_cluster_bus::send_all(const value_map& body, done_handler done) {
  send(all_topic_, body, std::move(done), false);
}

void mqtt_cluster_bus::send_to(const std::string& incarnation, const value_map& body, done_handler done) {
  send(instance_base_ + level_of(incarnation), body, std::move(done), false);
}

void mqtt_cluster_bus::send_room(const room_name& room, const value_map& body, done_handler done) {
  send(room_topic(room), body, std::move(done), true);
}

std::string mqtt_cluster_bus::room_topic(const room_name& room) const {
  return room_base_ + level_of(room.str());
}

void mqtt_cluster_bus::send(std::string topic, const value_map& body, done_handler done, bool refused_is_done) {
  outgoing_message message;
  message.payload = std::make_shared<const std::string>(cbor::write(body));
  if (message.payload->size() > options_.message.max_bytes) {
    unsent_.add();
    env_.log.write(log_level::error, "bus_too_large",
                   topic + ": a message of " + std::to_string(message.payload->size()) + " bytes is not sent");
    if (done) env_.timers.post([done = std::move(done), refused_is_done] { done(refused_is_done); });
    return;
  }
  message.topic = std::move(topic);
  message.level = qos::at_least_once;
  message.content_type = std::string(payload::content_type_of(payload::encoding::cbor));
  std::function<void(publish_outcome)> ended = [this, topic = message.topic, done = std::move(done), refused_is_done,
                                                alive = std::weak_ptr<bool>(alive_)](publish_outcome outcome) {
    if (alive.expired()) return;
    (outcome == publish_outcome::done ? sent_ : unsent_).add();
    const bool refused = outcome == publish_outcome::refused;
    if (refused) {
      env_.log.write(log_level::error, "bus_refused",
                     "the broker refuses a message to " + topic + ": it is too large for it, or not allowed to us");
    }
    answer(done, outcome == publish_outcome::done || (refused && refused_is_done));
  };
  env_.link.publish(std::move(message), std::move(ended));
}

// ---- rooms

void mqtt_cluster_bus::listen(const room_name& room, done_handler done) {
  std::string topic = room_topic(room);
  const std::uint64_t number = ++last_listening_;
  listening_[topic][room] = number;
  subscription s;
  s.filter = topic;
  s.retained = false;
  env_.link.subscribe(std::move(s), [this, topic = std::move(topic), room, number, done = std::move(done),
                                     alive = std::weak_ptr<bool>(alive_)](bool acknowledged) {
    if (alive.expired()) return;
    if (const auto it = listening_.find(topic); !acknowledged && it != listening_.end()) {
      const auto mine = it->second.find(room);
      if (mine != it->second.end() && mine->second == number) it->second.erase(mine);
      if (it->second.empty()) listening_.erase(it);
    }
    answer(done, acknowledged);
  });
}

void mqtt_cluster_bus::stop_listening(const room_name& room) {
  const auto it = listening_.find(room_topic(room));
  if (it == listening_.end()) return;
  it->second.erase(room);
  if (!it->second.empty()) return;
  const std::string topic = it->first;
  listening_.erase(it);
  env_.link.unsubscribe(topic);
}

// ---- receiving

bool mqtt_cluster_bus::take(received_message& message) {
  const std::string& topic = message.topic;
  const bool to_all = topic == all_topic_;
  const bool to_instance = !to_all && topic.starts_with(instance_base_);
  const bool to_room = !to_all && !to_instance && topic.starts_with(room_base_);
  if (!to_all && !to_instance && !to_room) return false;
  if (to_instance && topic != own_topic_) return true;           // for a name that is not ours any more
  if (to_room && !listening_.contains(topic)) return true;       // on its way when we stopped listening
  if (message.retained) return ignore(topic, "retained"), true;  // nobody of us does that
  decoded<value> body = cbor::read(message.payload, options_.message);
  if (!body) return ignore(topic, to_text(body.error())), true;
  value_map* map = body->if_map();
  if (map == nullptr) return ignore(topic, "not a map"), true;
  received_.add();
  if (on_.on_message) on_.on_message(std::move(*map));
  return true;
}

void mqtt_cluster_bus::ignore(const std::string& topic, const std::string& why) {
  ignored_.add();
  ++ignored_count_;
  if ((ignored_count_ & (ignored_count_ - 1)) != 0) return;  // the first, second, fourth …
  env_.log.write(log_level::warning, "bus_ignored",
                 topic + ": " + why + "; somebody who is no instance may publish here");
}

}  // namespace roombus::mqtt
