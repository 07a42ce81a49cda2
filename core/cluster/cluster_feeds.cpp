// Following rooms' logs for the browsers of this instance, and seeing to it that own entries get published.

#include <algorithm>
#include <utility>

#include "core/cluster/cluster_member.hpp"

namespace roombus {

namespace {

/// Entries of others usually come within this time; then the log is asked.
constexpr std::chrono::milliseconds hole_patience{100};
/// Who publishes makes progress within this time, or loses the room to others.
constexpr std::chrono::milliseconds publisher_patience{1000};
constexpr std::size_t fill_size = 256;

}  // namespace

// ---- opening and closing

task<result<void>> cluster_member::open_feed(room_name room) {
  auto& kept = feeds_[room];
  if (!kept) kept = std::make_unique<fed_room>();
  ++kept->holds;
  if (kept->listening) co_return result<void>{};
  completion<bool> opened;
  kept->opening.push_back(opened);
  if (kept->opening.size() == 1) {
    parts_.bus.listen(room, [this, exists = std::weak_ptr<bool>(exists_), room](bool listening) {
      if (exists.expired()) return;
      const auto it = feeds_.find(room);
      if (it == feeds_.end()) return;
      it->second->listening = listening;
      for (const completion<bool>& one : std::exchange(it->second->opening, {}))
        one.complete(listening);
    });
  }
  timer_handle limit = env_.timers.after(env_.options.bus_ack_timeout, [opened] { opened.complete(false); });
  const bool listening = co_await opened;
  if (listening) co_return result<void>{};
  close_feed(room);
  co_return chat_error(errc::unavailable);
}

task<result<void>> cluster_member::open_feed_now(room_name room) {
  const std::weak_ptr<bool> exists = exists_;
  task<result<void>> opening = open_feed(room);
  result<void> opened = co_await opening;
  if (!opened) co_return opened;
  if (exists.expired()) co_return chat_error(errc::unavailable);
  const auto it = feeds_.find(room);
  if (it == feeds_.end() || it->second->feed.started()) co_return result<void>{};
  const std::string any_epoch;
  task<result<log_part>> reading = parts_.log.read_log(room, any_epoch, UINT64_MAX, 0);
  const result<log_part> end = co_await reading;
  if (exists.expired()) co_return chat_error(errc::unavailable);
  const auto still = feeds_.find(room);
  if (still == feeds_.end()) co_return chat_error(errc::unavailable);
  if (!end) {
    close_feed(room);
    co_return end.error();
  }
  // a room that does not exist begins with its first entry
  if (!still->second->feed.started() && !end->epoch.empty()) {
    hand_out(room, still->second->feed.start(end->last, end->epoch));
  }
  co_return result<void>{};
}

task<void> cluster_member::follow(room_name room) {
  const std::weak_ptr<bool> exists = exists_;
  task<result<void>> opening = open_feed_now(room);
  const result<void> opened = co_await opening;
  if (exists.expired()) co_return;
  if (opened) {
    close_feed(room);
    co_return;
  }
  if (!host_.feeds(room)) co_return;
  env_.log.write(log_level::warning, "room_not_followed",
                 "room " + room.str() + " cannot be followed now; tried again");
  auto& kept = feeds_[room];
  if (!kept) kept = std::make_unique<fed_room>();
  kept->fill_timer = env_.timers.after(publisher_patience, [this, room] { follow(room).detach(); });
}

void cluster_member::close_feed(const room_name& room) {
  const auto it = feeds_.find(room);
  if (it == feeds_.end()) return;
  if (it->second->holds > 0) --it->second->holds;
  close_if_unused(room);
}

void cluster_member::close_if_unused(const room_name& room) {
  const auto it = feeds_.find(room);
  if (it == feeds_.end() || it->second->holds > 0 || host_.feeds(room)) return;
  auto gone = feeds_.extract(it);
  parts_.bus.stop_listening(room);
  for (const auto& [position, waiting] : gone.mapped()->waiting)
    waiting.complete(true);  // there is nobody left who could get it in a wrong order
  for (const completion<bool>& opening : gone.mapped()->opening)
    opening.complete(false);
}

void cluster_member::break_off(const room_name& room) {
  const auto it = feeds_.find(room);
  if (it == feeds_.end()) return;
  env_.log.write(log_level::warning, "room_broken_off",
                 "room " + room.str() + ": what happened in between is not kept, its connections have to catch up");
  const std::vector<completion<bool>> waiting = begin_anew(room, std::string());
  host_.break_off(room);
  for (const completion<bool>& one : waiting)
    one.complete(false);
}

/// Another feed takes the place of the room's, if anybody needs one: joins under way begin with their own entries, who
/// listens goes on from now on. Answers those who wait for places of the old one.
std::vector<completion<bool>> cluster_member::begin_anew(const room_name& room, const std::string& ended) {
  auto gone = feeds_.extract(room);
  std::vector<completion<bool>> waiting;
  for (const auto& [position, one] : gone.mapped()->waiting)
    waiting.push_back(one);
  const bool listens = host_.feeds(room);
  if (gone.mapped()->holds == 0 && !listens) {
    parts_.bus.stop_listening(room);
    for (const completion<bool>& opening : gone.mapped()->opening)
      opening.complete(false);
    return waiting;
  }
  auto fresh = std::make_unique<fed_room>();
  fresh->holds = gone.mapped()->holds;
  fresh->listening = gone.mapped()->listening;
  fresh->opening = std::move(gone.mapped()->opening);
  fresh->ended = ended;
  feeds_.emplace(room, std::move(fresh));
  if (listens) follow(room).detach();
  return waiting;
}

// ---- in order

void cluster_member::offer(const entry_ptr& entry) {
  const room_name room = entry->room();
  const auto it = feeds_.find(room);
  if (it == feeds_.end()) return;
  it->second->active = true;
  const room_entry& e = entry->entry();
  if (!it->second->feed.started()) {
    if (e.epoch == it->second->ended) return;
    if (host_.feeds(room)) hand_out(room, it->second->feed.start(e.sequence - 1, e.epoch));
  }
  auto still = feeds_.find(room);
  if (still == feeds_.end()) return;
  hand_out(room, still->second->feed.offer(entry));
  still = feeds_.find(room);
  if (still == feeds_.end()) return;
  if (still->second->feed.is_broken()) return break_off(room);
  watch_hole(room, *still->second);
}

void cluster_member::hand_out(const room_name& room, const std::vector<entry_ptr>& in_order) {
  for (const entry_ptr& entry : in_order) {
    host_.apply(*entry);
    if (!entry->entry().removed.empty()) tell_removed_once(*entry);
  }
  const auto it = feeds_.find(room);
  if (it == feeds_.end() || in_order.empty()) return;
  std::vector<completion<bool>> reached;
  auto& waiting = it->second->waiting;
  const auto end = waiting.upper_bound(it->second->feed.position());
  for (auto one = waiting.begin(); one != end; ++one)
    reached.push_back(one->second);
  waiting.erase(waiting.begin(), end);
  if (in_order.back()->entry().kind == room_entry_kind::room_removed) {
    for (const completion<bool>& other : begin_anew(room, in_order.back()->entry().epoch))
      reached.push_back(other);
  } else {
    close_if_unused(room);
  }
  for (const completion<bool>& one : reached)
    one.complete(true);
}

void cluster_member::watch_hole(const room_name& room, fed_room& fed) {
  if (!fed.feed.has_hole() || fed.filling) return;
  fed.filling = true;
  fed.fill_timer = env_.timers.after(hole_patience, [this, room] {
    const auto it = feeds_.find(room);
    if (it == feeds_.end()) return;
    it->second->filling = false;
    if (it->second->feed.has_hole()) fill(room).detach();
  });
}

/// Reads from the log what the bus did not bring.
task<void> cluster_member::fill(room_name room) {
  const std::weak_ptr<bool> exists = exists_;
  auto it = feeds_.find(room);
  if (it == feeds_.end() || !it->second->feed.started()) co_return;
  it->second->filling = true;
  it->second->feed.forget_foreign();
  for (;;) {
    const std::string epoch = it->second->feed.epoch();
    const std::uint64_t after = it->second->feed.position();
    task<result<log_part>> reading = parts_.log.read_log(room, epoch, after, fill_size);
    result<log_part> part = co_await reading;
    if (exists.expired()) co_return;
    it = feeds_.find(room);
    if (it == feeds_.end()) co_return;
    if (it->second->feed.epoch() != epoch) {
      it->second->filling = false;
      co_return;
    }
    if (!part) {
      it->second->fill_timer = env_.timers.after(publisher_patience, [this, room] { fill(room).detach(); });
      co_return;
    }
    if (!part->complete) {
      break_off(room);
      co_return;
    }
    const std::uint64_t last = part->last;
    const bool got_some = !part->entries.empty();
    for (room_entry& e : part->entries) {
      entry_ptr entry = std::make_shared<const log_entry>(room, std::move(e));
      offer(entry);
    }
    it = feeds_.find(room);
    if (it == feeds_.end() || it->second->feed.epoch() != epoch) co_return;
    const std::uint64_t now = it->second->feed.position();
    if (!got_some || now == after || now >= last) break;
  }
  it->second->filling = false;
}

void cluster_member::fill_all() {
  std::vector<room_name> rooms;
  for (const auto& [room, fed] : feeds_) {
    if (fed->feed.started()) rooms.push_back(room);
  }
  for (const room_name& room : rooms)
    fill(room).detach();
}

/// A broker may drop what its queue does not take, and after the last of a burst nothing would show that it is missing.
void cluster_member::fill_active() {
  std::vector<room_name> rooms;
  for (const auto& [room, fed] : feeds_) {
    if (fed->feed.started() && std::exchange(fed->active, false) && !fed->filling) rooms.push_back(room);
  }
  for (const room_name& room : rooms)
    fill(room).detach();
}

task<bool> cluster_member::reached(room_name room, std::uint64_t position) {
  const auto it = feeds_.find(room);
  if (it == feeds_.end() || !it->second->feed.started() || it->second->feed.position() >= position) co_return true;
  completion<bool> there;
  it->second->waiting.emplace(position, there);
  timer_handle limit = env_.timers.after(env_.options.bus_ack_timeout, [there] { there.complete(false); });
  const bool in_time = co_await there;
  co_return in_time;
}

task<result<void>> cluster_member::settled(room_name room) {
  const auto it = feeds_.find(room);
  if (it == feeds_.end()) co_return result<void>{};
  const std::uint64_t own = it->second->own;
  task<bool> waiting = reached(std::move(room), own);
  const bool in_time = co_await waiting;
  if (!in_time) co_return chat_error(errc::timeout);
  co_return result<void>{};
}

// ---- own entries that somebody else is to publish

void cluster_member::see_to_it(const room_name& room) {
  constexpr std::size_t most = 100'000;  // beyond it recovery finds them
  if (unpublished_.size() >= most) return;
  const bool idle = unpublished_.empty();
  unpublished_.insert(room);
  if (!idle) return;
  see_timer_ = env_.timers.after(publisher_patience, [this] { take_over_unpublished(); });
}

void cluster_member::take_over_unpublished() {
  const std::set<room_name> rooms = std::exchange(unpublished_, {});
  for (const room_name& one : rooms)
    take_over_later(one).detach();
}

task<void> cluster_member::take_over_later(room_name room) {
  const std::weak_ptr<bool> exists = exists_;
  if (!parts_.bus.is_up() || alive_.is_fallen()) {
    see_to_it(room);
    co_return;
  }
  const std::string whoever;
  ++taking_over_;
  task<result<publishing_turn>> taking = parts_.log.take_over(room, whoever, publisher_patience.count());
  result<publishing_turn> turn = co_await taking;
  if (exists.expired()) co_return;
  --taking_over_;
  if (!turn) {
    see_to_it(room);
    co_return;
  }
  // somebody is at it, who may still stand still with what is ours
  if (!turn->ours && turn->fence > 0) see_to_it(room);
  room_entry nothing_own;
  on_own_entry(room, std::move(nothing_own), std::move(*turn));
}

}  // namespace roombus
