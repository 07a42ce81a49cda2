#pragma once

// What hooks outside of the process are told and may answer, as values; which bytes these become is the transport's
// business. Source: design §9, "Hooks over HTTP".

#include <optional>
#include <string>
#include <string_view>

#include "core/hooks.hpp"

namespace roombus::hook_bodies {

// Each body begins with `hook` (its name) and `instance` (who calls).

/// `userName, id, command, args, restArgs, results, error, isLocalCall, bypassPermissions, bypassHooks, data`; what
/// there is not is null.
[[nodiscard]] value_map command_call(std::string_view hook, std::string_view instance, const hook_context& context);
/// `id, transport, handshake: {query, headers, auth, address}`
[[nodiscard]] value_map connect_call(std::string_view instance, const connection_id& id, handshake shown);
/// `userName, id, roomName, njoined`
[[nodiscard]] value_map membership_call(std::string_view hook, std::string_view instance,
                                        const membership_change& change);
/// `userName, id, nconnected, roomsRemoved, joinedSockets`
[[nodiscard]] value_map disconnect_call(std::string_view instance, const ended_connection& ended);
/// The fields of `info`.
[[nodiscard]] value_map start_call(std::string_view instance, const value_map& info);
/// `error`, or null.
[[nodiscard]] value_map close_call(std::string_view instance, const std::optional<chat_error>& error);
/// `message`
[[nodiscard]] value_map checker_call(std::string_view hook, std::string_view instance, value message);

// An answer is a map; fields that are null count as absent, unknown ones are not looked at. A field of a wrong type
// makes the whole answer no answer, since half of it would be worse: then the functions give nothing, and `problem`
// tells what was wrong.

/// `{"args","data","results","error"}` of before and after hooks.
[[nodiscard]] std::optional<hook_answer> read_answer(value_map answer, std::string& problem);
/// `{}` or `{"error"}`: what onJoin, onStart, onClose and checkers answer.
[[nodiscard]] std::optional<result<void>> read_verdict(const value_map& answer, std::string& problem);
/// `{"userName","authData"}`, `{"error"}`, or `{}`: no_login.
[[nodiscard]] std::optional<result<login>> read_login(value_map answer, std::string& problem);

/// `{"name":"ChatServiceError","code","args"}`
[[nodiscard]] value_map error_value(const chat_error& error);

}  // namespace roombus::hook_bodies
