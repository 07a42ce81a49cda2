#include "core/hook_bodies.hpp"

#include <cstddef>
#include <utility>

namespace roombus::hook_bodies {

namespace {

constexpr std::size_t max_code_bytes = 256;

value_map begin_body(std::string_view hook, std::string_view instance, std::size_t more) {
  value_map body;
  body.reserve(2 + more);
  body.append("hook", value(hook));
  body.append("instance", value(instance));
  return body;
}

template <class Name>
value text_or_null(const Name& name) {
  return name.str().empty() ? value() : value(name.str());
}

/// The field, or null when it is absent or null.
value* field(value_map& answer, std::string_view name) {
  value* found = answer.find(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

/// The code as ours where it is one of ours, so that its text is made as usual.
chat_error make_error(const std::string& code, value_list args) {
  for (auto i = std::size_t{0}; i < static_cast<std::size_t>(errc::custom); ++i) {
    const auto own = static_cast<errc>(i);
    if (wire_name(own) == code) return {own, std::move(args)};
  }
  return chat_error::custom(code, std::move(args));
}

/// False when the field is there and no error.
bool take_error(value_map& answer, std::optional<chat_error>& out, std::string& problem) {
  value* given = field(answer, "error");
  if (given == nullptr) return true;
  if (const std::string* text = given->if_text()) {
    out = chat_error::plain(*text);
    return true;
  }
  value_map* object = given->if_map();
  const value* code = object == nullptr ? nullptr : object->find("code");
  const std::string* name = code == nullptr ? nullptr : code->if_text();
  if (name == nullptr || name->empty() || name->size() > max_code_bytes) {
    problem = "error is neither a text nor {code, args}";
    return false;
  }
  value_list args;
  if (value* list = field(*object, "args")) {
    if (list->if_list() == nullptr) {
      problem = "args of the error are no list";
      return false;
    }
    args = std::move(*list->if_list());
  }
  out = make_error(*name, std::move(args));
  return true;
}

bool take_list(value_map& answer, std::string_view name, std::optional<value_list>& out, std::string& problem) {
  value* given = field(answer, name);
  if (given == nullptr) return true;
  if (given->if_list() == nullptr) {
    problem = std::string(name) + " is no list";
    return false;
  }
  out = std::move(*given->if_list());
  return true;
}

bool take_map(value_map& answer, std::string_view name, std::optional<value_map>& out, std::string& problem) {
  value* given = field(answer, name);
  if (given == nullptr) return true;
  if (given->if_map() == nullptr) {
    problem = std::string(name) + " is no object";
    return false;
  }
  out = std::move(*given->if_map());
  return true;
}

}  // namespace

value_map error_value(const chat_error& error) {
  return {{"name", value("ChatServiceError")}, {"code", value(error.code_name())}, {"args", value(error.args())}};
}

value_map command_call(std::string_view hook, std::string_view instance, const hook_context& context) {
  value_map body = begin_body(hook, instance, 11);
  body.append("userName", text_or_null(context.user));
  body.append("id", text_or_null(context.id));
  body.append("command", value(context.cmd->name));
  body.append("args", value(context.args));
  body.append("restArgs", value(context.rest_args));
  body.append("results", context.results ? value(*context.results) : value());
  body.append("error", context.error ? value(error_value(*context.error)) : value());
  body.append("isLocalCall", value(context.is_local_call));
  body.append("bypassPermissions", value(context.bypass_permissions));
  body.append("bypassHooks", value(context.bypass_hooks));
  body.append("data", value(context.data));
  return body;
}

value_map connect_call(std::string_view instance, const connection_id& id, handshake shown) {
  value_map body = begin_body("onConnect", instance, 3);
  body.append("id", value(id.str()));
  body.append("transport", value(std::move(shown.transport)));
  value_map what;
  what.append("query", value(std::move(shown.query)));
  what.append("headers", value(std::move(shown.headers)));
  what.append("auth", std::move(shown.auth));
  what.append("address", value(std::move(shown.address)));
  body.append("handshake", value(std::move(what)));
  return body;
}

value_map membership_call(std::string_view hook, std::string_view instance, const membership_change& change) {
  value_map body = begin_body(hook, instance, 4);
  body.append("userName", text_or_null(change.user));
  body.append("id", text_or_null(change.id));
  body.append("roomName", value(change.room.str()));
  body.append("njoined", value(change.njoined));
  return body;
}

value_map disconnect_call(std::string_view instance, const ended_connection& ended) {
  value_map body = begin_body("onDisconnect", instance, 5);
  body.append("userName", text_or_null(ended.user));
  body.append("id", value(ended.id.str()));
  body.append("nconnected", value(ended.nconnected));
  value_list rooms;
  for (const room_name& room : ended.rooms_removed)
    rooms.emplace_back(room.str());
  value_list joined;
  for (const std::uint64_t count : ended.joined_sockets)
    joined.emplace_back(count);
  body.append("roomsRemoved", value(std::move(rooms)));
  body.append("joinedSockets", value(std::move(joined)));
  return body;
}

value_map start_call(std::string_view instance, const value_map& info) {
  value_map body = begin_body("onStart", instance, info.size());
  for (const auto& [name, what] : info)
    body.set(name, what);
  return body;
}

value_map close_call(std::string_view instance, const std::optional<chat_error>& error) {
  value_map body = begin_body("onClose", instance, 1);
  body.append("error", error ? value(error_value(*error)) : value());
  return body;
}

value_map checker_call(std::string_view hook, std::string_view instance, value message) {
  value_map body = begin_body(hook, instance, 1);
  body.append("message", std::move(message));
  return body;
}

std::optional<hook_answer> read_answer(value_map answer, std::string& problem) {
  hook_answer out;
  if (!take_list(answer, "args", out.args, problem) || !take_map(answer, "data", out.data, problem) ||
      !take_list(answer, "results", out.results, problem) || !take_error(answer, out.error, problem)) {
    return std::nullopt;
  }
  return out;
}

std::optional<result<void>> read_verdict(const value_map& answer, std::string& problem) {
  value_map copy = answer;
  std::optional<chat_error> error;
  if (!take_error(copy, error, problem)) return std::nullopt;
  if (error) return result<void>(std::move(*error));
  return result<void>();
}

std::optional<result<login>> read_login(value_map answer, std::string& problem) {
  std::optional<chat_error> error;
  if (!take_error(answer, error, problem)) return std::nullopt;
  if (error) return result<login>(std::move(*error));
  const value* name = field(answer, "userName");
  if (name == nullptr) return result<login>(chat_error(errc::no_login));
  const std::string* text = name->if_text();
  if (text == nullptr || text->empty()) {
    problem = "userName is no text";
    return std::nullopt;
  }
  login who;
  who.user = user_name(*text);
  std::optional<value_map> data;
  if (!take_map(answer, "authData", data, problem)) return std::nullopt;
  if (data) who.auth_data = std::move(*data);
  return result<login>(std::move(who));
}

}  // namespace roombus::hook_bodies
