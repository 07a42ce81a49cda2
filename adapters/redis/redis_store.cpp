#include "adapters/redis/redis_store.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "adapters/redis/redis_cluster.hpp"
#include "adapters/redis/redis_store_impl.hpp"
#include "adapters/redis/single_node.hpp"
#include "schemas/codec/cbor.hpp"

namespace roombus::redis {

namespace {

std::unique_ptr<nodes> make_nodes(const redis_options& options, const redis_environment& env) {
  const redis_url& first = options.urls.front();
  connection_options out;
  out.address = first.address;
  if (first.tls) out.tls = options.tls ? options.tls : net::default_tls_context();
  out.user = first.user;
  out.password = first.password;
  out.database = first.database;
  out.client_name = options.client_name;
  out.max_requests = options.max_requests;
  out.stall_limit = options.timeout;
  out.replicas = options.replicas;
  out.replica_limit = options.replica_timeout;
  out.scripts = scripts::all_texts();
  const connection_environment around{env.loop, env.time, env.random, env.log};
  if (!options.cluster) return make_single_node(std::move(out), around);
  std::vector<node_address> seeds;
  for (const redis_url& url : options.urls)
    seeds.push_back(url.address);
  return make_cluster(std::move(seeds), std::move(out), around);
}

}  // namespace

redis_store::redis_store(redis_options options, redis_environment env)
    : options_(std::move(options)),
      env_(env),
      client_(make_nodes(options_, env_), options_.timeout,
              client_environment{env.loop, env.time, env.random, env.log, env.metrics}),
      attempt_prefix_(random_id(env.random) + ".") {}

std::string redis_store::room_key(const room_name& room) const {
  return key("r:" + room.str());
}

std::string redis_store::user_key(const user_name& user) const {
  return key("u:" + user.str());
}

std::string redis_store::key(std::string_view what) const {
  // braces make the name the hash tag; names hold none
  return "{" + options_.prefix + ":" + std::string(what) + "}";
}

std::string redis_store::fresh_attempt() {
  return attempt_prefix_ + std::to_string(++attempts_);
}

task<result<reply>> redis_store::on_room(const script& code, room_name room, effect what, words arguments,
                                         entry_maker entry) {
  const bool notes = sink_ != nullptr && entry && !noted_.contains(room.str());
  if (notes) {
    // what is asked of the room from here on comes after this
    task<void> turn = room_gates_.enter(room.str());
    co_await turn;
    task<result<void>> noting = note_room(room);
    const result<void> noted = co_await noting;
    if (!noted) {
      room_gates_.open(room.str());
      co_return noted.error();
    }
  } else if (room_gates_.shut(room.str())) {
    task<void> turn = room_gates_.pass(room.str());
    co_await turn;
  }
  task<result<reply>> sending = on_open_room(code, room, what, std::move(arguments), std::move(entry));
  if (notes) room_gates_.open(room.str());
  result<reply> answer = co_await sending;
  co_return answer;
}

task<result<reply>> redis_store::on_open_room(const script& code, room_name room, effect what, words arguments,
                                              entry_maker entry) {
  if (sink_ != nullptr && entry) {
    const std::string by = incarnation_;
    task<result<reply>> logging = on_logged_room(code, room, what, std::move(arguments), true);
    result<reply> logged = co_await logging;
    if (logged) {
      tell_log(room, *logged, entry, by);
    } else if (logged.error().code() == errc::timeout) {
      sink_->on_unknown_outcome(room);
    }
    co_return logged;
  }
  call c(code, room_key(room), what);
  c.words = std::move(arguments);
  c.words.emplace_back();  // no log
  task<result<reply>> running = client_.run(std::move(c));
  result<reply> answer = co_await running;
  if (!answer) co_return answer;
  if (answer->at(0).text != "ok") co_return refusal(*answer, room.str());
  co_return answer;
}

task<result<reply>> redis_store::on_user(const script& code, user_name user, effect what, words arguments) {
  call c(code, user_key(user), what);
  c.words = std::move(arguments);
  task<result<reply>> running = client_.run(std::move(c));
  result<reply> answer = co_await running;
  if (!answer) co_return answer;
  if (answer->at(0).text != "ok") co_return refusal(*answer, user.str());
  co_return answer;
}

task<result<reply>> redis_store::command(effect what, std::string key, words arguments) {
  call c;
  c.key = std::move(key);
  c.words = std::move(arguments);
  c.what = what;
  task<result<reply>> running = client_.run(std::move(c));
  result<reply> answer = co_await running;
  co_return answer;
}

/// From an index of names, those that really are there.
task<result<value>> redis_store::list_names(std::string index, bool rooms, std::string after, std::size_t limit) {
  constexpr std::size_t page = 500;
  value_list names;
  while (names.size() < limit) {
    const std::size_t wanted = std::min(page, limit - names.size());
    words arguments{"ZRANGEBYLEX", index, after.empty() ? "-" : "(" + after, "+", "LIMIT", "0", std::to_string(wanted)};
    task<result<reply>> running = command(effect::none, index, std::move(arguments));
    const result<reply> answer = co_await running;
    if (!answer) co_return answer.error();
    std::vector<task<result<reply>>> checks;
    for (const reply& item : answer->items) {
      const std::string itself = key((rooms ? "r:" : "u:") + item.text);
      words question{"EXISTS", itself};
      if (rooms) question = {"HEXISTS", itself, "e"};  // the log of a removed room may still be there
      checks.push_back(command(effect::none, itself, std::move(question)));
    }
    for (std::size_t i = 0; i < checks.size(); ++i) {
      const result<reply> exists = co_await checks[i];
      if (!exists) co_return exists.error();
      if (exists->number == 1) names.emplace_back(answer->items[i].text);
    }
    if (answer->items.size() < wanted) break;
    after = answer->items.back().text;
  }
  co_return value(std::move(names));
}

chat_error refusal(const reply& answer, const std::string& name) {
  const std::string& code = answer.at(0).text;
  const value argument(answer.at(1).text);
  if (code == "no_room") return no_room(name);
  if (code == "not_joined") return {errc::not_joined, {value(name)}};
  if (code == "not_allowed") return errc::not_allowed;
  if (code == "invalid_socket") return {errc::invalid_socket, {argument}};
  if (code == "no_list") return {errc::no_list, {argument}};
  if (code == "list_limit_exceeded") return {errc::list_limit_exceeded, {argument}};
  if (code == "room_exists") return {errc::room_exists, {value(name)}};
  if (code == "no_user") return {errc::no_user, {value(name)}};
  if (code == "user_exists") return {errc::user_exists, {value(name)}};
  if (code == "user_online") return {errc::user_online, {value(name)}};
  if (code == "rate_limited") return errc::rate_limited;
  if (code == "unavailable") return errc::unavailable;
  return {errc::internal_error, {value("a script answered what is not known: " + code)}};
}

std::vector<std::string> history_words(const history_request& request) {
  const char* kind = !request.read ? "none" : request.recent ? "recent" : "after";
  return {kind, std::to_string(request.after), std::to_string(request.limit), request.epoch.value_or("")};
}

value message_of(std::string_view stored, std::uint64_t id) {
  // the first byte tells whether byte strings are in it
  return value(
      std::make_shared<const encoded_map>(cbor::with_field(stored.substr(1), "id", id), stored.front() == '1'));
}

history_page page_of(const reply& answer) {
  history_page page;
  page.gap = answer.at(0).number == 1;
  page.position.epoch = answer.at(1).text;
  page.position.first_message_id = static_cast<std::uint64_t>(answer.at(2).number);
  page.position.last_message_id = static_cast<std::uint64_t>(answer.at(3).number);
  auto id = static_cast<std::uint64_t>(answer.at(5).number);
  page.messages.reserve(answer.at(4).items.size());
  for (const reply& item : answer.at(4).items) {
    const std::string_view stored(item.text);
    if (stored.empty()) continue;
    page.messages.push_back(message_of(stored, id));
    --id;
  }
  return page;
}

left_room left_of(const room_name& room, const reply& answer) {
  left_room out;
  out.room = room;
  out.changed = answer.at(2).number == 1;
  out.user_left = answer.at(3).number == 1;
  out.njoined = static_cast<std::uint64_t>(answer.at(4).number);
  out.switches.userlist_updates = answer.at(5).text == "1";
  out.switches.access_lists_updates = answer.at(6).text == "1";
  return out;
}

std::vector<removed_member> members_of(const reply& list) {
  std::vector<removed_member> out;
  for (const reply& item : list.items) {
    removed_member member;
    member.user = user_name(item.at(0).text);
    for (std::size_t i = 1; i < item.items.size(); ++i)
      member.connections.emplace_back(item.items[i].text);
    out.push_back(std::move(member));
  }
  std::sort(out.begin(), out.end(), [](const removed_member& a, const removed_member& b) { return a.user < b.user; });
  return out;
}

value sorted_names(const reply& list, std::size_t from) {
  std::vector<std::string> names;
  for (std::size_t i = from; i < list.items.size(); ++i)
    names.push_back(list.items[i].text);
  std::sort(names.begin(), names.end());
  value_list out;
  for (std::string& name : names)
    out.emplace_back(std::move(name));
  return value(std::move(out));
}

}  // namespace roombus::redis

namespace roombus {

std::unique_ptr<shared_store> make_redis_store(redis_options options, redis_environment env) {
  return std::make_unique<redis::redis_store>(std::move(options), env);
}

}  // namespace roombus
