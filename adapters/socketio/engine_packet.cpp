#include "adapters/socketio/engine_packet.hpp"

#include <algorithm>
#include <charconv>

#include "core/utf8.hpp"
#include "schemas/codec/base64.hpp"

namespace roombus::socketio {
namespace {

constexpr char separator = '\x1e';            // between packets of one EIO 4 body
constexpr char length_end = '\xFF';           // behind the length digits of an EIO 3 binary body
constexpr std::size_t max_length_digits = 9;  // far above any body that is let in

std::optional<engine_packet_type> type_of_digit(char digit) {
  if (digit < '0' || digit > '6') return std::nullopt;
  return static_cast<engine_packet_type>(digit - '0');
}

std::optional<engine_packet> read_base64(eio_version version, std::string_view text) {
  engine_packet packet{engine_packet_type::message, true, {}};
  if (version == eio_version::v3) {
    // 'b', type digit, base64
    if (text.empty() || text.front() != '4') return std::nullopt;
    text.remove_prefix(1);
  }
  auto bytes = decode_base64(text);
  if (!bytes) return std::nullopt;
  packet.data = std::move(*bytes);
  return packet;
}

std::optional<engine_packet> read_text_packet(eio_version version, std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (text.front() == 'b') return read_base64(version, text.substr(1));
  const auto type = type_of_digit(text.front());
  if (!type || !is_valid_utf8(text)) return std::nullopt;
  return engine_packet{*type, false, std::string(text.substr(1))};
}

/// Bytes of the character that starts with `lead` in valid UTF-8.
std::size_t utf8_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xE0) return 2;
  return lead < 0xF0 ? 3 : 4;
}

/// How many bytes of valid UTF-8 make `units` UTF-16 code units; nothing when there are fewer or a character is cut.
std::optional<std::size_t> bytes_of_utf16_units(std::string_view text, std::size_t units) {
  std::size_t at = 0;
  while (units > 0) {
    if (at >= text.size()) return std::nullopt;
    const std::size_t length = utf8_length(static_cast<unsigned char>(text[at]));
    const std::size_t cost = length == 4 ? 2 : 1;
    if (cost > units || at + length > text.size()) return std::nullopt;
    units -= cost;
    at += length;
  }
  return at;
}

std::size_t utf16_units(std::string_view text) {
  std::size_t units = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) != 0x80) units += byte >= 0xF0 ? 2 : 1;
  }
  return units;
}

using packets = std::optional<std::vector<engine_packet>>;

packets read_v4(std::string_view body, std::size_t max_packets) {
  std::vector<engine_packet> out;
  for (;;) {
    const auto end = body.find(separator);
    auto packet = read_text_packet(eio_version::v4, body.substr(0, end));
    if (!packet || out.size() == max_packets) return std::nullopt;
    out.push_back(std::move(*packet));
    if (end == std::string_view::npos) return out;
    body.remove_prefix(end + 1);
  }
}

packets read_v3_text(std::string_view body, std::size_t max_packets) {
  if (!is_valid_utf8(body)) return std::nullopt;
  std::vector<engine_packet> out;
  while (!body.empty()) {
    const auto colon = body.substr(0, max_length_digits + 1).find(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    std::size_t units = 0;
    const auto parsed = std::from_chars(body.data(), body.data() + colon, units);
    if (parsed.ec != std::errc{} || parsed.ptr != body.data() + colon) return std::nullopt;
    body.remove_prefix(colon + 1);
    const auto length = bytes_of_utf16_units(body, units);
    if (!length) return std::nullopt;
    auto packet = read_text_packet(eio_version::v3, body.substr(0, *length));
    if (!packet || out.size() == max_packets) return std::nullopt;
    out.push_back(std::move(*packet));
    body.remove_prefix(*length);
  }
  return out;
}

packets read_v3_binary(std::string_view body, std::size_t max_packets) {
  std::vector<engine_packet> out;
  while (!body.empty()) {
    const char form = body.front();
    if (form != 0 && form != 1) return std::nullopt;
    body.remove_prefix(1);
    std::size_t length = 0;
    std::size_t digits = 0;
    while (digits < body.size() && body[digits] != length_end) {
      if (digits == max_length_digits || static_cast<unsigned char>(body[digits]) > 9) return std::nullopt;
      length = length * 10 + static_cast<std::size_t>(body[digits]);
      ++digits;
    }
    if (digits == 0 || digits == body.size()) return std::nullopt;
    body.remove_prefix(digits + 1);
    if (length == 0 || length > body.size() || out.size() == max_packets) return std::nullopt;
    const std::string_view data = body.substr(0, length);
    body.remove_prefix(length);
    if (form == 0) {
      auto packet = read_text_packet(eio_version::v3, data);
      if (!packet) return std::nullopt;
      out.push_back(std::move(*packet));
    } else {
      if (data.front() != static_cast<char>(engine_packet_type::message)) return std::nullopt;
      out.push_back({engine_packet_type::message, true, std::string(data.substr(1))});
    }
  }
  return out;
}

void append_v3_base64(std::string& out, std::string_view frame) {
  out += 'b';
  out += static_cast<char>('0' + frame.front());
  append_base64(out, frame.substr(1));
}

void append_v3_binary(std::string& out, const http::ws_frame& frame) {
  out += frame.kind() == http::frame_kind::binary ? '\x01' : '\x00';
  for (const char digit : std::to_string(frame.payload().size()))
    out += static_cast<char>(digit - '0');
  out += length_end;
  out += frame.payload();
}

}  // namespace

std::optional<engine_packet_view> read_engine_frame(eio_version version, http::frame_kind kind,
                                                    std::string_view payload, std::string& scratch) {
  if (kind == http::frame_kind::binary) {
    if (version == eio_version::v4) return engine_packet_view{engine_packet_type::message, true, payload};
    if (payload.empty() || payload.front() != static_cast<char>(engine_packet_type::message)) return std::nullopt;
    return engine_packet_view{engine_packet_type::message, true, payload.substr(1)};
  }
  if (payload.empty()) return std::nullopt;
  if (payload.front() == 'b') {
    auto packet = read_base64(version, payload.substr(1));
    if (!packet) return std::nullopt;
    scratch = std::move(packet->data);
    return engine_packet_view{packet->type, true, scratch};
  }
  const auto type = type_of_digit(payload.front());
  if (!type) return std::nullopt;
  return engine_packet_view{*type, false, payload.substr(1)};
}

packets read_engine_payload(eio_version version, std::string_view body, bool binary_body, std::size_t max_packets) {
  if (body.empty()) return std::nullopt;
  if (version == eio_version::v4) return binary_body ? std::nullopt : read_v4(body, max_packets);
  return binary_body ? read_v3_binary(body, max_packets) : read_v3_text(body, max_packets);
}

http::shared_frame make_text_message(std::string_view data) {
  return make_control_frame(engine_packet_type::message, data);
}

http::shared_frame make_binary_message(eio_version version, std::string_view data) {
  if (version == eio_version::v4) return http::ws_frame::make(http::frame_kind::binary, data);
  std::string prefixed;
  prefixed.reserve(data.size() + 1);
  prefixed += static_cast<char>(engine_packet_type::message);
  prefixed += data;
  return http::ws_frame::make(http::frame_kind::binary, prefixed);
}

http::shared_frame make_control_frame(engine_packet_type type, std::string_view data) {
  std::string text;
  text.reserve(data.size() + 1);
  text += static_cast<char>('0' + static_cast<int>(type));
  text += data;
  return http::ws_frame::make(http::frame_kind::text, text);
}

http::shared_frame to_base64_frame(const http::ws_frame& frame) {
  std::string text;
  append_v3_base64(text, frame.payload());
  return http::ws_frame::make(http::frame_kind::text, text);
}

engine_payload write_engine_payload(eio_version version, bool base64, const std::vector<http::shared_frame>& frames) {
  engine_payload out;
  if (version == eio_version::v4) {
    for (const auto& frame : frames) {
      if (!out.body.empty()) out.body += separator;
      if (frame->kind() == http::frame_kind::binary) {
        out.body += 'b';
        append_base64(out.body, frame->payload());
      } else {
        out.body += frame->payload();
      }
    }
    return out;
  }
  out.binary = !base64 && std::any_of(frames.begin(), frames.end(),
                                      [](const auto& frame) { return frame->kind() == http::frame_kind::binary; });
  std::string encoded;
  for (const auto& frame : frames) {
    if (out.binary) {
      append_v3_binary(out.body, *frame);
    } else if (frame->kind() == http::frame_kind::binary) {
      encoded.clear();
      append_v3_base64(encoded, frame->payload());
      out.body += std::to_string(encoded.size());
      out.body += ':';
      out.body += encoded;
    } else {
      out.body += std::to_string(utf16_units(frame->payload()));
      out.body += ':';
      out.body += frame->payload();
    }
  }
  return out;
}

}  // namespace roombus::socketio
