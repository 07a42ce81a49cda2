// One command from its arguments to its reply: checks, the before hook, the command's own work, the after hook.
// Source: contract §7.

#include <exception>
#include <iterator>
#include <utility>

#include "core/hook_call.hpp"
#include "core/service_impl.hpp"

namespace roombus {

namespace {

chat_error internal_fault() {
  return {errc::internal_error, {value("internal fault")}};
}

/// Results of a hook; none at all means nothing to tell.
value_list results_of(value_list results) {
  if (results.empty()) results.emplace_back();
  return results;
}

const command_hook* hook_for(const std::map<command, command_hook>& hooks, const command_context& ctx) {
  if (ctx.bypass_hooks || hooks.empty()) return nullptr;
  auto it = hooks.find(ctx.cmd->id);
  return it == hooks.end() || !it->second ? nullptr : &it->second;
}

}  // namespace

void service::impl::set_arguments(command_context& ctx, value_list args, std::size_t own) const {
  ctx.args = std::move(args);
  ctx.rest_args.clear();
  if (ctx.args.size() <= own) return;
  const auto rest = ctx.args.begin() + static_cast<std::ptrdiff_t>(own);
  ctx.rest_args.assign(std::make_move_iterator(rest), std::make_move_iterator(ctx.args.end()));
  ctx.args.erase(rest, ctx.args.end());
}

result<void> service::impl::check_rights(command_context& ctx) {
  const local_connection* connection = hub.find(ctx.id);
  if (connection == nullptr) {
    // gone meanwhile, and its rights with it; the server API may name one that is served elsewhere
    if (ctx.is_local_call || ctx.id.empty()) return {};
    return chat_error(errc::invalid_socket, {value(ctx.id.str())});
  }
  ctx.is_admin = connection->rights.admin;
  // who bypasses permissions is not bound by those of a login; joining bypasses nothing
  if (ctx.bypass_permissions && ctx.cmd->id != command::room_join) return {};
  if (!permits(connection->rights, ctx.cmd->name, ctx.args)) return chat_error(errc::not_allowed);
  return {};
}

task<reply> service::impl::run(const command_descriptor& cmd, command_context& ctx) {
  std::string fault;
  try {
    reply answer = co_await run_hooked(cmd, ctx);
    co_return answer;
  } catch (const std::exception& e) {
    fault = e.what();
  }
  log_command_fault(ctx, fault);
  co_return internal_fault();
}

void service::impl::log_command_fault(const command_context& ctx, const std::string& fault) const {
  env.log.write(log_level::error, "command_fault", std::string(ctx.cmd->name) + " of " + ctx.id.str() + ": " + fault);
}

task<reply> service::impl::run_hooked(const command_descriptor& cmd, command_context& ctx) {
  result<void> checked = co_await check(cmd, ctx.args);
  if (!checked) co_return checked.error();
  result<void> within = check_rights(ctx);
  if (!within) co_return within.error();

  if (const command_hook* before = hook_for(hooks.before, ctx)) {
    std::optional<hook_answer> said = co_await ask_hook(env.log, cmd.name, *before, ctx);
    if (!said) co_return internal_fault();
    if (said->error) co_return std::move(*said->error);
    if (said->results) co_return results_of(std::move(*said->results));
    if (said->data) ctx.data = std::move(*said->data);
    if (said->args) {
      // who gives exactly the command's own arguments has nothing to say about the rest, an idempotency key among it
      value_list rest = std::move(ctx.rest_args);
      const bool keeps_rest = said->args->size() == cmd.arguments.size();
      set_arguments(ctx, std::move(*said->args), cmd.arguments.size());
      if (keeps_rest) ctx.rest_args = std::move(rest);
      result<void> again = co_await check(cmd, ctx.args);
      if (!again) co_return again.error();
      result<void> still_within = check_rights(ctx);  // the hook may have named another room
      if (!still_within) co_return still_within.error();
    }
  }

  std::optional<reply> outcome;
  std::string fault;
  try {
    const handler work = handler_of(cmd.id);
    reply done = co_await (this->*work)(ctx);
    outcome.emplace(std::move(done));
  } catch (const std::exception& e) {
    fault = e.what();
  }
  if (!outcome) {
    log_command_fault(ctx, fault);
    outcome.emplace(internal_fault());
  }

  const command_hook* after = hook_for(hooks.after, ctx);
  if (after == nullptr) co_return std::move(*outcome);
  if (*outcome) {
    ctx.results = **outcome;
  } else {
    ctx.error = outcome->error();
  }
  std::optional<hook_answer> said = co_await ask_hook(env.log, cmd.name, *after, ctx);
  if (!said) co_return std::move(*outcome);  // what was done was done: the reply is the command's own
  if (said->error) co_return std::move(*said->error);
  if (said->results) co_return results_of(std::move(*said->results));
  co_return std::move(*outcome);
}

task<result<void>> service::impl::check(const command_descriptor& cmd, const value_list& args) {
  const std::function<task<result<void>>(value)>* checker = nullptr;
  if (cmd.id == command::room_message && hooks.room_messages_checker) checker = &hooks.room_messages_checker;
  if (cmd.id == command::direct_message && hooks.direct_messages_checker) checker = &hooks.direct_messages_checker;
  result<void> checked = check_arguments(cmd, args, checker != nullptr ? message_format::object : options.format);
  if (!checked) co_return checked;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const argument_type type = cmd.arguments[i].type;
    if (type != argument_type::message && type != argument_type::anything) continue;
    if (byte_strings_in(args[i]) > limits.message_byte_strings) co_return chat_error(errc::payload_too_large);
  }
  if (checker == nullptr) co_return checked;
  value message = args[1];
  std::optional<result<void>> verdict = co_await ask_hook(env.log, cmd.name, *checker, std::move(message));
  if (!verdict) co_return internal_fault();
  co_return std::move(*verdict);
}

}  // namespace roombus
