#pragma once

// Several instances in one process: each with a service, a bridge and its part of the devices, over one memory store
// and one broker in memory. Devices are written "alice/c1".

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "adapters/memory/memory_store.hpp"
#include "bridge/cluster/device_partitions.hpp"
#include "bridge/cluster/partition_table.hpp"
#include "bridge/mqtt/bridge.hpp"
#include "bridge/mqtt/topic.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/meddling_store.hpp"

namespace roombus::cluster {

using namespace std::chrono_literals;

class memory_broker;

/// One instance's link to the broker.
class broker_link final : public mqtt::mqtt_link {
 public:
  explicit broker_link(memory_broker& broker) : broker_(broker) {}
  void start(std::vector<mqtt::subscription> subscriptions, mqtt::link_handlers handlers) override {
    subscriptions_ = std::move(subscriptions);
    handlers_ = std::move(handlers);
  }
  void subscribe(mqtt::subscription wanted, std::function<void(bool)> done) override;
  void unsubscribe(const std::string& filter) override {
    std::erase_if(more_, [&](const mqtt::subscription& s) { return s.filter == filter; });
  }
  void publish(mqtt::outgoing_message message, std::function<void(mqtt::publish_outcome)> done) override;
  void fence(std::function<void()> passed) override { passed(); }
  [[nodiscard]] bool is_up() const override { return up_; }
  [[nodiscard]] std::size_t in_flight() const override { return 0; }
  void stop(std::chrono::milliseconds, std::function<void()> stopped) override {
    up_ = false;
    stopped();
  }

  void go_up();
  void go_down() {
    up_ = false;
    arriving.clear();
    handlers_.on_down("test");
  }
  void offer(const mqtt::received_message& message);
  void arrive() {
    while (up_ && !lags && !arriving.empty()) {
      mqtt::received_message next = std::move(arriving.front());
      arriving.pop_front();
      handlers_.on_message(std::move(next));
    }
  }

  bool lags = false;
  std::deque<mqtt::received_message> arriving;

 private:
  memory_broker& broker_;
  std::vector<mqtt::subscription> subscriptions_;
  std::vector<mqtt::subscription> more_;
  mqtt::link_handlers handlers_;
  bool up_ = false;
};

/// Delivers to all links, in order, when the scheduler runs.
class memory_broker {
 public:
  explicit memory_broker(test::fake_scheduler& timers) : timers_(timers) {}

  void publish(mqtt::received_message message) {
    const bool keep = std::exchange(message.retained, false);
    if (keep) kept[message.topic] = message;
    for (broker_link* link : links)
      link->offer(message);
    deliver_soon();
  }
  void deliver_soon() {
    timers_.post([this] {
      for (std::size_t i = 0; i < links.size(); ++i)
        links[i]->arrive();
    });
  }
  test::fake_scheduler& timers() { return timers_; }

  std::vector<broker_link*> links;
  std::map<std::string, mqtt::received_message> kept;
  std::vector<std::pair<std::string, std::string>> published;  ///< by instances: topic and payload

 private:
  test::fake_scheduler& timers_;
};

inline void broker_link::offer(const mqtt::received_message& message) {
  if (!up_) return;
  for (const auto* list : {&subscriptions_, &more_}) {
    for (const mqtt::subscription& s : *list) {
      if (!mqtt::topic_matches(s.filter, message.topic)) continue;
      arriving.push_back(message);
      return;
    }
  }
}
inline void broker_link::publish(mqtt::outgoing_message message, std::function<void(mqtt::publish_outcome)> done) {
  if (up_) {
    broker_.published.emplace_back(message.topic, *message.payload);
    mqtt::received_message out;
    out.topic = message.topic;
    out.payload = *message.payload;
    broker_.publish(std::move(out));
  }
  if (done) done(up_ ? mqtt::publish_outcome::done : mqtt::publish_outcome::dropped);
}
inline void broker_link::subscribe(mqtt::subscription wanted, std::function<void(bool)> done) {
  more_.push_back(wanted);
  for (const auto& [topic, message] : broker_.kept) {
    if (!up_ || !mqtt::topic_matches(wanted.filter, topic)) continue;
    arriving.push_back(message);
    arriving.back().retained = true;
  }
  broker_.deliver_soon();
  if (done) broker_.timers().post([done = std::move(done)] { done(true); });
}
inline void broker_link::go_up() {
  up_ = true;
  for (const auto& [topic, message] : broker_.kept) {
    for (const mqtt::subscription& s : subscriptions_) {
      if (!s.retained || !mqtt::topic_matches(s.filter, topic)) continue;
      arriving.push_back(message);
      arriving.back().retained = true;
    }
  }
  handlers_.on_up();
  broker_.deliver_soon();
}

/// The table of parts, and connections that change hands, over a memory store. Operations fail while `fails`.
class memory_table final : public cluster_store {
 public:
  explicit memory_table(store& data) : data_(data), owners(partition_count) {}

  task<result<std::vector<partition_owner>>> partitions() override {
    ++looks;
    if (fails) co_return chat_error(errc::unavailable);
    co_return owners;
  }
  task<result<std::vector<std::size_t>>> move_partitions(std::vector<std::size_t> numbers, std::string from,
                                                         std::string to) override {
    if (fails) co_return chat_error(errc::unavailable);
    std::vector<std::size_t> moved;
    for (const std::size_t number : numbers) {
      if (owners[number].incarnation != from) continue;
      owners[number].incarnation = to;
      ++owners[number].fence;
      moved.push_back(number);
    }
    co_return moved;
  }
  task<result<std::optional<std::vector<joined_room>>>> adopt(user_name user, connection_id id, std::string from,
                                                              std::string to) override {
    if (fails || (adoptions_fail_after == 0)) co_return chat_error(errc::unavailable);
    if (adoptions_fail_after > 0) --adoptions_fail_after;
    using answer = std::optional<std::vector<joined_room>>;
    auto records = co_await data_.instance_connections(from);
    const bool there =
        std::any_of(records->begin(), records->end(), [&](const connection_record& record) { return record.id == id; });
    if (!there) co_return answer();
    connection_record record;
    record.user = user;
    record.id = id;
    record.instance = to;
    auto changed = co_await data_.connect(std::move(record), 1000);
    if (!changed) co_return changed.error();
    auto all = co_await data_.connections(user);
    std::vector<joined_room> rooms;
    for (const value& room : *all->if_map()->find(id.str())->if_list())
      rooms.emplace_back(room_name(*room.if_text()));
    if (after_adopt) std::exchange(after_adopt, nullptr)();
    co_return answer(std::move(rooms));
  }
  task<result<std::vector<instance_life>>> lives() override {
    std::vector<instance_life> out;
    for (const std::string& name : registered)
      out.push_back({name, "1"});
    co_return out;
  }

  void keep_log(room_log_sink*, std::string) override {}
  task<result<publishing_turn>> published(room_name, std::uint64_t, std::uint64_t) override {
    return none<publishing_turn>();
  }
  task<result<publishing_turn>> take_over(room_name, std::string, std::int64_t) override {
    return none<publishing_turn>();
  }
  task<result<log_part>> read_log(room_name, std::string, std::uint64_t, std::size_t) override {
    return none<log_part>();
  }
  task<result<std::vector<room_name>>> rooms_published_by(std::string) override {
    return none<std::vector<room_name>>();
  }
  task<result<bool>> beat(std::string, bool) override { return none<bool>(); }
  task<result<bool>> begin_recovery(std::string, std::string, std::int64_t) override { return none<bool>(); }
  task<result<void>> finish_recovery(std::string) override { return none<void>(); }

  std::size_t looks = 0;
  bool fails = false;
  int adoptions_fail_after = -1;
  std::set<std::string> registered;
  std::function<void()> after_adopt;  ///< once, when the rooms have been read

 private:
  template <class T>
  static task<result<T>> none() {
    co_return chat_error(errc::unavailable);
  }
  store& data_;

 public:
  std::vector<partition_owner> owners;
};

class device_cluster : public ::testing::Test {
 protected:
  /// One life of an instance; its name is that of the life, too.
  struct member {
    member(device_cluster& all, std::string n)
        : name(std::move(n)),
          data(*all.real),
          chat(options(), chat_limits(), name,
               service::environment{data, all.time, all.random, all.timers, log, metrics}),
          link(all.broker),
          devices(all.bridge_settings(), mqtt::bridge::environment{chat, link, all.timers, all.time, log, metrics}),
          parts(partition_options(), device_partitions::environment{all.table, data, devices, all.timers, all.time,
                                                                    all.random, log, metrics}) {}

    static chat_options options() {
      chat_options out;
      out.enable_userlist_updates = true;
      return out;
    }
    [[nodiscard]] long metric(const std::string& full) const {
      const std::string text = "\n" + metrics.render();
      const std::size_t at = text.find("\n" + full + " ");
      return at == std::string::npos ? -1 : std::stol(text.substr(at + full.size() + 2));
    }
    [[nodiscard]] long not_owned() const { return metric("roombus_mqtt_ignored_total{reason=\"not_owned\"}"); }

    std::string name;
    test::recording_log log;
    metrics_registry metrics;
    test::meddling_store data;
    service chat;
    broker_link link;
    mqtt::bridge devices;
    device_partitions parts;
  };

  device_cluster() {
    auto added = real->add_room(room_name("kitchen"), room());
    EXPECT_TRUE(added.take().has_value());
  }
  ~device_cluster() override {
    for (auto& one : members)
      drop_link(*one);
  }

  static room_settings room() {
    room_settings settings;
    settings.enable_userlist_updates = true;
    settings.epoch = "epoch";
    return settings;
  }
  virtual mqtt::bridge_options bridge_settings() const {
    mqtt::bridge_options options;
    options.profile = mqtt::broker_profile::mosquitto;
    return options;
  }

  /// A new instance begins; nobody is told yet.
  member& add(const std::string& name) {
    members.push_back(std::make_unique<member>(*this, name));
    member& one = *members.back();
    broker.links.push_back(&one.link);
    table.registered.insert(name);
    one.parts.start(name);
    one.devices.start();
    one.link.go_up();
    return one;
  }
  /// Tells everybody who lives, as heartbeats do.
  void tell() {
    std::vector<std::string> living;
    for (const auto& one : members)
      if (!gone.contains(one->name)) living.push_back(one->name);
    for (const auto& one : members)
      if (!gone.contains(one->name)) one->parts.members_changed(living);
    timers.run_posted();
  }
  /// Time passes with heartbeats.
  void live(std::chrono::milliseconds time_span) {
    for (std::chrono::milliseconds done{0}; done < time_span; done += 5s) {
      timers.advance(std::min<std::chrono::milliseconds>(5s, time_span - done));
      tell();
    }
  }
  void drop_link(member& one) { std::erase(broker.links, &one.link); }
  /// It is dead: nothing arrives, nothing it does counts.
  void kill(member& one) {
    gone.insert(one.name);
    drop_link(one);
    one.data.before = [](std::string) -> task<result<void>> { co_return chat_error(errc::unavailable); };
  }
  /// `by` finds out, and recovers it.
  std::vector<std::string> recover(member& by, const std::string& dead) {
    auto records = real->instance_connections(dead).take();
    auto taking = by.parts.take_devices_of(dead, *records);
    for (int i = 0; i < 200 && !taking.done(); ++i)
      timers.advance(100ms);
    timers.run_posted();
    EXPECT_TRUE(taking.done());
    auto rest = taking.take();
    EXPECT_TRUE(rest.has_value());
    table.registered.erase(dead);
    std::vector<std::string> out;
    if (!rest) return out;
    for (const connection_record& record : *rest)
      out.push_back(record.id.str());
    return out;
  }

  void publish(const std::string& device, const std::string& rest, const std::string& payload, bool keep = false) {
    mqtt::received_message m;
    m.topic = "roombus/u/" + device + "/" + rest;
    m.payload = payload;
    m.level = mqtt::qos::at_least_once;
    m.retained = keep;
    broker.publish(std::move(m));
    timers.run_posted();
  }
  void birth(const std::string& device) { publish(device, "status", "online", true); }
  void will(const std::string& device) { publish(device, "status", "offline", true); }

  /// Calls, and answers all replies, one for each that was published.
  std::vector<std::string> call(const std::string& device, const std::string& command, const std::string& payload) {
    broker.published.clear();
    publish(device, "call/" + command + "/1", payload);
    return payloads_on("roombus/u/" + device + "/reply/1");
  }
  std::vector<std::string> payloads_on(const std::string& topic) const {
    std::vector<std::string> out;
    for (const auto& [where, payload] : broker.published)
      if (where == topic) out.push_back(payload);
    return out;
  }
  /// How many notifications of a kind devices got since the last call or publish.
  std::size_t notified(const std::string& notification) const {
    return static_cast<std::size_t>(std::count_if(broker.published.begin(), broker.published.end(), [&](const auto& p) {
      return p.first.ends_with("/" + notification);
    }));
  }
  void join_all(const std::vector<std::string>& devices) {
    for (const std::string& device : devices)
      EXPECT_EQ(call(device, "roomJoin", R"(["kitchen"])").size(), 1U) << device;
  }
  static std::vector<std::string> many(int count) {
    std::vector<std::string> out;
    for (int i = 0; i < count; ++i)
      out.push_back("user" + std::to_string(i) + "/c" + std::to_string(i));
    return out;
  }
  member* owner_of(const std::string& device) {
    member* found = nullptr;
    for (const auto& one : members) {
      if (gone.contains(one->name) || !one->parts.owns(device)) continue;
      EXPECT_EQ(found, nullptr) << device << " is served twice";
      found = one.get();
    }
    return found;
  }
  std::size_t stored(const std::string& incarnation) { return real->instance_connections(incarnation).take()->size(); }
  /// User's connections in the store with their rooms.
  std::string rooms_of(const std::string& device) {
    const std::string user = device.substr(0, device.find('/'));
    auto all = real->connections(user_name(user)).take();
    if (!all) return "no user";
    const value* rooms = all->if_map()->find("mqtt#" + device);
    if (rooms == nullptr) return "none";
    std::string out;
    for (const value& room : *rooms->if_list())
      out += *room.if_text() + ";";
    return out;
  }

  test::fake_clock time;
  test::fake_scheduler timers{time};
  test::fake_random random;
  std::unique_ptr<store> real = make_memory_store(time);
  memory_table table{*real};
  memory_broker broker{timers};
  std::set<std::string> gone;
  std::vector<std::unique_ptr<member>> members;
};

}  // namespace roombus::cluster
