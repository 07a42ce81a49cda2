#pragma once

// Payloads of MQTT, and of whoever else follows the same rules. Source: design §3, "Payloads".

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/event.hpp"
#include "core/result.hpp"
#include "core/value.hpp"
#include "schemas/codec/codec_limits.hpp"

namespace roombus::payload {

enum class encoding : std::uint8_t { json, cbor };

/// "application/json" or "application/cbor": the MQTT 5 content type of what we send.
[[nodiscard]] std::string_view content_type_of(encoding e);

/// The encoding that a content type names (parameters and case do not matter); nothing for none or any other type.
[[nodiscard]] std::optional<encoding> encoding_of(std::optional<std::string_view> content_type);

/// The content type decides, else the first byte: `{` or `[` after blanks is JSON, 0x80–0xBF or the tag D9D9F7 is CBOR.
/// Nothing when neither tells.
[[nodiscard]] std::optional<encoding> detect(std::string_view payload, std::optional<std::string_view> content_type);

/// The arguments of a request.
struct request {
  value arguments;               ///< a list of positional arguments, or a map of named ones
  std::optional<encoding> used;  ///< nothing when the payload was empty and had no content type
};

/// Reads a request. An empty payload is an empty list; anything else than one list or map is an error.
[[nodiscard]] decoded<request> decode_request(std::string_view payload, std::optional<std::string_view> content_type,
                                              const codec_limits& limits);

/// Reads the payload of `send/` as a message: an object is the message; what is not text becomes `{"data":<bytes>}`,
/// any other text `{"textMessage":…}`. Errors: the payload is too large, or begins like a JSON object and does not
/// parse.
[[nodiscard]] decoded<value_map> decode_send(std::string_view payload, std::optional<std::string_view> content_type,
                                             const codec_limits& limits);

[[nodiscard]] std::string encode(const value& v, encoding e);

/// `{"result":…}`, with `"extra":[…]` for further results, or `{"error":{"code":…,"args":[…],"text":…}}`. No result is
/// null.
[[nodiscard]] std::string reply_payload(const result<value_list>& reply, encoding e);

/// The named arguments of a notification as an object; of `roomMessage` the message itself.
[[nodiscard]] std::string notification_payload(const event& e, encoding form);

}  // namespace roombus::payload
