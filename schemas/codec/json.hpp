#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/value.hpp"
#include "schemas/codec/codec_limits.hpp"

namespace roombus::json {

/// How bytes look in JSON.
enum class bytes_as : std::uint8_t {
  buffer_object,  ///< `{"type":"Buffer","data":"<base64>"}` exactly, in both directions (MQTT, HTTP)
  placeholder  ///< socket.io: `{"_placeholder":true,"num":i}`; reading leaves such maps for the packet decoder to fill
};

/// Reads one JSON value (RFC 8259). Numbers are exact; see design §3, "Values".
[[nodiscard]] decoded<value> read(std::string_view text, const codec_limits& limits,
                                  bytes_as form = bytes_as::buffer_object);

/// Appends `v` as JSON: no white space, numbers in shortest plain form, NaN and infinities as null. Encoded maps are
/// spliced in from their kept encoding.
void write(std::string& out, const value& v);
[[nodiscard]] std::string write(const value& v);

/// The same for socket.io: each byte string becomes a placeholder, and is appended to `attachments`.
void write_socketio(std::string& out, const value& v, std::vector<shared_buffer>& attachments);

/// Appends `text` as a JSON string with its quotes.
void write_text(std::string& out, std::string_view text);

}  // namespace roombus::json
