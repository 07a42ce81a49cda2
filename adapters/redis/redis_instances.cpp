// Which instances live: one hash of all, and for each a set of "user\nconnection" that may name too many.

#include <algorithm>
#include <optional>
#include <utility>

#include "adapters/redis/redis_store_impl.hpp"

namespace roombus::redis {

namespace {

/// Of an incarnation, "id~random"; the name itself if it is none.
std::string id_of(const std::string& incarnation) {
  return incarnation.substr(0, incarnation.rfind('~'));
}

}  // namespace

task<result<void>> redis_store::heartbeat(std::string instance, std::int64_t now_ms) {
  const std::string all = key("instances");
  words arguments{"HSET", all, std::move(instance), std::to_string(now_ms)};
  task<result<reply>> running = command(effect::repeatable, all, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return result<void>{};
}

/// An instance that keeps a log goes by its incarnations, "id~…"; one that is alone by its id.
task<result<std::vector<std::string>>> redis_store::names_of(std::string instance) {
  std::vector<std::string> names{instance};
  if (sink_ == nullptr) co_return names;
  const std::string all = key("instances");
  words arguments{"HKEYS", all};
  task<result<reply>> running = command(effect::none, all, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  for (const reply& item : answer->items) {
    if (id_of(item.text) == instance && item.text != instance) names.push_back(item.text);
  }
  co_return names;
}

/// The newest of its incarnations.
task<result<std::optional<std::int64_t>>> redis_store::last_heartbeat(std::string instance) {
  task<result<std::vector<std::string>>> naming = names_of(std::move(instance));
  const result<std::vector<std::string>> names = co_await naming;
  if (!names) co_return names.error();
  const std::string all = key("instances");
  words arguments{"HMGET", all};
  arguments.insert(arguments.end(), names->begin(), names->end());
  task<result<reply>> running = command(effect::none, all, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  std::optional<std::int64_t> last;
  for (const reply& item : answer->items) {
    if (item.type != reply::kind::text) continue;
    reply time;  // of a life only the first word is
    time.type = reply::kind::text;
    time.text = item.text.substr(0, item.text.find(' '));
    last = std::max(last.value_or(time.as_number()), time.as_number());
  }
  co_return last;
}

task<result<std::vector<std::string>>> redis_store::instances() {
  const std::string all = key("instances");
  words arguments{"HGETALL", all};
  task<result<reply>> running = command(effect::none, all, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  std::vector<std::string> names;
  for (std::size_t i = 0; i + 1 < answer->items.size(); i += 2) {
    const bool is_life = answer->items[i + 1].text.find(' ') != std::string::npos;
    names.push_back(is_life ? id_of(answer->items[i].text) : answer->items[i].text);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  co_return names;
}

task<result<void>> redis_store::forget_instance(std::string instance) {
  task<result<std::vector<std::string>>> naming = names_of(std::move(instance));
  result<std::vector<std::string>> names = co_await naming;
  if (!names) co_return names.error();
  task<result<void>> forgetting = forget_lives(std::move(*names), sink_ != nullptr);
  const result<void> forgotten = co_await forgetting;
  co_return forgotten;
}

/// Those that end half way are among them, so that a recovery finishes them.
task<result<std::vector<connection_record>>> redis_store::instance_connections(std::string instance) {
  task<result<std::vector<std::string>>> naming = names_of(std::move(instance));
  const result<std::vector<std::string>> names = co_await naming;
  if (!names) co_return names.error();
  std::vector<connection_record> named;
  std::vector<task<result<reply>>> looking;
  for (const std::string& name : *names) {
    const std::string index = key("i:" + name);
    words arguments{"SMEMBERS", index};
    task<result<reply>> running = command(effect::none, index, std::move(arguments));
    const result<reply> answer = co_await running;
    if (!answer) co_return answer.error();
    for (const reply& item : answer->items) {
      const std::size_t end = item.text.find('\n');
      if (end == std::string::npos) continue;
      connection_record record;
      record.user = user_name(item.text.substr(0, end));
      record.id = connection_id(item.text.substr(end + 1));
      record.instance = name;
      words question{record.id.str()};
      looking.push_back(on_user(scripts::user_find_connection, record.user, effect::none, std::move(question)));
      named.push_back(std::move(record));
    }
  }
  std::vector<connection_record> out;
  for (std::size_t i = 0; i < named.size(); ++i) {
    const result<reply> found = co_await looking[i];
    if (!found) co_return found.error();
    const std::string& name = named[i].instance;
    if (found->at(1).text == name || found->at(2).text == name) out.push_back(named[i]);
  }
  std::sort(out.begin(), out.end(), [](const connection_record& a, const connection_record& b) {
    return std::tie(a.user, a.id) < std::tie(b.user, b.id);
  });
  co_return out;
}

}  // namespace roombus::redis
