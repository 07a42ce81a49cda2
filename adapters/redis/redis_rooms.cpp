// Operations on one room: one round trip each, but for the indexes of those who are removed by them.

#include <algorithm>
#include <utility>

#include "adapters/redis/redis_store_impl.hpp"
#include "schemas/codec/cbor.hpp"

namespace roombus::redis {

namespace {

void append_names(std::vector<std::string>& out, const std::vector<user_name>& names) {
  out.push_back(std::to_string(names.size()));
  for (const user_name& name : names)
    out.push_back(name.str());
}

const char* field_name(room_field field) {
  switch (field) {
    case room_field::owner:
      return "owner";
    case room_field::whitelist_mode:
      return "whitelist_mode";
    case room_field::notifications:
      return "notifications";
    case room_field::history_info:
      return "history_info";
    case room_field::user_seen:
      return "user_seen";
    case room_field::list:
      return "list";
    case room_field::in_list:
      return "in_list";
    case room_field::access:
      return "access";
  }
  return "";
}

value text_or_null(const reply& r) {
  return r.type == reply::kind::text ? value(r.text) : value();
}

value uint_value(const reply& r) {
  std::uint64_t n = 0;
  for (const char c : r.text)
    n = n * 10 + static_cast<std::uint64_t>(c - '0');
  return value(n);
}

value field_value(const room_query& query, const reply& answer) {
  const reply& first = answer.at(1);
  switch (query.field) {
    case room_field::owner:
      return text_or_null(first);
    case room_field::whitelist_mode:
      return value(first.text == "1");
    case room_field::notifications:
      return value_map{{"enableUserlistUpdates", value(first.text == "1")},
                       {"enableAccessListsUpdates", value(answer.at(2).text == "1")}};
    case room_field::history_info: {
      const std::int64_t last = answer.at(2).number;
      const std::int64_t oldest = answer.at(4).number;
      return value_map{{"historyMaxSize", uint_value(first)},
                       {"historySize", value(last + 1 - oldest)},
                       {"lastMessageId", value(last)},
                       {"epoch", value(answer.at(3).text)},
                       {"firstMessageId", value(oldest)}};
    }
    case room_field::user_seen: {
      const reply& at = answer.at(2);
      return value_map{{"joined", value(first.number == 1)},
                       {"timestamp", at.type == reply::kind::nil ? value() : value(at.as_number())}};
    }
    case room_field::list:
      return sorted_names(first, 0);
    case room_field::in_list:
    case room_field::access:
      return value(first.number == 1);
  }
  return {};
}

/// From the answer of `access_change` in room_rules.lua.
room_entry change_entry(room_entry_kind kind, const reply& answer) {
  room_entry e;
  e.kind = kind;
  for (const reply& name : answer.at(4).items)
    e.names.emplace_back(name.text);
  e.removed = members_of(answer.at(5));
  return e;
}

}  // namespace

/// The index first: it may name too many.
task<result<void>> redis_store::add_room(room_name room, room_settings settings) {
  const std::string index = key("rooms");
  words listing{"ZADD", index, "0", room.str()};
  task<result<reply>> listed = command(effect::repeatable, index, std::move(listing));
  const result<reply> in_index = co_await listed;
  if (!in_index) co_return in_index.error();

  words arguments{settings.epoch,
                  settings.owner ? settings.owner->str() : "",
                  flag(settings.whitelist_only),
                  flag(settings.enable_userlist_updates),
                  flag(settings.enable_access_lists_updates),
                  std::to_string(settings.history_max_size)};
  append_names(arguments, settings.adminlist);
  append_names(arguments, settings.whitelist);
  append_names(arguments, settings.blacklist);
  task<result<reply>> running = on_room(scripts::room_add, room, effect::once, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return result<void>{};
}

task<result<access_change>> redis_store::remove_room(room_name room, actor by) {
  words arguments{by.user.str(), flag(by.bypass)};
  entry_maker entry = [](const reply& answer) {
    room_entry e;
    e.kind = room_entry_kind::room_removed;
    e.removed = members_of(answer.at(1));
    return e;
  };
  task<result<reply>> running =
      on_room(scripts::room_remove, room, effect::once, std::move(arguments), std::move(entry));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  access_change change;
  change.removed = members_of(answer->at(1));
  change.at = {answer->at(3).text, static_cast<std::uint64_t>(answer->at(2).number)};
  task<void> forgotten = forget_memberships(room, change.removed, change.at);
  co_await forgotten;

  // what fails here leaves a name too many in the index
  const std::string index = key("rooms");
  words unlisting{"ZREM", index, room.str()};
  task<result<reply>> unlisted = command(effect::repeatable, index, std::move(unlisting));
  const result<reply> out_of_index = co_await unlisted;
  task<result<void>> found = find_room(room);
  const result<void> anew = co_await found;
  if (out_of_index && anew) {
    // somebody made the room again in the meantime, and its name was in the index before we took it out
    words listing{"ZADD", index, "0", room.str()};
    task<result<reply>> listed = command(effect::repeatable, index, std::move(listing));
    const result<reply> back = co_await listed;
    (void)back;
  }
  co_return change;
}

task<result<void>> redis_store::find_room(room_name room) {
  const std::string itself = room_key(room);
  words question{"HEXISTS", itself, "e"};  // the log of a removed room may still be there
  task<result<reply>> running = command(effect::none, itself, std::move(question));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  if (answer->number != 1) co_return no_room(room.str());
  co_return result<void>{};
}

task<result<value>> redis_store::read_room(room_name room, actor by, room_query query) {
  words arguments{by.user.str(), flag(by.bypass), field_name(query.field), query.argument, query.item};
  task<result<reply>> running = on_room(scripts::room_read, room, effect::none, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  co_return field_value(query, *answer);
}

task<result<history_page>> redis_store::read_history(room_name room, actor by, history_request request) {
  words arguments = history_words(request);
  arguments.insert(arguments.begin(), {by.user.str(), flag(by.bypass)});
  // what a failover may lose must not be seen
  arguments.push_back(flag(options_.replicas));
  const effect what = options_.replicas ? effect::repeatable : effect::none;
  task<result<reply>> running = on_room(scripts::room_history, room, what, std::move(arguments));
  const result<reply> answer = co_await running;
  if (!answer && answer.error().code() == errc::timeout) co_return chat_error(errc::unavailable);
  if (!answer) co_return answer.error();
  co_return page_of(answer->at(1));
}

task<result<appended>> redis_store::append(append_request request) {
  std::string message = "0";
  cbor::write(message, value(*request.message));
  if (cbor::has_bytes(value(*request.message))) message.front() = '1';
  entry_maker entry;
  if (sink_ != nullptr) {
    entry = [stored = message](const reply& answer) {
      room_entry e;
      e.message = message_of(stored, static_cast<std::uint64_t>(answer.at(1).number));
      return e;
    };
  }
  words arguments{request.by.user.str(),
                  flag(request.by.bypass),
                  std::move(message),
                  fresh_attempt(),
                  std::to_string(request.now_ms),
                  request.client_token ? request.token : "",
                  std::to_string(request.window_ms),
                  std::to_string(request.max_tokens)};
  task<result<reply>> running =
      on_room(scripts::room_append, request.room, effect::repeatable, std::move(arguments), std::move(entry));
  const result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  appended out;
  out.id = static_cast<std::uint64_t>(answer->at(1).number);
  out.repeated = answer->at(2).number == 1;
  co_return out;
}

task<result<access_change>> redis_store::finish_change(room_name room, reply answer) {
  access_change change;
  change.switches.userlist_updates = answer.at(2).text == "1";
  change.switches.access_lists_updates = answer.at(3).text == "1";
  for (const reply& name : answer.at(4).items)
    change.names.emplace_back(name.text);
  change.removed = members_of(answer.at(5));
  change.at = {answer.at(6).text, static_cast<std::uint64_t>(answer.at(1).number)};
  task<void> forgotten = forget_memberships(room, change.removed, change.at);
  co_await forgotten;
  co_return change;
}

task<result<access_change>> redis_store::edit_list(room_name room, actor by, std::string list, bool add,
                                                   std::vector<user_name> names, std::size_t limit) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  entry_maker entry = [list, add](const reply& answer) {
    room_entry e = change_entry(room_entry_kind::list_edited, answer);
    e.list = list;
    e.on = add;
    return e;
  };
  words arguments{by.user.str(), flag(by.bypass),       std::move(list),
                  flag(add),     std::to_string(limit), std::to_string(env_.time.now_ms())};
  for (const user_name& name : names)
    arguments.push_back(name.str());
  task<result<reply>> running = on_room(scripts::room_edit, room, effect::once, std::move(arguments), std::move(entry));
  result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  task<result<access_change>> finishing = finish_change(std::move(room), std::move(*answer));
  result<access_change> change = co_await finishing;
  co_return change;
}

task<result<access_change>> redis_store::set_whitelist_mode(room_name room, actor by, bool whitelist_only) {
  words arguments{by.user.str(), flag(by.bypass), flag(whitelist_only), std::to_string(env_.time.now_ms())};
  entry_maker entry = [whitelist_only](const reply& answer) {
    room_entry e = change_entry(room_entry_kind::mode_set, answer);
    e.on = whitelist_only;
    return e;
  };
  task<result<reply>> running = on_room(scripts::room_mode, room, effect::once, std::move(arguments), std::move(entry));
  result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  task<result<access_change>> finishing = finish_change(std::move(room), std::move(*answer));
  result<access_change> change = co_await finishing;
  co_return change;
}

task<result<access_change>> redis_store::change_room(room_name room, room_change change) {
  words arguments{std::to_string(env_.time.now_ms())};
  if (change.owner) {
    arguments.insert(arguments.end(), {"owner", *change.owner ? (*change.owner)->str() : ""});
  } else if (change.history_max_size) {
    arguments.insert(arguments.end(), {"history", std::to_string(*change.history_max_size)});
  } else if (change.access_lists_updates) {
    arguments.insert(arguments.end(), {"access", flag(*change.access_lists_updates)});
  } else {
    arguments.insert(arguments.end(), {"userlist", flag(change.userlist_updates.value_or(false))});
  }
  entry_maker entry = [](const reply& answer) { return change_entry(room_entry_kind::changed, answer); };
  task<result<reply>> running =
      on_room(scripts::room_change, room, effect::once, std::move(arguments), std::move(entry));
  result<reply> answer = co_await running;
  if (!answer) co_return answer.error();
  task<result<access_change>> finishing = finish_change(std::move(room), std::move(*answer));
  result<access_change> changed = co_await finishing;
  co_return changed;
}

task<result<value>> redis_store::list_rooms(std::string after, std::size_t limit) {
  task<result<value>> running = list_names(key("rooms"), true, std::move(after), limit);
  result<value> names = co_await running;
  co_return names;
}

}  // namespace roombus::redis
