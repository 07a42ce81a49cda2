#pragma once

// Answers of the server API as HTTP responses.

#include <string>
#include <string_view>

#include "adapters/http/http_types.hpp"
#include "core/service.hpp"
#include "schemas/codec/payload.hpp"

namespace roombus::admin {

/// The HTTP status of a call that failed. Source: docs/server-api.md.
[[nodiscard]] unsigned status_of(const chat_error& error);

/// `{"result":…,"extra":[…]}` with 200, or `{"error":{"name","code","args","text"}}` with its status.
[[nodiscard]] http::response answer_of(const roombus::reply& outcome, payload::encoding form);

/// A fault of the request itself, not of the chat: `{"error":{"name":"ApiError","code":…,"args":[],"text":…}}`.
[[nodiscard]] http::response fault(unsigned status, std::string_view code, std::string_view text,
                                   payload::encoding form);

/// The encoding that an Accept header asks for: the first of application/json and application/cbor that is in it, else
/// JSON.
[[nodiscard]] payload::encoding accepted_encoding(std::string_view accept);

}  // namespace roombus::admin
