// Which incarnations live, who recovers dead ones, and who serves which devices.

#include <algorithm>
#include <utility>

#include "adapters/redis/redis_store_impl.hpp"

namespace roombus::redis {

namespace {

/// "<ms> <beats>" of a life, without what a recovery adds; empty: an instance that is alone.
std::string beat_of(const std::string& kept) {
  const std::size_t first = kept.find(' ');
  if (first == std::string::npos) return "";
  return kept.substr(0, kept.find(' ', first + 1));
}

}  // namespace

task<result<bool>> redis_store::beat(std::string incarnation, bool first) {
  call c(scripts::cluster_beat, key("instances"), effect::repeatable);
  c.words = {std::move(incarnation), flag(first), std::to_string(env_.time.now_ms())};
  task<result<reply>> running = client_.run(std::move(c));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return answer->at(1).number == 1;
}

task<result<std::vector<instance_life>>> redis_store::lives() {
  const std::string all = key("instances");
  words arguments{"HGETALL", all};
  task<result<reply>> running = command(effect::none, all, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  std::vector<instance_life> out;
  for (std::size_t i = 0; i + 1 < answer->items.size(); i += 2) {
    instance_life life;
    life.incarnation = answer->items[i].text;
    life.beat = beat_of(answer->items[i + 1].text);
    life.dead = life.beat.size() < answer->items[i + 1].text.size();
    if (!life.beat.empty()) out.push_back(std::move(life));
  }
  std::sort(out.begin(), out.end(),
            [](const instance_life& a, const instance_life& b) { return a.incarnation < b.incarnation; });
  co_return out;
}

task<result<bool>> redis_store::begin_recovery(std::string dead, std::string by, std::int64_t lease_ms) {
  call c(scripts::cluster_recover, key("instances"), effect::repeatable);
  c.words = {std::move(dead), std::move(by), std::to_string(env_.time.now_ms()), std::to_string(lease_ms)};
  task<result<reply>> running = client_.run(std::move(c));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return answer->at(1).number == 1;
}

/// Its life last: what fails before it is tried again.
task<result<void>> redis_store::forget_lives(std::vector<std::string> names, bool outboxes) {
  const std::string all = key("instances");
  for (std::string& name : names) {
    std::vector<std::string> sets{key("i:" + name)};
    if (outboxes) sets.push_back(key("o:" + name));
    for (const std::string& set : sets) {
      words dropping{"UNLINK", set};
      task<result<reply>> drop = command(effect::repeatable, set, std::move(dropping));
      const result<reply> dropped = co_await drop;
      if (!dropped) co_return dropped.error();
    }
    words arguments{"HDEL", all, std::move(name)};
    task<result<reply>> running = command(effect::repeatable, all, std::move(arguments));
    const result<reply> answer = co_await running;
    if (!answer) co_return answer.error();
  }
  co_return result<void>{};
}

task<result<void>> redis_store::finish_recovery(std::string dead) {
  std::vector<std::string> names{std::move(dead)};
  task<result<void>> forgetting = forget_lives(std::move(names), true);
  const result<void> forgotten = co_await forgetting;
  co_return forgotten;
}

task<result<std::vector<partition_owner>>> redis_store::partitions() {
  const std::string all = key("partitions");
  words arguments{"HGETALL", all};
  task<result<reply>> running = command(effect::none, all, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  std::vector<partition_owner> out(partition_count);
  for (std::size_t i = 0; i + 1 < answer->items.size(); i += 2) {
    const auto number = static_cast<std::size_t>(answer->items[i].as_number());
    // "<fence> <attempt> <incarnation>"
    const std::string& kept = answer->items[i + 1].text;
    const std::size_t fence_end = kept.find(' ');
    const std::size_t attempt_end = fence_end == std::string::npos ? fence_end : kept.find(' ', fence_end + 1);
    if (number >= out.size() || attempt_end == std::string::npos) continue;
    out[number].incarnation = kept.substr(attempt_end + 1);
    for (const char c : kept.substr(0, fence_end))
      out[number].fence = out[number].fence * 10 + static_cast<std::uint64_t>(c - '0');
  }
  co_return out;
}

task<result<std::vector<std::size_t>>> redis_store::move_partitions(std::vector<std::size_t> numbers, std::string from,
                                                                    std::string to) {
  call c(scripts::cluster_move_partitions, key("partitions"), effect::repeatable);
  c.words = {std::move(from), std::move(to), fresh_attempt()};
  for (const std::size_t number : numbers) {
    if (number < partition_count) c.words.push_back(std::to_string(number));
  }
  task<result<reply>> running = client_.run(std::move(c));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  std::vector<std::size_t> moved;
  for (std::size_t i = 1; i < answer->items.size(); ++i)
    moved.push_back(static_cast<std::size_t>(answer->items[i].number));
  co_return moved;
}

/// The index of both names it for a while: it may name too many.
task<result<std::optional<std::vector<joined_room>>>> redis_store::adopt(user_name user, connection_id id,
                                                                         std::string from, std::string to) {
  const std::string member = user.str() + '\n' + id.str();
  const std::string of_new = key("i:" + to);
  words noting{"SADD", of_new, member};
  task<result<reply>> note = command(effect::repeatable, of_new, std::move(noting));
  const result<reply> noted = co_await note;
  if (!noted) co_return noted.error();
  words arguments{id.str(), from, to};
  task<result<reply>> running = on_user(scripts::user_adopt, user, effect::repeatable, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  const bool adopted = answer->at(1).number == 1;

  // the room is the truth
  std::vector<room_name> indexed;
  std::vector<task<result<reply>>> asking;
  for (std::size_t i = 2; i < answer->items.size(); ++i) {
    indexed.emplace_back(answer->items[i].text);
    words question{user.str(), id.str()};
    asking.push_back(on_room(scripts::room_check_join, indexed.back(), effect::none, std::move(question)));
  }
  std::vector<joined_room> joined;
  std::vector<task<result<void>>> forgetting;
  std::optional<chat_error> failure;
  for (std::size_t i = 0; i < asking.size(); ++i) {
    const result<reply> in_room = co_await asking[i];
    const bool is_out = in_room
                            ? in_room->at(1).number == 0
                            : in_room.error().code() == errc::no_room || in_room.error().code() == errc::not_allowed;
    if (!in_room && !is_out) {
      failure = in_room.error();
    } else if (!is_out) {
      joined.emplace_back(indexed[i], checked_position(*in_room));
    } else if (adopted) {
      // it was put out while nobody served it, by one who did not live to note it: it has to see that in its own list
      forgetting.push_back(
          mark(user, id, std::string(), indexed[i], "gone", in_room ? checked_position(*in_room) : log_position()));
    }
  }
  for (task<result<void>>& one : forgetting) {
    const result<void> forgotten = co_await one;
    if (!forgotten) failure = forgotten.error();
  }
  if (failure) co_return *failure;

  const std::string no_longer = adopted ? key("i:" + from) : of_new;
  if (from != to) {
    words unlisting{"SREM", no_longer, member};
    task<result<reply>> unlisted = command(effect::repeatable, no_longer, std::move(unlisting));
    const result<reply> gone = co_await unlisted;
    (void)gone;
  }
  std::optional<std::vector<joined_room>> out;
  if (adopted) {
    std::sort(joined.begin(), joined.end(), [](const joined_room& a, const joined_room& b) { return a.room < b.room; });
    out = std::move(joined);
  }
  co_return out;
}

}  // namespace roombus::redis
