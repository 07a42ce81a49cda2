// Rooms' logs: what the scripts answer about them becomes what the sink is told (scripts/room_log.lua).

#include <algorithm>
#include <limits>
#include <utility>

#include "adapters/redis/redis_store_impl.hpp"

namespace roombus::redis {

namespace {

constexpr std::size_t max_noted = 100'000;  // names that are remembered; after that they are noted again

std::uint64_t uint_of(const reply& r) {
  return static_cast<std::uint64_t>(r.number);
}

notification_switches switches_of(const reply& bits) {
  notification_switches out;
  out.userlist_updates = bits.number % 2 == 1;
  out.access_lists_updates = bits.number >= 2;
  return out;
}

/// Version, readers of the shared topics, devices; nothing when the list is empty.
std::optional<room_audience> audience_of(const reply& list) {
  if (list.items.empty()) return std::nullopt;
  room_audience out;
  out.version = list.at(0).text;
  out.shared_json = list.at(1).number > 0;
  out.shared_cbor = list.at(2).number > 0;
  for (const reply& name : list.at(3).items)
    out.inboxes.push_back(name.text);
  return out;
}

}  // namespace

log_position checked_position(const reply& answer) {
  return {answer.at(4).text, uint_of(answer.at(3))};
}

room_entry entry_of(const reply& item) {
  room_entry e;
  e.sequence = uint_of(item.at(0));
  e.kind = static_cast<room_entry_kind>(item.at(1).number);
  e.epoch = item.at(2).text;
  e.origin = item.at(3).text;
  e.switches = switches_of(item.at(4));
  switch (e.kind) {
    case room_entry_kind::message:
      if (!item.at(6).text.empty()) e.message = message_of(item.at(6).text, uint_of(item.at(5)));
      break;
    case room_entry_kind::joined:
    case room_entry_kind::left:
      e.user = user_name(item.at(5).text);
      e.id = connection_id(item.at(6).text);
      e.user_changed = item.at(7).number == 1;
      e.reads = item.at(8).text;
      e.attempt = item.at(9).text;
      break;
    default:
      e.list = item.at(5).text;
      e.on = item.at(6).number == 1;
      for (const reply& name : item.at(7).items)
        e.names.emplace_back(name.text);
      e.removed = members_of(item.at(8));
      break;
  }
  return e;
}

void redis_store::keep_log(room_log_sink* sink, std::string incarnation) {
  sink_ = sink;
  incarnation_ = std::move(incarnation);
  noted_.clear();
  turns_.clear();
}

task<result<void>> redis_store::note_room(room_name room) {
  if (noted_.contains(room.str())) co_return result<void>{};
  const std::string mine = incarnation_;
  const std::string outbox = key("o:" + mine);
  words noting{"SADD", outbox, room.str()};
  task<result<reply>> running = command(effect::repeatable, outbox, std::move(noting));
  const result<reply> answer = co_await running;
  // nothing has been done to the room
  if (!answer) co_return chat_error(errc::unavailable);
  if (mine == incarnation_) {
    if (noted_.size() >= max_noted) noted_.clear();
    noted_.insert(room.str());
  }
  co_return result<void>{};
}

task<result<reply>> redis_store::on_logged_room(const script& code, room_name room, effect what, words arguments,
                                                bool trusts) {
  std::size_t& under_way = under_way_[room.str()];
  // taken off from the end
  arguments.push_back(sink_->known_audience(room));
  arguments.push_back(flag(trusts && under_way > 0));
  arguments.push_back(std::to_string(sink_->last_given(room)));
  const auto turn = turns_.find(room.str());
  arguments.push_back(std::to_string(turn == turns_.end() ? 0 : turn->second.fence));
  arguments.push_back(flag(sink_->can_publish()));
  arguments.push_back(std::to_string(env_.time.now_ms()));
  arguments.push_back(incarnation_);
  ++under_way;
  call c(code, room_key(room), what);
  c.words = std::move(arguments);
  task<result<reply>> running = client_.run(std::move(c));
  result<reply> answer = co_await running;
  const auto it = under_way_.find(room.str());
  if (--it->second == 0) under_way_.erase(it);
  if (!answer) co_return answer;
  if (answer->at(0).text != "ok") co_return refusal(*answer, room.str());
  co_return answer;
}

std::optional<publishing_turn> redis_store::turn_of(const room_name& room, const reply& part, const room_entry* own,
                                                    std::uint64_t asked) {
  publishing_turn turn;
  turn.fence = uint_of(part.at(1));
  if (part.at(0).number != 1) {
    const auto it = turns_.find(room.str());
    if (it != turns_.end() && (it->second.fence == asked || it->second.fence < turn.fence)) turns_.erase(it);
    return turn;
  }
  turn.ours = true;
  const std::uint64_t from = uint_of(part.at(2));
  const bool trusts = part.at(3).number == 1;  // that the answers before this one have arrived
  for (const reply& item : part.at(4).items)
    turn.pending.push_back(entry_of(item));
  if (own != nullptr && part.at(5).number == 1) turn.pending.push_back(*own);
  turn.audience = audience_of(part.at(6));

  handed& before = turns_[room.str()];
  const std::uint64_t given = before.fence == turn.fence ? std::min(before.given, sink_->last_given(room)) : 0;
  if (trusts && (before.fence != turn.fence || from > given + 1)) {
    // one was lost, and what it gave: a new turn gives all of it again
    turns_.erase(room.str());
    return std::nullopt;
  }
  // given by answers that arrived after this one was asked for
  std::erase_if(turn.pending, [given](const room_entry& e) { return e.sequence <= given; });
  before.fence = turn.fence;
  before.given = turn.pending.empty() ? given : turn.pending.back().sequence;
  return turn;
}

void redis_store::tell_log(const room_name& room, reply& answer, const entry_maker& entry, const std::string& by) {
  const reply part = std::move(answer.items.back());
  answer.items.pop_back();
  room_entry own;
  if (part.at(0).number > 0) own = entry(answer);
  own.sequence = uint_of(part.at(0));
  own.epoch = part.at(1).text;
  own.origin = by;
  own.switches = switches_of(part.at(2));
  std::optional<publishing_turn> turn;
  bool lost = false;
  if (by == incarnation_) {  // else it was the turn of a life that is over
    turn = turn_of(room, part.at(3), own.sequence > 0 ? &own : nullptr, 0);
    lost = !turn;
  }
  if (!turn) turn.emplace();
  if (own.sequence > 0 || (turn->ours && !turn->pending.empty()))
    sink_->on_own_entry(room, std::move(own), std::move(*turn));
  if (lost) sink_->on_unknown_outcome(room);
}

task<result<publishing_turn>> redis_store::published(room_name room, std::uint64_t fence, std::uint64_t last_done) {
  if (sink_ == nullptr) co_return publishing_turn();
  // what answers under way give is not asked for; when one of them was lost, all is
  for (bool trusts = true;; trusts = false) {
    words arguments{std::to_string(fence), std::to_string(last_done)};
    task<result<reply>> running =
        on_logged_room(scripts::room_published, room, effect::repeatable, std::move(arguments), trusts);
    const result<reply> answer = co_await running;
    if (!answer) co_return answer.error();
    std::optional<publishing_turn> turn = turn_of(room, answer->at(1).at(3), nullptr, fence);
    if (turn) co_return std::move(*turn);
  }
}

task<result<publishing_turn>> redis_store::take_over(room_name room, std::string incarnation,
                                                     std::int64_t patience_ms) {
  if (sink_ == nullptr) co_return publishing_turn();
  task<result<void>> noting = note_room(room);
  const result<void> noted = co_await noting;
  if (!noted) co_return noted.error();
  words arguments{std::move(incarnation), std::to_string(patience_ms)};
  task<result<reply>> running =
      on_logged_room(scripts::room_take_over, room, effect::repeatable, std::move(arguments), false);
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  std::optional<publishing_turn> turn = turn_of(room, answer->at(1).at(3), nullptr, 0);
  co_return std::move(*turn);  // it trusts nothing
}

task<result<log_part>> redis_store::read_log(room_name room, std::string epoch, std::uint64_t after,
                                             std::size_t limit) {
  const bool end_only = after == std::numeric_limits<std::uint64_t>::max();
  words arguments{std::move(epoch), end_only ? "" : std::to_string(after), std::to_string(limit),
                  flag(options_.replicas)};
  const effect what = options_.replicas ? effect::repeatable : effect::none;
  task<result<reply>> running = on_room(scripts::room_read_log, room, what, std::move(arguments));
  const result<reply> answer = co_await running;
  // nothing of it matters if the outcome is unknown
  if (!answer && answer.error().code() == errc::timeout) co_return chat_error(errc::unavailable);
  if (!answer) co_return answer.error();
  log_part part;
  part.complete = answer->at(1).number == 1;
  part.last = uint_of(answer->at(2));
  part.epoch = answer->at(3).text;
  for (const reply& item : answer->at(4).items)
    part.entries.push_back(entry_of(item));
  co_return part;
}

task<result<std::vector<room_name>>> redis_store::rooms_published_by(std::string incarnation) {
  const std::string outbox = key("o:" + incarnation);
  words arguments{"SMEMBERS", outbox};
  task<result<reply>> running = command(effect::none, outbox, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  std::vector<room_name> rooms;
  for (const reply& item : answer->items)
    rooms.emplace_back(item.text);
  std::sort(rooms.begin(), rooms.end());
  co_return rooms;
}

}  // namespace roombus::redis
