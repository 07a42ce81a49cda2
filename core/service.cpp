#include "core/service.hpp"

#include <algorithm>
#include <utility>

#include "core/service_impl.hpp"

namespace roombus {

service::impl::impl(chat_options o, chat_limits l, std::string name, environment e)
    : options(o),
      limits(l),
      instance(std::move(name)),
      env(e),
      hub(e.metrics),
      membership_lock_(e.timers, o.lock_ttl),
      failed_commands_(e.metrics.add_counter("roombus_command_errors_total", "Commands answered with an error.")) {
  for (const command_descriptor& cmd : all_commands()) {
    command_counts_.push_back(&e.metrics.add_counter("roombus_commands_total", "Commands run, by name.",
                                                     "command=\"" + std::string(cmd.name) + "\""));
  }
}

service::impl::~impl() = default;

task<reply> service::impl::execute(call c) {
  if (state_ != state::open || (cluster_ && cluster_->is_fallen())) co_return chat_error(errc::unavailable);
  const command_descriptor* cmd = find_command(c.command);
  if (cmd == nullptr) {
    failed_commands_.add();
    co_return chat_error(errc::no_command, {value(std::move(c.command))});
  }
  command_counts_[static_cast<std::size_t>(cmd->id)]->add();
  if (!c.local && limits.requests_per_second > 0 && !take_turn(c.id)) {
    failed_commands_.add();
    co_return chat_error(errc::rate_limited);
  }
  if (c.id.empty() && (cmd->id == command::room_join || cmd->id == command::room_leave)) {
    failed_commands_.add();
    co_return chat_error(errc::no_socket, {value(cmd->name)});
  }
  command_context ctx;
  ctx.cmd = cmd;
  ctx.user = std::move(c.user);
  ctx.id = std::move(c.id);
  ctx.is_local_call = c.local;
  ctx.bypass_permissions = c.bypass_permissions;
  ctx.bypass_hooks = c.bypass_hooks;
  set_arguments(ctx, std::move(c.args), cmd->arguments.size());
  ++running_;
  reply answer = co_await run(*cmd, ctx);
  if (!answer) failed_commands_.add();
  finish_one();
  co_return answer;
}

/// One request of the connection's allowance, which grows back with time.
bool service::impl::take_turn(const connection_id& id) {
  local_connection* connection = hub.find(id);
  if (connection == nullptr) return true;  // what it asks for will be refused
  const double most = limits.requests_per_second;
  const std::int64_t now = env.time.steady_ms();
  const double grown = static_cast<double>(now - connection->allowance_at_ms) * most / 1000;
  connection->allowance = std::min(most, connection->allowance + grown);
  connection->allowance_at_ms = now;
  if (connection->allowance < 1) return false;
  connection->allowance -= 1;
  return true;
}

service::impl::handler service::impl::handler_of(command id) {
  switch (id) {
    case command::direct_add_to_list:
      return &impl::direct_add_to_list;
    case command::direct_remove_from_list:
      return &impl::direct_remove_from_list;
    case command::direct_get_access_list:
      return &impl::direct_get_access_list;
    case command::direct_set_whitelist_mode:
      return &impl::direct_set_whitelist_mode;
    case command::direct_get_whitelist_mode:
      return &impl::direct_get_whitelist_mode;
    case command::direct_message:
      return &impl::direct_message;
    case command::list_own_sockets:
      return &impl::list_own_sockets;
    case command::system_message:
      return &impl::system_message;
    case command::room_create:
      return &impl::room_create;
    case command::room_delete:
      return &impl::room_delete;
    case command::room_join:
      return &impl::room_join;
    case command::room_leave:
      return &impl::room_leave;
    case command::room_message:
      return &impl::room_message;
    case command::room_recent_history:
      return &impl::room_recent_history;
    case command::room_history_get:
      return &impl::room_history_get;
    case command::room_history_info:
      return &impl::room_history_info;
    case command::room_user_seen:
      return &impl::room_user_seen;
    case command::room_get_access_list:
      return &impl::room_get_access_list;
    case command::room_get_owner:
      return &impl::room_get_owner;
    case command::room_get_whitelist_mode:
      return &impl::room_get_whitelist_mode;
    case command::room_notifications_info:
      return &impl::room_notifications_info;
    case command::room_add_to_list:
      return &impl::room_add_to_list;
    case command::room_remove_from_list:
      return &impl::room_remove_from_list;
    case command::room_set_whitelist_mode:
      return &impl::room_set_whitelist_mode;
  }
  return nullptr;
}

value_map service::impl::stamped(const command_context& ctx, std::size_t argument) const {
  value_map message = *ctx.args[argument].if_map();
  message.erase("id");
  if (!ctx.user.empty()) message.set("author", value(ctx.user.str()));
  message.set("timestamp", value(env.time.now_ms()));
  return message;
}

result<std::vector<user_name>> service::impl::valid_names(const value& names, bool check) const {
  std::vector<user_name> out;
  for (const value& name : *names.if_list()) {
    if (check && !is_valid_name(*name.if_text(), limits.name_bytes)) return chat_error(errc::invalid_name, {name});
    out.emplace_back(*name.if_text());
  }
  return out;
}

void service::impl::report_failure(std::string_view event, const user_name& user, const room_name& room,
                                   const connection_id& id, std::string_view operation, const chat_error& error) {
  value_map data;
  if (!user.empty()) data.append("userName", value(user.str()));
  if (!room.empty()) data.append("roomName", value(room.str()));
  if (!id.empty()) data.append("id", value(id.str()));
  data.append("opType", value(operation));
  std::string text(error.code_name());
  for (const auto& [key, v] : data)
    text += ", " + key + ' ' + *v.if_text();
  env.log.write(log_level::error, event, text);
  events.emit(event, std::move(data));
}

void service::impl::report_unknown(const command_context& ctx, std::string_view operation, const chat_error& error) {
  if (error.code() != errc::timeout) return;
  report_failure("storeConsistencyFailure", ctx.user, ctx.room(), ctx.id, operation, error);
}

task<result<void>> service::impl::add_room(room_name room, room_settings settings) {
  if (!is_valid_name(room.str(), limits.name_bytes)) co_return chat_error(errc::invalid_name, {value(room.str())});
  const std::pair<const char*, const std::vector<user_name>*> lists[] = {
      {"adminlist", &settings.adminlist}, {"whitelist", &settings.whitelist}, {"blacklist", &settings.blacklist}};
  for (const auto& [list, names] : lists) {
    if (names->size() > options.room_list_size_limit) co_return chat_error(errc::list_limit_exceeded, {value(list)});
    for (const user_name& name : *names) {
      if (!is_valid_name(name.str(), limits.name_bytes)) co_return chat_error(errc::invalid_name, {value(name.str())});
    }
  }
  if (settings.owner && !is_valid_name(settings.owner->str(), limits.name_bytes)) {
    co_return chat_error(errc::invalid_name, {value(settings.owner->str())});
  }
  settings.epoch = random_id(env.random);
  auto added = co_await env.data.add_room(std::move(room), std::move(settings));
  co_return added;
}

room_settings service::impl::default_room_settings() const {
  room_settings settings;
  settings.history_max_size = options.history_max_size;
  settings.enable_access_lists_updates = options.enable_access_lists_updates;
  settings.enable_userlist_updates = options.enable_userlist_updates;
  return settings;
}

service::service(chat_options options, chat_limits limits, std::string instance, environment env)
    : impl_(std::make_unique<impl>(options, limits, std::move(instance), env)) {}

service::~service() = default;

const chat_options& service::options() const {
  return impl_->options;
}
const std::string& service::instance() const {
  return impl_->instance;
}
void service::set_hooks(service_hooks hooks) {
  impl_->hooks = std::move(hooks);
}
const service_hooks& service::hooks() const {
  return impl_->hooks;
}
void service::set_broadcaster(room_broadcaster* broadcaster) {
  impl_->hub.set_broadcaster(broadcaster);
}
operator_events& service::events() {
  return impl_->events;
}

void service::set_cluster(cluster_parts parts) {
  impl_->set_cluster(parts);
}
std::string service::incarnation() const {
  return impl_->incarnation();
}
bool service::adopt(user_name user, connection_id id, std::shared_ptr<connection_sink> sink,
                    std::vector<joined_room> rooms, login_rights rights) {
  return impl_->adopt(std::move(user), std::move(id), std::move(sink), rooms, std::move(rights));
}
void service::release(const connection_id& id) {
  impl_->hub.release(id);
}

task<result<void>> service::start(value_map info) {
  return impl_->start(std::move(info));
}
task<result<void>> service::close() {
  return impl_->close();
}

task<result<login>> service::ask_who(connection_id id, handshake shown) {
  return impl_->ask_who(std::move(id), std::move(shown));
}

task<result<void>> service::connect(user_name user, connection_id id, std::shared_ptr<connection_sink> sink,
                                    bool shares_broadcast, login_rights rights) {
  return impl_->connect(std::move(user), std::move(id), std::move(sink), shares_broadcast, std::move(rights));
}

task<void> service::disconnect(connection_id id) {
  return impl_->disconnect(std::move(id));
}

bool service::close_connection(const connection_id& id, close_reason reason) {
  local_connection* connection = impl_->hub.find(id);
  if (connection == nullptr) return false;
  const std::shared_ptr<connection_sink> sink = connection->sink;  // it may let go of the connection
  sink->close(reason);
  return true;
}

task<reply> service::execute(call c) {
  return impl_->execute(std::move(c));
}

task<reply> service::call_api(std::string method, value args) {
  return impl_->call_api(std::move(method), std::move(args));
}

std::uint64_t service::watch_room(room_name room, std::function<void(const shared_event&)> fn) {
  return impl_->watch_room(room, std::move(fn));
}

void service::unwatch_room(const room_name& room, std::uint64_t watch) {
  impl_->unwatch_room(room, watch);
}

task<result<void>> service::add_room(room_name room, room_settings settings) {
  return impl_->add_room(std::move(room), std::move(settings));
}

room_settings service::default_room_settings() const {
  return impl_->default_room_settings();
}

std::size_t service::connection_count() const {
  return impl_->hub.size();
}

}  // namespace roombus
