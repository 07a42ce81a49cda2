#pragma once

#include <string>

#include "core/chat_error.hpp"

namespace roombus {

/// `ChatServiceError: No such room kitchen`: the string form that clients get. A plain text of a hook stays as it is.
/// Source: contract §6.
[[nodiscard]] std::string error_text(const chat_error& error);

/// `{"name":"ChatServiceError","code":…,"args":[…]}`, the raw form. A value whose JSON is longer than 256 bytes is cut
/// to a text.
[[nodiscard]] value_map error_object(const chat_error& error);

/// `{"code":…,"args":[…],"text":…}` as replies on MQTT and HTTP carry it under `error` (HTTP adds `name`).
[[nodiscard]] value_map error_reply(const chat_error& error);

}  // namespace roombus
