#include "core/cluster/room_publisher.hpp"

#include <algorithm>
#include <utility>

namespace roombus {

namespace {

constexpr std::chrono::milliseconds retry_pause{300};
constexpr std::size_t most_audiences = 1000;
/// Of telling all who was removed: what the broker refuses so often, because of its size, must not hold up the room.
constexpr int most_tries = 20;
/// Messages under way at once; a room's next entry may go beyond it. The link's queue takes more.
constexpr std::size_t most_under_way = 4000;

/// One device or encoding more or less in an audience.
void add_reader(room_audience& audience, const std::string& reads, const connection_id& id) {
  if (reads == "shared json") {
    audience.shared_json = true;
  } else if (reads == "shared cbor") {
    audience.shared_cbor = true;
  } else if (!reads.empty()) {
    const std::string name = reads + " " + id.str();
    if (std::find(audience.inboxes.begin(), audience.inboxes.end(), name) == audience.inboxes.end()) {
      audience.inboxes.push_back(name);
    }
  }
}

/// Encodings of shared topics stay: others may read them, and one publish too many is all it costs.
void remove_reader(room_audience& audience, const connection_id& id) {
  std::erase_if(audience.inboxes, [&id](const std::string& name) {
    const std::size_t blank = name.find(' ');
    return blank != std::string::npos && std::string_view(name).substr(blank + 1) == id.str();
  });
}

}  // namespace

room_publisher::room_publisher(environment env)
    : env_(env),
      published_(env.metrics.add_counter("roombus_room_entries_published_total",
                                         "Entries of rooms' logs that this instance published for all.")),
      retries_(env.metrics.add_counter("roombus_room_publish_retries_total",
                                       "Times that publishing a room had to be tried again.")) {
  env.metrics.add_gauge("roombus_rooms_publishing", "Rooms whose log this instance publishes now.",
                        [this] { return static_cast<double>(held_.size()); });
}

std::uint64_t room_publisher::last_given(const room_name& room) const {
  const auto it = held_.find(room);
  return it == held_.end() ? 0 : it->second->last_given;
}

std::string room_publisher::known_audience(const room_name& room) const {
  if (const auto it = held_.find(room); it != held_.end()) return it->second->audience.version;
  const auto kept = audience_at_.find(room);
  return kept == audience_at_.end() ? std::string() : kept->second->second.version;
}

void room_publisher::take(const room_name& room, const publishing_turn& turn, std::vector<entry_ptr> given) {
  auto it = held_.find(room);
  if (!turn.ours) {
    if (it != held_.end() && it->second->fence < turn.fence) let_go(room);
    return;
  }
  if (it != held_.end() && it->second->fence > turn.fence) return;  // an old answer
  if (it == held_.end() || it->second->fence != turn.fence) {
    auto fresh = std::make_unique<held_room>();
    fresh->fence = turn.fence;
    if (it != held_.end()) fresh->audience = std::move(it->second->audience);
    if (const auto kept = audience_at_.find(room); it == held_.end() && kept != audience_at_.end()) {
      fresh->audience = kept->second->second;
    }
    it = held_.insert_or_assign(room, std::move(fresh)).first;
  }
  held_room& held = *it->second;
  if (turn.audience) {
    held.audience = *turn.audience;
    // it is as after these entries: who joined by one of them gets none of those before it, who left gets nothing any
    // more, since its leave may have been answered
    for (auto entry = given.rbegin(); entry != given.rend(); ++entry) {
      const room_entry& e = (*entry)->entry();
      if (e.sequence <= held.last_given) break;
      if (e.kind == room_entry_kind::joined) remove_reader(held.audience, e.id);
    }
  }
  for (entry_ptr& entry : given) {
    const std::uint64_t sequence = entry->entry().sequence;
    if (sequence <= held.last_given) continue;
    if (held.last_given == 0) held.done = held.confirmed = sequence - 1;
    held.last_given = sequence;
    held.queue.push_back(std::make_shared<sending>(std::move(entry)));
  }
  pump(room, held);
  advance(room, held);
}

/// Sends what has not been sent, as much as may be under way.
void room_publisher::pump(const room_name& room, held_room& held) {
  if (held.broken) return;
  const auto begun = [](const std::shared_ptr<sending>& item) { return item->begun; };
  auto next = std::partition_point(held.queue.begin(), held.queue.end(), begun);
  std::vector<std::shared_ptr<sending>> to_send(next, held.queue.end());
  for (const std::shared_ptr<sending>& item : to_send) {
    if (held.broken) return;
    if (under_way_ >= most_under_way) {
      waiting_.push_back(room);
      return;
    }
    send(room, held, item);
  }
}

void room_publisher::pump_waiting() {
  while (under_way_ < most_under_way / 2 && !waiting_.empty()) {
    const room_name room = std::move(waiting_.front());
    waiting_.pop_front();
    if (const auto it = held_.find(room); it != held_.end()) pump(room, *it->second);
  }
}

void room_publisher::send(const room_name& room, held_room& held, const std::shared_ptr<sending>& item) {
  const room_entry& e = item->entry->entry();
  item->begun = true;
  item->failed = false;
  item->sent = false;
  item->weight = 1;
  const auto acknowledged = [this, alive = std::weak_ptr<bool>(alive_), room, fence = held.fence, item](bool done) {
    if (!alive.expired()) sent(room, fence, item, done);
  };
  if (e.kind == room_entry_kind::joined) add_reader(held.audience, e.reads, e.id);
  if (e.kind == room_entry_kind::left) remove_reader(held.audience, e.id);
  std::vector<connection_id> out;
  for (const removed_member& member : e.removed) {
    for (const connection_id& id : member.connections) {
      remove_reader(held.audience, id);
      out.push_back(id);
    }
  }
  if (!out.empty()) env_.parts.devices.shut_out(room, out, e.position());
  if (e.kind == room_entry_kind::room_removed) held.audience = room_audience();

  ++item->open;  // so that it is not done before everything was handed over
  const room_audience& audience = held.audience;
  const std::size_t readers = audience.inboxes.size() + (audience.shared_json ? 1 : 0) + (audience.shared_cbor ? 1 : 0);
  item->weight += readers * item->entry->events().size();
  under_way_ += item->weight;
  const bool has_devices = readers > 0;
  for (const shared_event& one : item->entry->events()) {
    if (!has_devices) break;
    ++item->open;
    env_.parts.devices.publish(room, one, audience, acknowledged);
  }
  value_map body{{"t", value("entry")}};
  body.append("room", value(room.str()));
  body.append("entry", value(entry_to_map(e)));
  ++item->open;
  env_.parts.bus.send_room(room, body, acknowledged);
  if (!e.removed.empty() && ++item->tries <= most_tries) {
    body.set("t", value("removed"));
    ++item->open;
    env_.parts.bus.send_all(body, acknowledged);
    if (item->tries == most_tries) {
      env_.log.write(log_level::error, "removal_not_told",
                     "room " + room.str() + ": the broker does not take who was removed (" +
                         std::to_string(e.removed.size()) + " users); it is not confirmed, and the room goes on");
    }
  }
  item->sent = true;
  acknowledged(true);
}

void room_publisher::sent(const room_name& room, std::uint64_t fence, const std::shared_ptr<sending>& item, bool done) {
  --item->open;
  item->failed = item->failed || !done;
  if (item->open == 0) {
    under_way_ -= std::min(under_way_, item->weight);
    if (!waiting_.empty()) pump_waiting();
  }
  const auto it = held_.find(room);
  if (it == held_.end() || it->second->fence != fence || item->open > 0) return;
  held_room& held = *it->second;
  if (item->failed && !held.broken) {
    held.broken = true;
    retry_later(room, held);
  }
  advance(room, held);
}

void room_publisher::advance(const room_name& room, held_room& held) {
  while (!held.queue.empty()) {
    const sending& first = *held.queue.front();
    if (!first.begun || !first.sent || first.open > 0 || first.failed) break;
    held.done = first.entry->entry().sequence;
    published_.add();
    held.queue.pop_front();
  }
  // also when nothing is new but nothing is left to do: the room is to be released
  if (held.confirming || (held.done == held.confirmed && !held.queue.empty())) return;
  held.confirming = true;
  env_.timers.post([this, alive = std::weak_ptr<bool>(alive_), room] {
    if (!alive.expired()) confirm(room).detach();
  });
}

task<void> room_publisher::confirm(room_name room) {
  auto it = held_.find(room);
  if (it == held_.end()) co_return;
  const std::weak_ptr<bool> alive = alive_;
  const std::uint64_t fence = it->second->fence;
  const std::uint64_t done = it->second->done;
  task<result<publishing_turn>> asking = env_.parts.log.published(room, fence, done);
  const result<publishing_turn> turn = co_await asking;
  if (alive.expired()) co_return;
  it = held_.find(room);
  if (it == held_.end() || it->second->fence != fence) co_return;
  held_room& held = *it->second;
  held.confirming = false;
  if (!turn) {
    retry_later(room, held);
    co_return;
  }
  held.confirmed = std::max(held.confirmed, done);
  if (!turn->ours) {
    let_go(room);
    co_return;
  }
  if (turn->pending.empty() && held.queue.empty() && held.done == held.confirmed) {
    // others are on the way with answers of their own; if they are lost, asking again brings them
    retry_later(room, held);
    co_return;
  }
  take(room, *turn, entries_of(room, *turn));
}

std::vector<entry_ptr> room_publisher::entries_of(const room_name& room, const publishing_turn& turn) {
  std::vector<entry_ptr> out;
  out.reserve(turn.pending.size());
  for (const room_entry& e : turn.pending)
    out.push_back(std::make_shared<const log_entry>(room, e));
  return out;
}

void room_publisher::retry_later(const room_name& room, held_room& held) {
  held.retry = env_.timers.after(retry_pause, [this, room] { retry(room); });
}

void room_publisher::retry(const room_name& room) {
  const auto it = held_.find(room);
  if (it == held_.end()) return;
  held_room& held = *it->second;
  if (held.broken) {
    if (!env_.parts.bus.is_up()) return;  // `retry_all` comes
    for (const std::shared_ptr<sending>& item : held.queue) {
      if (item->open > 0) return retry_later(room, held);
    }
    retries_.add();
    held.broken = false;
    for (const std::shared_ptr<sending>& item : held.queue)
      item->begun = false;
    pump(room, held);
  }
  const auto still = held_.find(room);
  if (still != held_.end()) advance(room, *still->second);
}

void room_publisher::retry_all() {
  std::vector<room_name> rooms;
  for (const auto& [room, held] : held_) {
    if (held->broken) rooms.push_back(room);
  }
  for (const room_name& room : rooms)
    retry(room);
}

void room_publisher::let_go(const room_name& room) {
  auto gone = held_.extract(room);
  if (gone.empty()) return;
  remember_audience(room, std::move(gone.mapped()->audience));
}

void room_publisher::remember_audience(const room_name& room, room_audience audience) {
  if (const auto it = audience_at_.find(room); it != audience_at_.end()) {
    audiences_.erase(it->second);
    audience_at_.erase(it);
  }
  if (audience.version.empty()) return;
  audiences_.emplace_front(room, std::move(audience));
  audience_at_[room] = audiences_.begin();
  while (audiences_.size() > most_audiences) {
    audience_at_.erase(audiences_.back().first);
    audiences_.pop_back();
  }
}

void room_publisher::forget_all() {
  held_.clear();
  waiting_.clear();
  audiences_.clear();
  audience_at_.clear();
}

}  // namespace roombus
