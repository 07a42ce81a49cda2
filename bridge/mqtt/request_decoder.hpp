#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bridge/mqtt/mqtt_connection.hpp"
#include "bridge/mqtt/topic_map.hpp"
#include "core/service.hpp"
#include "schemas/codec/codec_limits.hpp"

namespace roombus::mqtt {

/// Payloads of requests as commands.
class request_decoder {
 public:
  explicit request_decoder(const codec_limits& limits) : limits_(limits) {}

  /// The encoding that the request shows, else `fallback`.
  [[nodiscard]] static wire encoding_of(const pending_request& request, wire fallback);

  /// The command with its arguments, without user and connection. `used` becomes the encoding of a payload that could
  /// be read, and stays empty where it was neither JSON nor CBOR (a plain text, bytes, nothing).
  /// Errors: no_command [name]; payload_too_large; bad_argument [0, what is wrong with the payload]; those of
  /// `positional_arguments`.
  [[nodiscard]] result<call> decode(const pending_request& request, std::optional<wire>& used) const;

 private:
  [[nodiscard]] result<call> decode_call(const std::string& command, const pending_request& request,
                                         std::optional<wire>& used) const;
  [[nodiscard]] result<call> decode_send(const room_name& room, const pending_request& request,
                                         std::optional<wire>& used) const;

  codec_limits limits_;
};

/// The idempotency key of a room message from its Correlation Data: the data itself where it is 1 to 128 bytes of
/// UTF-8, else `hex:` and the bytes in lower-case hex where that is at most 128 bytes; else nothing.
[[nodiscard]] std::optional<std::string> idempotency_key_of(std::string_view correlation_data);

}  // namespace roombus::mqtt
