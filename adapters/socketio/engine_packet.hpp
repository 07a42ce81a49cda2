#pragma once

// Engine.IO packets, and how several of them share one HTTP body (long-polling). Source: Engine.IO protocol, revisions
// 3 and 4. On a WebSocket one frame is one packet.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/http/http_types.hpp"

namespace roombus::socketio {

/// Revision of the Engine.IO protocol that a client speaks.
enum class eio_version : std::uint8_t { v3 = 3, v4 = 4 };

/// First digit of a packet; the values are those on the wire.
enum class engine_packet_type : std::uint8_t { open, close, ping, pong, message, upgrade, noop };

/// One packet as it came in.
struct engine_packet {
  engine_packet_type type = engine_packet_type::noop;
  bool binary = false;  ///< only messages are
  std::string data;     ///< without type digit
  bool operator==(const engine_packet&) const = default;
};

/// What a packet in a WebSocket frame is, without copying its data.
struct engine_packet_view {
  engine_packet_type type = engine_packet_type::noop;
  bool binary = false;
  std::string_view data;
};

/// Reads one WebSocket message. `scratch` keeps the bytes of a base64 packet (EIO 3 clients without binary).
[[nodiscard]] std::optional<engine_packet_view> read_engine_frame(eio_version version, http::frame_kind kind,
                                                                  std::string_view payload, std::string& scratch);

/// Reads the body of a POST: `binary_body` when its content type is application/octet-stream (EIO 3 only).
/// Nothing when it is malformed, has more than `max_packets` packets, or none.
[[nodiscard]] std::optional<std::vector<engine_packet>> read_engine_payload(eio_version version, std::string_view body,
                                                                            bool binary_body, std::size_t max_packets);

/// The frame of one message packet for clients of `version`.
[[nodiscard]] http::shared_frame make_text_message(std::string_view data);
[[nodiscard]] http::shared_frame make_binary_message(eio_version version, std::string_view data);
/// The frame of a packet that is no message.
[[nodiscard]] http::shared_frame make_control_frame(engine_packet_type type, std::string_view data = {});
/// The same binary frame as text, for an EIO 3 client without binary WebSocket frames.
[[nodiscard]] http::shared_frame to_base64_frame(const http::ws_frame& frame);

/// An HTTP body that carries several packets.
struct engine_payload {
  std::string body;
  bool binary = false;  ///< goes out as application/octet-stream
};

/// Puts packets into one body. `base64` (EIO 3): the client takes no binary bodies.
[[nodiscard]] engine_payload write_engine_payload(eio_version version, bool base64,
                                                  const std::vector<http::shared_frame>& frames);

}  // namespace roombus::socketio
