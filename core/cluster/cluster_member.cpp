#include "core/cluster/cluster_member.hpp"

#include <algorithm>
#include <utility>

namespace roombus {

cluster_member::cluster_member(cluster_host& host, cluster_parts parts, std::string instance, environment env)
    : host_(host),
      parts_(parts),
      env_(env),
      alive_(*this, std::move(instance),
             liveness::environment{parts.log, env.time, env.random, env.timers, env.log, env.options}),
      publisher_(room_publisher::environment{parts, env.timers, env.log, env.metrics}) {
  env.metrics.add_gauge("roombus_rooms_fed", "Rooms whose log this instance follows for its browsers.",
                        [this] { return static_cast<double>(feeds_.size()); });
  env.metrics.add_gauge("roombus_instances", "Instances that live, as this one sees it.",
                        [this] { return static_cast<double>(alive_.living().size()); });
}

cluster_member::~cluster_member() = default;

task<result<void>> cluster_member::start() {
  cluster_bus_handlers handlers;
  handlers.on_up = [this] { on_bus_up(); };
  handlers.on_down = [] {};
  handlers.on_message = [this](value_map body) { on_bus_message(body); };
  parts_.log.keep_log(this, alive_.incarnation());
  parts_.bus.open(alive_.incarnation(), std::move(handlers));
  parts_.ownership.start(alive_.incarnation());
  task<bool> reaching = bus_is_up();
  const bool reachable = co_await reaching;
  if (!reachable) co_return chat_error(errc::unavailable);
  task<result<void>> starting = alive_.start();
  result<void> started = co_await starting;
  if (!started) co_return started;
  value_map hello{{"t", value("hello")}};
  hello.append("i", value(alive_.incarnation()));
  parts_.bus.send_all(hello, nullptr);
  co_return started;
}

task<void> cluster_member::hand_over() {
  if (alive_.is_fallen()) co_return;
  task<void> handing = parts_.ownership.hand_over_all();
  co_await handing;
}

task<void> cluster_member::stop(std::chrono::milliseconds limit) {
  const std::int64_t until = env_.time.steady_ms() + limit.count();
  // what somebody else was to publish, and nobody is at, is ours now
  take_over_unpublished();
  while ((publisher_.held() > 0 || taking_over_ > 0) && env_.time.steady_ms() < until) {
    completion<bool> pause;
    timer_handle timer = env_.timers.after(std::chrono::milliseconds(10), [pause] { pause.complete(true); });
    co_await pause;
  }
  alive_.stop();
  value_map bye{{"t", value("bye")}};
  bye.append("i", value(alive_.incarnation()));
  completion<bool> said;
  parts_.bus.send_all(bye, [said](bool sent) { said.complete(sent); });
  timer_handle enough = env_.timers.after(std::chrono::milliseconds(500), [said] { said.complete(false); });
  co_await said;
  // whatever is left of it is found by the others; a name without anything behind it is forgotten now
  task<result<std::vector<connection_record>>> looking = env_.data.instance_connections(alive_.incarnation());
  const result<std::vector<connection_record>> left = co_await looking;
  if (!left || !left->empty() || publisher_.held() > 0 || taking_over_ > 0) co_return;
  if (!unpublished_.empty() && !parts_.bus.is_up()) co_return;  // nobody could: whoever recovers this name will
  task<result<void>> forgetting = parts_.log.finish_recovery(alive_.incarnation());
  const result<void> forgotten = co_await forgetting;
  (void)forgotten;
}

// ---- who lives

task<result<void>> cluster_member::recover_dead(std::string dead) {
  constexpr std::size_t at_once = 64;
  const std::weak_ptr<bool> exists = exists_;
  // first what it stored and did not publish
  task<result<std::vector<room_name>>> asking = parts_.log.rooms_published_by(dead);
  const result<std::vector<room_name>> rooms = co_await asking;
  if (!rooms) co_return rooms.error();
  for (std::size_t begin = 0; begin < rooms->size(); begin += at_once) {
    const std::size_t end = std::min(begin + at_once, rooms->size());
    std::vector<task<result<publishing_turn>>> taking;
    for (std::size_t i = begin; i < end; ++i)
      taking.push_back(parts_.log.take_over((*rooms)[i], dead, 0));
    bool all = true;
    for (std::size_t i = begin; i < end; ++i) {
      result<publishing_turn> turn = co_await taking[i - begin];
      all = all && turn.has_value();
      if (exists.expired() || !turn) continue;
      room_entry nothing_own;
      on_own_entry((*rooms)[i], std::move(nothing_own), std::move(*turn));
    }
    if (exists.expired() || !all) co_return chat_error(errc::unavailable);
    const bool still_ours = co_await alive_.keep_recovery(dead);
    if (!still_ours) co_return chat_error(errc::unavailable);
  }
  task<result<std::vector<connection_record>>> looking = env_.data.instance_connections(dead);
  result<std::vector<connection_record>> left_behind = co_await looking;
  if (!left_behind) co_return left_behind.error();
  std::vector<connection_record> devices;
  std::vector<connection_record> to_end;
  for (connection_record& record : *left_behind) {
    (record.id.str().starts_with("mqtt#") ? devices : to_end).push_back(std::move(record));
  }
  task<result<std::vector<connection_record>>> taking = parts_.ownership.take_devices_of(dead, std::move(devices));
  result<std::vector<connection_record>> rest = co_await taking;
  if (!rest) co_return rest.error();
  for (connection_record& record : *rest)
    to_end.push_back(std::move(record));
  for (std::size_t begin = 0; begin < to_end.size(); begin += at_once) {
    const std::size_t end = std::min(begin + at_once, to_end.size());
    std::vector<task<bool>> ending;
    for (std::size_t i = begin; i < end; ++i)
      ending.push_back(host_.end_left_behind(std::move(to_end[i])));
    bool all = true;
    for (task<bool>& one : ending) {
      const bool ended = co_await one;
      all = all && ended;
    }
    if (exists.expired() || !all) co_return chat_error(errc::unavailable);
    const bool still_ours = co_await alive_.keep_recovery(dead);
    if (!still_ours) co_return chat_error(errc::unavailable);
  }
  value_map gone{{"t", value("bye")}};
  gone.append("i", value(dead));
  parts_.bus.send_all(gone, nullptr);
  co_return result<void>{};
}

task<result<void>> cluster_member::recover(std::string instance) {
  task<result<std::vector<instance_life>>> reading = parts_.log.lives();
  const result<std::vector<instance_life>> lives = co_await reading;
  if (!lives) co_return lives.error();
  for (const instance_life& life : *lives) {
    if (life.incarnation != instance && !liveness::is_life_of(life.incarnation, instance)) continue;
    if (life.incarnation == incarnation()) co_return chat_error(errc::not_allowed);
    task<result<void>> recovering = alive_.recover(life.incarnation);
    const result<void> recovered = co_await recovering;
    if (!recovered) co_return recovered;
    alive_.left(life.incarnation);
  }
  co_return result<void>{};
}

void cluster_member::members_changed() {
  std::vector<std::string> living = alive_.living();
  parts_.ownership.members_changed(living);
  fill_active();
  std::vector<removal_key> open;
  for (const auto& [key, removal] : removals_)
    open.push_back(key);
  for (const removal_key& key : open)
    check_confirmed(key);
}

void cluster_member::tell_dead(const std::string& incarnation) {
  value_map body{{"t", value("fall")}};
  body.append("i", value(alive_.incarnation()));
  parts_.bus.send_to(incarnation, body, nullptr);
}

void cluster_member::fallen() {
  publisher_.forget_all();
  std::vector<room_name> rooms;
  for (const auto& [room, fed] : feeds_)
    rooms.push_back(room);
  host_.drop_everybody();
  for (const room_name& room : rooms)
    break_off(room);
  give_up_removals();
  unpublished_.clear();
  // what it served may be taken over at once
  value_map body{{"t", value("fallen")}};
  body.append("i", value(alive_.incarnation()));
  parts_.bus.send_all(body, nullptr);
}

task<bool> cluster_member::renamed() {
  parts_.log.keep_log(this, alive_.incarnation());
  parts_.bus.rename(alive_.incarnation());
  parts_.ownership.start(alive_.incarnation());
  return bus_is_up();
}

task<bool> cluster_member::bus_is_up() {
  if (parts_.bus.is_up()) co_return true;
  completion<bool> up;
  until_bus_up_.push_back(up);
  timer_handle limit = env_.timers.after(env_.options.bus_ack_timeout, [up] { up.complete(false); });
  const bool in_time = co_await up;
  co_return in_time;
}

// ---- what this instance did

void cluster_member::on_own_entry(const room_name& room, room_entry entry, publishing_turn turn) {
  std::vector<entry_ptr> given;
  given.reserve(turn.pending.size());
  entry_ptr own;
  const std::uint64_t sequence = entry.sequence;
  if (sequence > 0) own = std::make_shared<const log_entry>(room, std::move(entry));
  for (room_entry& e : turn.pending) {
    if (e.sequence == sequence && own != nullptr) {
      given.push_back(own);
    } else {
      given.push_back(std::make_shared<const log_entry>(room, std::move(e)));
    }
  }
  // one that fell meanwhile serves nobody; the log tells the others, and what is ours to publish waits until it is back
  if (alive_.is_fallen()) return see_to_it(room);
  if (own != nullptr && !own->entry().removed.empty()) add_removal(own);
  publisher_.take(room, turn, given);
  for (const entry_ptr& one : given) {
    if (one != own) offer(one);
  }
  if (own == nullptr) return;
  const auto it = feeds_.find(room);
  if (it != feeds_.end()) {
    it->second->own = std::max(it->second->own, sequence);
    const room_entry& e = own->entry();
    if (!it->second->feed.started() && e.kind == room_entry_kind::joined) {
      hand_out(room, it->second->feed.start(sequence - 1, e.epoch));
    }
    offer(own);
  } else {
    host_.apply(*own);
  }
  // in a room that is fed here it is told in its turn
  const auto still = feeds_.find(room);
  if (!own->entry().removed.empty() && (still == feeds_.end() || !still->second->feed.started())) {
    tell_removed_once(*own);
  }
  if (!turn.ours) see_to_it(room);
}

void cluster_member::on_unknown_outcome(const room_name& room) {
  see_to_it(room);
  if (feeds_.contains(room)) fill(room).detach();
}

}  // namespace roombus
