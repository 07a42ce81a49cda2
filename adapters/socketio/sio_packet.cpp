#include "adapters/socketio/sio_packet.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::socketio {
namespace {

constexpr std::uint64_t max_ack_id = (1ULL << 53) - 1;  // what a JavaScript number holds
constexpr std::size_t max_nsp_bytes = 512;

// Events that sockets and namespaces emit themselves: a client that could send them would pose as the library.
constexpr std::array<std::string_view, 6> reserved_names = {"connect",       "connect_error", "disconnect",
                                                            "disconnecting", "newListener",   "removeListener"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Takes decimal digits off the front; nothing when there are none or the number is above `max`.
std::optional<std::uint64_t> take_number(std::string_view& text, std::uint64_t max) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || number > max) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return number;
}

bool is_valid_payload(sio_packet_type type, const value& data) {
  switch (type) {
    case sio_packet_type::connect:
      return data.if_map() != nullptr || data.is_null();
    case sio_packet_type::disconnect:
      return data.is_null();
    case sio_packet_type::event:
    case sio_packet_type::binary_event: {
      const auto* list = data.if_list();
      return list != nullptr && !list->empty() && (list->front().if_text() != nullptr || list->front().is_number());
    }
    case sio_packet_type::ack:
    case sio_packet_type::binary_ack:
      return data.if_list() != nullptr;
    case sio_packet_type::connect_error:
      return false;  // only servers send it
  }
  return false;
}

bool has_reserved_name(const sio_packet& packet) {
  if (packet.type != sio_packet_type::event) return false;
  const auto* name = packet.data.if_list()->front().if_text();
  return name != nullptr && std::find(reserved_names.begin(), reserved_names.end(), *name) != reserved_names.end();
}

/// Puts attachments in the places of their placeholders. One may be named several times, but all copies together
/// stay within the limit of one packet's attachments, so that a small packet cannot grow in our memory.
class placeholder_filler {
 public:
  placeholder_filler(const std::vector<byte_string>& attachments, std::size_t max_bytes)
      : attachments_(attachments), left_(max_bytes) {}

  /// False when a placeholder names no attachment, or the limit is reached.
  bool fill(value& v) {
    if (auto* list = v.if_list()) {
      return std::all_of(list->begin(), list->end(), [&](value& item) { return fill(item); });
    }
    auto* map = v.if_map();
    if (map == nullptr) return true;
    const value* mark = map->find("_placeholder");
    const bool* marked = mark == nullptr ? nullptr : mark->if_bool();
    if (marked == nullptr || !*marked) {
      return std::all_of(map->begin(), map->end(), [&](value_map::entry& field) { return fill(field.second); });
    }
    const value* num = map->find("num");
    const auto* index = num == nullptr ? nullptr : std::get_if<std::int64_t>(&num->data());
    if (map->size() != 2 || index == nullptr || *index < 0) return false;
    const auto at = static_cast<std::size_t>(*index);
    if (at >= attachments_.size() || attachments_[at].data.size() > left_) return false;
    left_ -= attachments_[at].data.size();
    v = value(attachments_[at]);
    return true;
  }

 private:
  const std::vector<byte_string>& attachments_;
  std::size_t left_;
};

void append_header(std::string& out, sio_packet_type type, std::size_t attachments, std::string_view nsp,
                   std::optional<std::uint64_t> id) {
  out += static_cast<char>('0' + static_cast<int>(type));
  if (type == sio_packet_type::binary_event || type == sio_packet_type::binary_ack) {
    out += std::to_string(attachments);
    out += '-';
  }
  if (nsp != "/") {
    out += nsp;
    out += ',';
  }
  if (id) out += std::to_string(*id);
}

void append_list(encoded_packet& out, std::string& json_text, const std::string_view* name, const value_list& args) {
  json_text += '[';
  if (name != nullptr) json::write_text(json_text, *name);
  bool first = name == nullptr;
  for (const value& arg : args) {
    if (!std::exchange(first, false)) json_text += ',';
    json::write_socketio(json_text, arg, out.attachments);
  }
  json_text += ']';
}

// A map that only looks like a placeholder would be taken for one by receivers of a packet with attachments, and one
// that names no attachment makes them drop their connection. Texts cannot hold this sequence: their quotes are escaped.
constexpr std::string_view placeholder_mark = R"("_placeholder":true)";

std::size_t count_marks(std::string_view text) {
  std::size_t count = 0;
  for (auto at = text.find(placeholder_mark); at != std::string_view::npos;
       at = text.find(placeholder_mark, at + placeholder_mark.size())) {
    ++count;
  }
  return count;
}

/// Turns the mark of maps that pose as placeholders into 1, which receivers leave alone.
void disarm(value& v) {
  if (auto* list = v.if_list()) {
    for (value& item : *list)
      disarm(item);
  } else if (auto* map = v.if_map()) {
    for (auto& [key, item] : *map) {
      const bool* mark = item.if_bool();
      if (key == "_placeholder" && mark != nullptr && *mark) {
        item = value(1);
      } else {
        disarm(item);
      }
    }
  }
}

encoded_packet encode_list(sio_packet_type plain, sio_packet_type binary, std::string_view nsp,
                           const std::string_view* name, const value_list& args, std::optional<std::uint64_t> id) {
  encoded_packet out;
  std::string body;
  append_list(out, body, name, args);
  if (!out.attachments.empty() && count_marks(body) != out.attachments.size()) {
    value_list safe;
    for (const value& arg : args) {
      safe.push_back(cbor::materialize(arg));
      disarm(safe.back());
    }
    out.attachments.clear();
    body.clear();
    append_list(out, body, name, safe);
  }
  out.text.reserve(body.size() + nsp.size() + 16);
  append_header(out.text, out.attachments.empty() ? plain : binary, out.attachments.size(), nsp, id);
  out.text += body;
  return out;
}

}  // namespace

sio_decoder::outcome sio_decoder::on_text(std::string_view data) {
  if (waiting_) return sio_fault::attachments;
  if (data.empty() || data.front() < '0' || data.front() > '6') return sio_fault::malformed;
  sio_packet packet;
  auto type = static_cast<sio_packet_type>(data.front() - '0');
  data.remove_prefix(1);

  std::size_t expected = 0;
  const bool binary = type == sio_packet_type::binary_event || type == sio_packet_type::binary_ack;
  if (type == sio_packet_type::connect && data.size() > limits_.max_connect_bytes) return sio_fault::malformed;
  if (binary) {
    if (!known_ && data.size() > limits_.max_held_unknown) return sio_fault::attachments;
    const auto count = take_number(data, max_ack_id);
    if (!count || data.empty() || data.front() != '-') return sio_fault::malformed;
    if (*count > limits_.max_attachments) return sio_fault::attachments;
    expected = static_cast<std::size_t>(*count);
    data.remove_prefix(1);
  }
  if (!data.empty() && data.front() == '/') {
    const auto comma = data.find(',');
    std::string_view name = data.substr(0, comma);
    data.remove_prefix(comma == std::string_view::npos ? data.size() : comma + 1);
    if (name.size() > max_nsp_bytes && type != sio_packet_type::connect) return sio_fault::malformed;
    const auto question = name.find('?');
    if (question != std::string_view::npos) {
      packet.nsp_query = name.substr(question + 1);
      name = name.substr(0, question);
    }
    if (name.size() > max_nsp_bytes) return sio_fault::malformed;
    packet.nsp = name;
  }
  if (!data.empty() && is_digit(data.front())) {
    packet.id = take_number(data, max_ack_id);
    if (!packet.id) return sio_fault::malformed;
  }
  if (!data.empty()) {
    codec_limits limits = limits_.json;
    if (type == sio_packet_type::connect) limits.max_items = std::min(limits.max_items, limits_.max_connect_items);
    auto read = json::read(data, limits, json::bytes_as::placeholder);
    if (!read) return sio_fault::malformed;
    packet.data = std::move(*read);
  }
  if (!is_valid_payload(type, packet.data)) return sio_fault::malformed;
  if ((type == sio_packet_type::ack || type == sio_packet_type::binary_ack) && !packet.id) return sio_fault::malformed;
  if (binary) type = type == sio_packet_type::binary_event ? sio_packet_type::event : sio_packet_type::ack;
  packet.type = type;
  if (has_reserved_name(packet)) return sio_fault::reserved;
  if (!binary) return packet;

  waiting_ = std::move(packet);
  expected_ = expected;
  bytes_ = 0;
  return expected == 0 ? finish() : outcome();
}

sio_decoder::outcome sio_decoder::on_binary(std::string_view data) {
  if (!waiting_) return sio_fault::attachments;
  bytes_ += data.size();
  const std::size_t most = limits_.max_attachment_bytes;
  if (bytes_ > (known_ ? most : std::min(most, limits_.max_held_unknown))) return sio_fault::attachments;
  attachments_.push_back(byte_string{std::string(data)});
  return attachments_.size() < expected_ ? outcome() : finish();
}

sio_decoder::outcome sio_decoder::finish() {
  sio_packet packet = std::move(*waiting_);
  waiting_.reset();
  const auto attachments = std::exchange(attachments_, {});
  placeholder_filler filler(attachments, limits_.max_attachment_bytes);
  if (!filler.fill(packet.data)) return sio_fault::attachments;
  return packet;
}

encoded_packet encode_event(std::string_view nsp, std::string_view name, const value_list& args,
                            std::optional<std::uint64_t> id) {
  return encode_list(sio_packet_type::event, sio_packet_type::binary_event, nsp, &name, args, id);
}

encoded_packet encode_ack(std::string_view nsp, std::uint64_t id, const value_list& args) {
  return encode_list(sio_packet_type::ack, sio_packet_type::binary_ack, nsp, nullptr, args, id);
}

encoded_packet encode_plain(sio_packet_type type, std::string_view nsp, std::string_view json_text) {
  encoded_packet out;
  append_header(out.text, type, 0, nsp, std::nullopt);
  out.text += json_text;
  return out;
}

frame_list to_frames(eio_version version, const encoded_packet& packet) {
  frame_list out;
  out.reserve(1 + packet.attachments.size());
  out.push_back(make_text_message(packet.text));
  for (const auto& attachment : packet.attachments)
    out.push_back(make_binary_message(version, *attachment));
  return out;
}

}  // namespace roombus::socketio
