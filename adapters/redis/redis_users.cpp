// Operations on one user.

#include <algorithm>
#include <utility>

#include "adapters/redis/redis_store_impl.hpp"

namespace roombus::redis {

/// The index first: it may name too many.
task<result<void>> redis_store::add_user(user_name user, direct_settings settings) {
  const std::string index = key("users");
  words listing{"ZADD", index, "0", user.str()};
  task<result<reply>> listed = command(effect::repeatable, index, std::move(listing));
  const result<reply> in_index = co_await listed;
  if (!in_index) co_return in_index.error();
  words arguments{flag(settings.whitelist_only), std::to_string(settings.whitelist.size())};
  for (const std::vector<user_name>* names : {&settings.whitelist, &settings.blacklist}) {
    for (const user_name& name : *names)
      arguments.push_back(name.str());
  }
  task<result<reply>> running = on_user(scripts::user_add, user, effect::once, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return result<void>{};
}

task<result<void>> redis_store::remove_user(user_name user) {
  task<result<reply>> running = on_user(scripts::user_remove, user, effect::once, words());
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  const std::string index = key("users");
  words unlisting{"ZREM", index, user.str()};
  task<result<reply>> unlisted = command(effect::repeatable, index, std::move(unlisting));
  const result<reply> out_of_index = co_await unlisted;
  task<result<bool>> finding = has_user(user);
  const result<bool> anew = co_await finding;
  if (out_of_index && anew && *anew) {  // came back in the meantime
    words listing{"ZADD", index, "0", user.str()};
    task<result<reply>> listed = command(effect::repeatable, index, std::move(listing));
    const result<reply> back = co_await listed;
    (void)back;
  }
  co_return result<void>{};
}

task<result<bool>> redis_store::has_user(user_name user) {
  words arguments{"exists"};
  task<result<reply>> running = on_user(scripts::user_read, std::move(user), effect::none, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return answer->at(1).number == 1;
}

/// The indexes first, both at once: the instance's connections and the list of users may name too many.
task<result<std::uint64_t>> redis_store::connect(connection_record record, std::size_t limit) {
  const std::string of_instance = key("i:" + record.instance);
  words noting{"SADD", of_instance, record.user.str() + '\n' + record.id.str()};
  task<result<reply>> note = command(effect::repeatable, of_instance, std::move(noting));
  const std::string index = key("users");
  words listing{"ZADD", index, "0", record.user.str()};
  task<result<reply>> list = command(effect::repeatable, index, std::move(listing));
  const result<reply> noted = co_await note;
  const result<reply> listed = co_await list;
  if (!noted) co_return noted.error();
  if (!listed) co_return listed.error();
  words arguments{record.id.str(), record.instance, std::to_string(limit), std::to_string(record.now_ms)};
  task<result<reply>> running = on_user(scripts::user_connect, record.user, effect::repeatable, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return static_cast<std::uint64_t>(answer->at(1).number);
}

task<result<value>> redis_store::connections(user_name user) {
  task<result<reply>> running = on_user(scripts::user_connections, std::move(user), effect::none, words());
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  std::vector<const reply*> rows;
  for (std::size_t i = 1; i < answer->items.size(); ++i)
    rows.push_back(&answer->items[i]);
  std::sort(rows.begin(), rows.end(), [](const reply* a, const reply* b) { return a->at(0).text < b->at(0).text; });
  value_map out;
  for (const reply* row : rows)
    out.append(row->at(0).text, sorted_names(*row, 2));
  co_return value(std::move(out));
}

task<result<std::vector<connection_record>>> redis_store::connection_records(user_name user) {
  task<result<reply>> running = on_user(scripts::user_connections, user, effect::none, words());
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  std::vector<connection_record> out;
  for (std::size_t i = 1; i < answer->items.size(); ++i) {
    connection_record record;
    record.user = user;
    record.id = connection_id(answer->items[i].at(0).text);
    record.instance = answer->items[i].at(1).text;
    out.push_back(std::move(record));
  }
  std::sort(out.begin(), out.end(), [](const connection_record& a, const connection_record& b) { return a.id < b.id; });
  co_return out;
}

task<result<value>> redis_store::list_users(std::string after, std::size_t limit) {
  task<result<value>> running = list_names(key("users"), false, std::move(after), limit);
  result<value> names = co_await running;
  co_return names;
}

task<result<bool>> redis_store::has_in_direct_list(user_name user, std::string list, user_name item) {
  words arguments{"in_list", std::move(list), item.str()};
  task<result<reply>> running = on_user(scripts::user_read, std::move(user), effect::none, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return answer->at(1).number == 1;
}

task<result<direct_access>> redis_store::check_direct(user_name recipient, user_name sender) {
  words arguments{recipient.str(), sender.str()};
  task<result<reply>> running = on_user(scripts::user_direct, std::move(recipient), effect::none, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  direct_access access;
  access.allowed = answer->at(1).number == 1;
  access.online = answer->at(2).number == 1;
  co_return access;
}

task<result<void>> redis_store::edit_direct_list(user_name user, std::string list, bool add,
                                                 std::vector<user_name> names, std::size_t limit) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  words arguments{user.str(), std::move(list), flag(add), std::to_string(limit)};
  for (const user_name& name : names)
    arguments.push_back(name.str());
  task<result<reply>> running = on_user(scripts::user_edit, std::move(user), effect::repeatable, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return result<void>{};
}

task<result<value>> redis_store::direct_list(user_name user, std::string list) {
  words arguments{"list", std::move(list)};
  task<result<reply>> running = on_user(scripts::user_read, std::move(user), effect::none, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return sorted_names(answer->at(1), 0);
}

task<result<void>> redis_store::set_direct_whitelist_mode(user_name user, bool whitelist_only) {
  words arguments{flag(whitelist_only)};
  task<result<reply>> running = on_user(scripts::user_mode, std::move(user), effect::repeatable, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return result<void>{};
}

task<result<bool>> redis_store::direct_whitelist_mode(user_name user) {
  words arguments{"mode"};
  task<result<reply>> running = on_user(scripts::user_read, std::move(user), effect::none, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return answer->at(1).text == "1";
}

}  // namespace roombus::redis
