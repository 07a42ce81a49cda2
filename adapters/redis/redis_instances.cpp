// Which instances live: one hash of all, and for each a set of "user\nconnection" that may name too many.

#include <algorithm>
#include <optional>
#include <utility>

#include "adapters/redis/redis_store_impl.hpp"

namespace roombus::redis {

task<result<void>> redis_store::heartbeat(std::string instance, std::int64_t now_ms) {
  const std::string all = key("instances");
  words arguments{"HSET", all, std::move(instance), std::to_string(now_ms)};
  task<result<reply>> running = command(effect::repeatable, all, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return result<void>{};
}

task<result<std::optional<std::int64_t>>> redis_store::last_heartbeat(std::string instance) {
  const std::string all = key("instances");
  words arguments{"HGET", all, std::move(instance)};
  task<result<reply>> running = command(effect::none, all, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  std::optional<std::int64_t> last;
  if (answer->type == reply::kind::text) last = answer->as_number();
  co_return last;
}

task<result<std::vector<std::string>>> redis_store::instances() {
  const std::string all = key("instances");
  words arguments{"HKEYS", all};
  task<result<reply>> running = command(effect::none, all, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  std::vector<std::string> names;
  for (const reply& item : answer->items)
    names.push_back(item.text);
  std::sort(names.begin(), names.end());
  co_return names;
}

task<result<void>> redis_store::forget_instance(std::string instance) {
  const std::string connections = key("i:" + instance);
  words dropping{"UNLINK", connections};
  task<result<reply>> drop = command(effect::repeatable, connections, std::move(dropping));
  const result<reply> dropped = co_await drop;
  if (!dropped) co_return dropped.error();
  const std::string all = key("instances");
  words arguments{"HDEL", all, std::move(instance)};
  task<result<reply>> running = command(effect::repeatable, all, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return result<void>{};
}

/// Those that end half way are among them, so that a recovery finishes them.
task<result<std::vector<connection_record>>> redis_store::instance_connections(std::string instance) {
  const std::string index = key("i:" + instance);
  words arguments{"SMEMBERS", index};
  task<result<reply>> running = command(effect::none, index, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();

  std::vector<connection_record> named;
  std::vector<task<result<reply>>> looking;
  for (const reply& item : answer->items) {
    const std::size_t end = item.text.find('\n');
    if (end == std::string::npos) continue;
    connection_record record;
    record.user = user_name(item.text.substr(0, end));
    record.id = connection_id(item.text.substr(end + 1));
    record.instance = instance;
    words question{record.id.str()};
    looking.push_back(on_user(scripts::user_find_connection, record.user, effect::none, std::move(question)));
    named.push_back(std::move(record));
  }
  std::vector<connection_record> out;
  for (std::size_t i = 0; i < named.size(); ++i) {
    const result<reply> found = co_await looking[i];
    if (!found) co_return found.error();
    if (found->at(1).text == instance || found->at(2).text == instance) out.push_back(named[i]);
  }
  std::sort(out.begin(), out.end(), [](const connection_record& a, const connection_record& b) {
    return std::tie(a.user, a.id) < std::tie(b.user, b.id);
  });
  co_return out;
}

}  // namespace roombus::redis
