#include "bridge/mqtt/request_decoder.hpp"

#include <utility>

#include "core/command_table.hpp"
#include "core/utf8.hpp"

namespace roombus::mqtt {

namespace {

constexpr std::size_t max_key = 128;

chat_error payload_error(const codec_error& error) {
  if (error.code == codec_errc::too_large) return chat_error(errc::payload_too_large);
  return chat_error(errc::bad_argument, {value(0), value(to_text(error))});
}

/// True if `decode_send` kept the payload as it is, as bytes or as a text.
bool is_wrapped(const value_map& message, const std::string& payload) {
  if (message.size() != 1) return false;
  const value& kept = message.begin()->second;
  if (const byte_string* bytes = kept.if_bytes()) return bytes->data == payload;
  const std::string* text = kept.if_text();
  return text != nullptr && *text == payload;
}

}  // namespace

wire request_decoder::encoding_of(const pending_request& request, wire fallback) {
  return payload::detect(request.payload, request.content_type).value_or(fallback);
}

result<call> request_decoder::decode(const pending_request& request, std::optional<wire>& used) const {
  if (const auto* room = std::get_if<room_name>(&request.target)) return decode_send(*room, request, used);
  return decode_call(std::get<std::string>(request.target), request, used);
}

result<call> request_decoder::decode_call(const std::string& command, const pending_request& request,
                                          std::optional<wire>& used) const {
  const command_descriptor* cmd = find_command(command);
  if (cmd == nullptr) return chat_error(errc::no_command, {value(command)});
  auto decoded = payload::decode_request(request.payload, request.content_type, limits_);
  if (!decoded) return payload_error(decoded.error());
  used = decoded->used;
  call c;
  c.command = command;
  if (value_map* named = decoded->arguments.if_map()) {
    auto positional = positional_arguments(*cmd, std::move(*named));
    if (!positional) return positional.error();
    c.args = std::move(*positional);
  } else if (value_list* list = decoded->arguments.if_list()) {
    c.args = std::move(*list);
  }
  return c;
}

result<call> request_decoder::decode_send(const room_name& room, const pending_request& request,
                                          std::optional<wire>& used) const {
  auto message = payload::decode_send(request.payload, request.content_type, limits_);
  if (!message) return payload_error(message.error());
  // a picture may begin like CBOR: only what was read as an object tells the encoding
  const bool object = !is_wrapped(*message, request.payload);
  if (object) used = payload::detect(request.payload, request.content_type);
  call c;
  c.command = std::string(describe(command::room_message).name);
  c.args.emplace_back(room.str());
  c.args.emplace_back(std::move(*message));
  if (request.idempotency_key) {
    value_map options{{"idempotencyKey", value(*request.idempotency_key)}};
    c.args.emplace_back(std::move(options));
  }
  return c;
}

std::optional<std::string> idempotency_key_of(std::string_view correlation_data) {
  constexpr std::string_view digits = "0123456789abcdef";
  if (correlation_data.empty()) return std::nullopt;
  if (correlation_data.size() <= max_key && is_valid_utf8(correlation_data)) return std::string(correlation_data);
  std::string key = "hex:";
  if (key.size() + 2 * correlation_data.size() > max_key) return std::nullopt;
  for (char c : correlation_data) {
    const auto byte = static_cast<unsigned char>(c);
    key += digits[byte >> 4];
    key += digits[byte & 15];
  }
  return key;
}

}  // namespace roombus::mqtt
