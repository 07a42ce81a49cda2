// The service as one of several instances: what the cluster (core/cluster) has it do, and what it asks the cluster.

#include <utility>

#include "core/service_impl.hpp"

namespace roombus {

void service::impl::set_cluster(cluster_parts parts) {
  hub.leave_broadcasts_to_others();
  cluster_ = std::make_unique<cluster_member>(
      *this, parts, instance,
      cluster_member::environment{env.data, env.time, env.random, env.timers, env.log, env.metrics, options});
}

// ---- rooms

void service::impl::apply(const log_entry& entry) {
  const room_entry& e = entry.entry();
  if (e.kind == room_entry_kind::joined) {
    // one that was answered with timeout, and done after all, is taken back: its connection must not hear a part of the
    // room in between
    const auto running = joins_under_way_.find({e.id, entry.room()});
    if (running != joins_under_way_.end() && running->second->attempt == e.attempt) {
      running->second->heard = true;
      local_connection* connection = hub.find(e.id);
      if (connection != nullptr && !connection->shares_broadcast) hub.join(entry.room(), *connection, e.position());
    }
  } else if (e.kind == room_entry_kind::left) {
    hub.leave(entry.room(), e.id, e.position());
  }
  take_out(entry.room(), e.removed, e.position());
  for (const shared_event& one : entry.events())
    hub.publish(entry.room(), one);
}

void service::impl::tell_removed_here(const log_entry& entry) {
  take_out(entry.room(), entry.entry().removed, entry.entry().position());
  const shared_event e = make_event(notification::room_access_removed, {value(entry.room().str())});
  // whoever has joined again meanwhile would believe it
  for (const removed_member& member : entry.entry().removed)
    hub.notify_outside(member.user, entry.room(), e);
}

void service::impl::break_off(const room_name& room) {
  hub.for_each_in(room, [](local_connection& connection) {
    if (!connection.shares_broadcast) connection.sink->close(close_reason::slow_consumer);
  });
}

std::shared_ptr<service::impl::running_join> service::impl::begin_running(const join_request& request) {
  auto run = std::make_shared<running_join>();
  run->attempt = request.attempt;
  joins_under_way_[{request.id, request.room}] = run;
  return run;
}

void service::impl::end_running(const join_request& request, const std::shared_ptr<running_join>& run) {
  const auto it = joins_under_way_.find({request.id, request.room});
  if (it != joins_under_way_.end() && it->second == run) joins_under_way_.erase(it);
}

/// Confirms a join of a connection that this instance feeds: its own entry brings it in, after all that came before.
/// The log has one also where the store knew of the join and this instance did not: a try before may have been done
/// without anybody hearing of it.
task<result<joined>> service::impl::join_fed(join_request request, history_request history) {
  const room_name room = request.room;
  auto opened = co_await cluster_->open_feed(room);
  if (!opened) co_return opened.error();
  const local_connection* connection = hub.find(request.id);
  request.enters_log = connection == nullptr || !connection->rooms.contains(room);
  request.attempt = std::to_string(++last_join_);
  const auto run = begin_running(request);
  result<joined> outcome = co_await env.data.confirm_join(request, std::move(history));
  if (outcome) {
    const result<void> told = co_await cluster_->settled(room);
    if (!told || (request.enters_log && !run->heard)) outcome = chat_error(errc::timeout);  // it is in, and cannot hear
  }
  end_running(request, run);
  cluster_->close_feed(room);
  co_return outcome;
}

/// The same of a device: whoever publishes the room tells it. A removal that came next in the log may have been heard
/// of before the store's answer.
task<result<joined>> service::impl::join_told_by_publisher(join_request request, history_request history) {
  const auto run = begin_running(request);
  result<joined> outcome = co_await env.data.confirm_join(request, std::move(history));
  if (outcome && run->put_out && ends_membership(*run->put_out, outcome->at)) outcome = chat_error(errc::not_allowed);
  end_running(request, run);
  co_return outcome;
}

std::uint64_t service::impl::watch_room(const room_name& room, std::function<void(const shared_event&)> fn) {
  const std::uint64_t watch = hub.watch(room, std::move(fn));
  if (cluster_) cluster_->follow(room).detach();
  return watch;
}

void service::impl::unwatch_room(const room_name& room, std::uint64_t watch) {
  hub.unwatch(room, watch);
  if (cluster_) cluster_->close_feed_if_unused(room);
}

// ---- users

void service::impl::tell_user(const user_name& user, const shared_event& e, const connection_id& except) {
  hub.notify(user, e, except);
}

void service::impl::notify_everywhere(const user_name& user, const shared_event& e, const connection_id& except) {
  hub.notify(user, e, except);
  if (cluster_) cluster_->tell_user_elsewhere(user, e, except);
}

void service::impl::close_user_here(const user_name& user) {
  hub.close_user(user, close_reason::disconnected);
}

// ---- operators, recovery

void service::impl::emit(std::string event, value_list args) {
  events.emit("clusterBus", value_map{{"event", value(std::move(event))}, {"args", value(std::move(args))}});
}

void service::impl::sync_here(const user_name& user, const room_name& room) {
  sync_quietly(user, room).detach();
}

task<void> service::impl::sync_quietly(user_name user, room_name room) {
  task<reply> syncing = user.empty() ? sync_room(std::move(room)) : sync_user(std::move(user));
  const reply done = co_await syncing;
  if (!done) env.log.write(log_level::warning, "sync_failed", std::string(done.error().code_name()));
}

task<bool> service::impl::end_left_behind(connection_record record) {
  const std::set<room_name> no_rooms;
  task<bool> ending = end_connection(std::move(record.user), std::move(record.id), no_rooms);
  const bool ended = co_await ending;
  co_return ended;
}

void service::impl::drop_everybody() {
  hub.for_each([](local_connection& connection) {
    if (connection.sink->reads().empty()) connection.sink->close(close_reason::instance_stalled);
  });
}

void service::impl::report_transport_failure(const room_name& room, std::string_view operation,
                                             const chat_error& error) {
  report_failure("transportConsistencyFailure", {}, room, {}, operation, error);
}

// ---- commands in the name of a connection that another instance serves

namespace {

bool flag_of(const value_map& map, std::string_view key) {
  const value* v = map.find(key);
  return v != nullptr && v->if_bool() != nullptr && *v->if_bool();
}

std::string text_of(const value_map& map, std::string_view key) {
  const value* v = map.find(key);
  return v != nullptr && v->if_text() != nullptr ? *v->if_text() : std::string();
}

}  // namespace

/// Nothing when this instance is to run it itself.
task<std::optional<reply>> service::impl::run_where_served(call c) {
  auto records = co_await env.data.connection_records(c.user);
  if (!records) co_return std::nullopt;
  for (const connection_record& record : *records) {
    if (record.id != c.id || record.instance == incarnation() || !cluster_->is_living(record.instance)) continue;
    value_map question{{"command", value(c.command)}};
    question.append("user", value(c.user.str()));
    question.append("id", value(c.id.str()));
    question.append("args", value(std::move(c.args)));
    question.append("permitted", value(c.bypass_permissions));
    question.append("unhooked", value(c.bypass_hooks));
    std::string where = record.instance;
    auto answer = co_await cluster_->ask(std::move(where), std::move(question));
    if (!answer) co_return reply(answer.error());
    if (const value* results = answer->find("results"); results != nullptr && results->if_list() != nullptr) {
      co_return reply(*results->if_list());
    }
    value_list args;
    if (const value* given = answer->find("args"); given != nullptr && given->if_list() != nullptr) {
      args = *given->if_list();
    }
    const std::string code = text_of(*answer, "error");
    if (const std::optional<errc> known = find_errc(code)) co_return reply(chat_error(*known, std::move(args)));
    co_return reply(chat_error::custom(code, std::move(args)));
  }
  co_return std::nullopt;
}

task<value_map> service::impl::run_for_other(value_map asked) {
  call c;
  c.command = text_of(asked, "command");
  c.user = user_name(text_of(asked, "user"));
  c.id = connection_id(text_of(asked, "id"));
  if (value* args = asked.find("args"); args != nullptr && args->if_list() != nullptr) {
    c.args = std::move(*args->if_list());
  }
  c.local = true;
  c.bypass_permissions = flag_of(asked, "permitted");
  c.bypass_hooks = flag_of(asked, "unhooked");
  reply done = co_await execute(std::move(c));
  value_map out;
  if (done) {
    out.append("results", value(std::move(*done)));
  } else {
    out.append("error", value(done.error().code_name()));
    out.append("args", value(done.error().args()));
  }
  co_return out;
}

}  // namespace roombus
