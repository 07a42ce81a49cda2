// Operations that touch a room and a user. The room is the truth; the user's index may name too many rooms.

#include <algorithm>
#include <utility>

#include "adapters/loop/event_loop.hpp"
#include "adapters/redis/redis_store_impl.hpp"

namespace roombus::redis {

namespace {

/// From the answer of room_leave.lua or room_end.lua.
std::function<room_entry(const reply&)> leaving_entry(const user_name& user, const connection_id& id) {
  return [user, id](const reply& answer) {
    room_entry e;
    e.kind = room_entry_kind::left;
    e.user = user;
    e.id = id;
    e.user_changed = answer.at(3).number == 1;
    e.reads = answer.at(7).text;
    return e;
  };
}

/// A join that began before its connection ended is over by then, whatever happened to it.
constexpr const char* tombstone_ms = "300000";

}  // namespace

task<result<void>> redis_store::mark(user_name user, connection_id id, std::string life, room_name room,
                                     std::string what, log_position at) {
  words arguments{id.str(),        std::move(life),     room.str(),
                  std::move(what), std::move(at.epoch), std::to_string(at.sequence)};
  task<result<reply>> running = on_user(scripts::user_mark, std::move(user), effect::repeatable, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return result<void>{};
}

task<void> redis_store::forget_memberships(room_name room, std::vector<removed_member> removed, log_position removal) {
  std::vector<task<result<void>>> running;
  for (const removed_member& member : removed) {
    for (const connection_id& id : member.connections)
      running.push_back(mark(member.user, id, std::string(), room, "gone", removal));
  }
  for (task<result<void>>& one : running) {
    const result<void> forgotten = co_await one;
    (void)forgotten;
  }
}

task<result<std::string>> redis_store::index_join(join_request request) {
  words arguments{request.id.str(), request.room.str()};
  task<result<reply>> running = on_user(scripts::user_index, request.user, effect::repeatable, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return std::to_string(answer->at(1).number);
}

task<result<begun_join>> redis_store::begin_join(join_request request) {
  // both at once: the check only reads
  task<result<std::string>> indexing = index_join(request);
  words arguments{request.user.str(), request.id.str()};
  task<result<reply>> checking = on_room(scripts::room_check_join, request.room, effect::none, std::move(arguments));
  const result<std::string> life = co_await indexing;
  const result<reply> answer = co_await checking;
  const bool room_is_there = answer || answer.error().code() != errc::no_room;
  if (!life || !answer) {
    if (life) {
      task<result<void>> marking = mark(request.user, request.id, *life, request.room, "cancelled");
      const result<void> marked = co_await marking;
      (void)marked;
    }
    if (room_is_there && !life) co_return life.error();
    co_return answer.error();
  }
  begun_join begun;
  begun.already = answer->at(1).number == 1;
  begun.njoined = static_cast<std::uint64_t>(answer->at(2).number);
  if (sink_ != nullptr) begun.at = checked_position(*answer);
  if (begun.already) {
    // so it is in the room; an answer that was lost may have left the index behind
    task<result<void>> marking = mark(request.user, request.id, *life, request.room, "joined", begun.at);
    const result<void> marked = co_await marking;
    (void)marked;
  } else {
    begun_[{request.user, request.id, request.room}] = *life;
  }
  co_return begun;
}

/// Makes the user's index say what the room says, as soon as that can be done.
task<void> redis_store::agree_on_index(join_request request, std::weak_ptr<bool> alive) {
  constexpr int attempts = 60;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    completion<bool> pause;
    timer_handle timer = env_.loop.after(std::chrono::milliseconds(500), [pause] { pause.complete(true); });
    co_await pause;
    if (alive.expired()) co_return;
    task<result<begun_join>> beginning = begin_join(request);
    const result<begun_join> begun = co_await beginning;
    if (alive.expired()) co_return;
    if (begun && !begun->already) {
      task<result<void>> cancelling = cancel_join(request);
      const result<void> cancelled = co_await cancelling;
      (void)cancelled;
      co_return;
    }
    if (begun) co_return;
    const errc why = begun.error().code();
    if (why != errc::unavailable && why != errc::timeout) co_return;
  }
}

task<result<joined>> redis_store::confirm_join(join_request request, history_request history) {
  std::string life;
  bool gated = false;
  auto begun = begun_.extract({request.user, request.id, request.room});
  const bool noted = sink_ == nullptr || noted_.contains(request.room.str());
  if (!begun.empty()) life = std::move(begun.mapped());
  if (life.empty() || !noted) {
    // what is asked of the room from here on comes after this join
    task<void> turn = room_gates_.enter(request.room.str());
    co_await turn;
    gated = true;
  }
  if (life.empty()) {
    task<result<std::string>> indexing = index_join(request);
    const result<std::string> indexed = co_await indexing;
    if (!indexed) {
      room_gates_.open(request.room.str());
      task<result<void>> finding = find_room(request.room);
      const result<void> found = co_await finding;
      if (!found) co_return found.error();
      co_return indexed.error();
    }
    life = *indexed;
  }
  if (!noted) {
    task<result<void>> noting = note_room(request.room);
    const result<void> in_set = co_await noting;
    if (!in_set) {
      room_gates_.open(request.room.str());
      task<result<void>> marking = mark(request.user, request.id, life, request.room, "cancelled");
      const result<void> marked = co_await marking;
      (void)marked;
      co_return in_set.error();
    }
  }
  words arguments = history_words(history);
  const words about{request.user.str(), request.id.str(),        life, std::to_string(request.now_ms), request.reads,
                    request.attempt,    flag(request.enters_log)};
  arguments.insert(arguments.begin(), about.begin(), about.end());
  if (!gated && room_gates_.shut(request.room.str())) {
    task<void> turn = room_gates_.pass(request.room.str());
    co_await turn;
  }
  entry_maker entry = [request](const reply& answer) {
    room_entry e;
    e.kind = room_entry_kind::joined;
    e.user = request.user;
    e.id = request.id;
    e.user_changed = answer.at(3).number == 1;
    e.reads = request.reads;
    e.attempt = request.attempt;
    return e;
  };
  task<result<reply>> running =
      on_open_room(scripts::room_join, request.room, effect::once, std::move(arguments), std::move(entry));
  if (gated) room_gates_.open(request.room.str());
  const result<reply> answer = co_await running;
  const bool unknown = !answer && answer.error().code() == errc::timeout;
  joined out;
  if (answer) out.history = page_of(answer->at(7));
  if (answer && sink_ != nullptr) {
    out.at.epoch = out.history.position.epoch;
    out.at.sequence = static_cast<std::uint64_t>(answer->at(1).number);
  }
  if (!unknown) {  // else the index keeps naming it
    task<result<void>> marking =
        mark(request.user, request.id, life, request.room, answer ? "joined" : "cancelled", out.at);
    const result<void> marked = co_await marking;
    // the room decides; what the user's own list says is put right
    if (!marked && answer) agree_on_index(request, alive_).detach();
  }
  if (!answer) co_return answer.error();
  out.newly = answer->at(2).number == 1;
  out.user_newly = answer->at(3).number == 1;
  out.njoined = static_cast<std::uint64_t>(answer->at(4).number);
  out.switches.userlist_updates = answer->at(5).text == "1";
  out.switches.access_lists_updates = answer->at(6).text == "1";
  co_return out;
}

task<result<void>> redis_store::cancel_join(join_request request) {
  auto begun = begun_.extract({request.user, request.id, request.room});
  std::string life;
  if (!begun.empty()) life = std::move(begun.mapped());
  task<result<void>> marking = mark(request.user, request.id, std::move(life), request.room, "cancelled");
  const result<void> marked = co_await marking;
  co_return marked;
}

task<result<left_room>> redis_store::leave(join_request request) {
  words arguments{request.user.str(), request.id.str(), "", std::to_string(request.now_ms)};
  entry_maker entry = leaving_entry(request.user, request.id);
  task<result<reply>> running =
      on_room(scripts::room_leave, request.room, effect::once, std::move(arguments), std::move(entry));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  left_room left = left_of(request.room, *answer);
  task<result<void>> marking = mark(request.user, request.id, std::string(), request.room, "gone");
  const result<void> marked = co_await marking;
  (void)marked;  // the index may name too many
  co_return left;
}

/// Dead in the user, then out of each room, then forgotten. When this ends half way, whoever ends the connection again
/// goes on.
task<result<disconnected>> redis_store::disconnect(user_name user, connection_id id, std::int64_t now_ms) {
  // one end at a time: the second finds nothing left, or goes on where the first failed
  const std::string gate = user.str() + '\n' + id.str();
  task<void> turn = end_gates_.enter(gate);
  co_await turn;
  task<result<disconnected>> ending = end_connection(std::move(user), std::move(id), now_ms);
  result<disconnected> out = co_await ending;
  end_gates_.open(gate);
  co_return out;
}

task<result<disconnected>> redis_store::end_connection(user_name user, connection_id id, std::int64_t now_ms) {
  // an end takes at most two time limits; after that another instance may go on
  words closing{id.str(), fresh_attempt(), attempt_prefix_, std::to_string(now_ms),
                std::to_string(2 * options_.timeout.count())};
  task<result<reply>> running = on_user(scripts::user_close, user, effect::repeatable, std::move(closing));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  disconnected out;
  out.was_connected = answer->at(1).number == 1;
  out.nconnected = static_cast<std::uint64_t>(answer->at(2).number);
  if (!out.was_connected) co_return out;

  const std::string life = std::to_string(answer->at(3).number);
  const std::string instance = answer->at(4).text;
  const std::string attempt = answer->at(5).text;
  std::vector<room_name> rooms;
  for (std::size_t i = 6; i < answer->items.size(); ++i)
    rooms.emplace_back(answer->items[i].text);
  std::sort(rooms.begin(), rooms.end());
  std::vector<task<result<reply>>> leaving;
  for (const room_name& room : rooms) {
    words ending{user.str(), id.str(), life, std::to_string(now_ms), attempt, tombstone_ms};
    entry_maker entry = leaving_entry(user, id);
    leaving.push_back(on_room(scripts::room_end, room, effect::repeatable, std::move(ending), std::move(entry)));
  }
  std::optional<chat_error> failure;
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    const result<reply> left = co_await leaving[i];
    if (!left && left.error().code() != errc::no_room) failure = left.error();
    if (!left) continue;
    left_room one = left_of(rooms[i], *left);
    if (one.changed) out.rooms.push_back(std::move(one));
  }
  if (failure) co_return *failure;

  words forgetting{id.str(), life};
  task<result<reply>> closed = on_user(scripts::user_closed, user, effect::repeatable, std::move(forgetting));
  const result<reply> forgotten = co_await closed;
  if (!forgotten) co_return out;  // all has been done; the instance's list names one too many
  const std::string index = key("i:" + instance);
  words unlisting{"SREM", index, user.str() + '\n' + id.str()};
  task<result<reply>> unlisted = command(effect::repeatable, index, std::move(unlisting));
  const result<reply> gone = co_await unlisted;
  (void)gone;
  co_return out;
}

task<result<std::vector<repaired_member>>> redis_store::repair_room(room_name room, std::int64_t now_ms) {
  task<result<reply>> running = on_room(scripts::room_members, room, effect::none, words());
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  struct suspect {
    user_name user;
    connection_id id;
    std::string life;
    bool has_access;
  };
  std::vector<suspect> members;
  for (std::size_t i = 1; i < answer->items.size(); ++i) {
    const reply& member = answer->items[i];
    for (std::size_t c = 2; c + 1 < member.items.size(); c += 2) {
      members.push_back({user_name(member.at(0).text), connection_id(member.at(c).text),
                         std::to_string(member.at(c + 1).number), member.at(1).number == 1});
    }
  }
  std::sort(members.begin(), members.end(), [](const suspect& a, const suspect& b) { return a.user < b.user; });

  std::vector<task<result<reply>>> looking;
  for (const suspect& member : members) {
    words question{member.id.str()};
    looking.push_back(on_user(scripts::user_find_connection, member.user, effect::none, std::move(question)));
  }
  std::vector<repaired_member> repaired;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const suspect& member = members[i];
    const result<reply> found = co_await looking[i];
    if (!found) co_return found.error();
    if (!found->at(1).text.empty() && member.has_access) continue;
    words leaving{member.user.str(), member.id.str(), member.life, std::to_string(now_ms)};
    entry_maker entry = leaving_entry(member.user, member.id);
    task<result<reply>> taking = on_room(scripts::room_leave, room, effect::once, std::move(leaving), std::move(entry));
    const result<reply> taken = co_await taking;
    if (!taken) co_return taken.error();
    left_room left = left_of(room, *taken);
    if (!left.changed) continue;
    task<result<void>> marking = mark(member.user, member.id, std::string(), room, "gone");
    const result<void> marked = co_await marking;
    (void)marked;
    repaired.push_back({member.user, member.id, std::move(left)});
  }
  co_return repaired;
}

}  // namespace roombus::redis
