#pragma once

// Socket.IO packets inside Engine.IO messages: `type[n-][/nsp,][ack id][json]`, attachments behind. Source: Socket.IO
// protocol, revisions 4 (over EIO 3) and 5 (over EIO 4).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "adapters/socketio/engine_packet.hpp"
#include "core/value.hpp"
#include "schemas/codec/codec_limits.hpp"

namespace roombus::socketio {

/// The values are the digits on the wire.
enum class sio_packet_type : std::uint8_t { connect, disconnect, event, ack, connect_error, binary_event, binary_ack };

/// One packet, complete with its attachments. `binary_event` and `binary_ack` come in as `event` and `ack`.
struct sio_packet {
  sio_packet_type type = sio_packet_type::connect;
  std::string nsp = "/";
  std::string nsp_query;            ///< behind `?` in the namespace's name (protocol 4, CONNECT)
  std::optional<std::uint64_t> id;  ///< the ack that is asked for, or answered
  value data;                       ///< a list in `event` and `ack`, with the event's name first; null when absent
};

/// Bounds on what one packet may hold.
struct sio_limits {
  std::size_t max_attachments = 32;
  std::size_t max_attachment_bytes = 1'000'000;  ///< of one packet's attachments together
  std::size_t max_held_unknown = 64 * 1024;      ///< bytes of a packet that waits for attachments, of a stranger
  std::size_t max_connect_bytes = 32 * 1024;     ///< of a CONNECT, which a login may have to keep for a while
  std::size_t max_connect_items = 1'000;         ///< values in it
  codec_limits json;
};

/// Why a packet was refused; the connection ends.
enum class sio_fault : std::uint8_t {
  malformed,   ///< type, namespace, ack id, JSON or the form of the payload
  reserved,    ///< an event with a name of the protocol's own
  attachments  ///< too many or too large, stray, missing, or a placeholder that names none
};

/// Puts packets together from messages in order.
class sio_decoder {
 public:
  explicit sio_decoder(const sio_limits& limits) : limits_(limits) {}

  /// A complete packet, nothing while attachments are missing, or a fault.
  using outcome = std::variant<std::monostate, sio_packet, sio_fault>;
  [[nodiscard]] outcome on_text(std::string_view data);
  [[nodiscard]] outcome on_binary(std::string_view data);
  /// Who sends is known, or not any more; strangers to begin with.
  void set_known(bool known) { known_ = known; }

 private:
  outcome finish();

  sio_limits limits_;
  bool known_ = false;
  std::optional<sio_packet> waiting_;
  std::size_t expected_ = 0;
  std::size_t bytes_ = 0;
  std::vector<byte_string> attachments_;
};

/// A packet on the way out, the same for all protocol revisions up to the Engine.IO frames.
struct encoded_packet {
  std::string text;
  std::vector<shared_buffer> attachments;
};

/// `42/nsp,id["name",args…]`, as a binary event when there are byte strings.
[[nodiscard]] encoded_packet encode_event(std::string_view nsp, std::string_view name, const value_list& args,
                                          std::optional<std::uint64_t> id = std::nullopt);
[[nodiscard]] encoded_packet encode_ack(std::string_view nsp, std::uint64_t id, const value_list& args);
/// A packet with a JSON text, or without when it is empty: CONNECT, DISCONNECT, CONNECT_ERROR.
[[nodiscard]] encoded_packet encode_plain(sio_packet_type type, std::string_view nsp, std::string_view json_text);

/// Frames of a packet, ready for any number of sessions of `version`.
using frame_list = std::vector<http::shared_frame>;
[[nodiscard]] frame_list to_frames(eio_version version, const encoded_packet& packet);

}  // namespace roombus::socketio
