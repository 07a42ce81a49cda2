#include "schemas/codec/payload.hpp"

#include <algorithm>
#include <utility>

#include "core/utf8.hpp"
#include "schemas/codec/cbor.hpp"
#include "schemas/codec/error_codec.hpp"
#include "schemas/codec/json.hpp"

namespace roombus::payload {

namespace {

constexpr std::string_view blanks = " \t\r\n";
constexpr std::string_view self_described = "\xd9\xd9\xf7";  // RFC 8949 §3.4.6: the tag that marks CBOR

bool equal_ignoring_case(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(),
                    [](char x, char y) { return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y; });
}

/// First byte that is not blank, or 0.
char first_visible(std::string_view payload) {
  const std::size_t at = payload.find_first_not_of(blanks);
  return at == std::string_view::npos ? '\0' : payload[at];
}

decoded<value> read(std::string_view payload, encoding e, const codec_limits& limits) {
  return e == encoding::json ? json::read(payload, limits) : cbor::read(payload, limits);
}

value_map message_of(std::string_view key, value v) {
  value_map message;
  message.append(std::string(key), std::move(v));
  return message;
}

value_map bytes_message(std::string_view payload) {
  return message_of("data", byte_string{std::string(payload)});
}

/// Writes a map field by field, so that the fields need not be copied into a value first.
class object_writer {
 public:
  object_writer(encoding e, std::size_t fields) : json_(e == encoding::json) {
    out_.reserve(120);
    if (json_) {
      out_.push_back('{');
    } else {
      out_.push_back(static_cast<char>(0xa0 + fields));  // our objects have few fields, never more than 23
    }
  }

  void field(std::string_view key, const value& v) {
    begin_field(key);
    if (json_) {
      json::write(out_, v);
    } else {
      cbor::write(out_, v);
    }
  }

  std::string finish() && {
    if (json_) out_.push_back('}');
    return std::move(out_);
  }

 private:
  void begin_field(std::string_view key) {
    if (json_) {
      if (out_.size() > 1) out_.push_back(',');
      json::write_text(out_, key);
      out_.push_back(':');
    } else {
      cbor::write(out_, value(key));
    }
  }

  bool json_;
  std::string out_;
};

}  // namespace

std::string_view content_type_of(encoding e) {
  return e == encoding::json ? "application/json" : "application/cbor";
}

std::optional<encoding> encoding_of(std::optional<std::string_view> content_type) {
  if (!content_type) return std::nullopt;
  std::string_view type = content_type->substr(0, content_type->find(';'));
  type.remove_prefix(std::min(type.find_first_not_of(blanks), type.size()));
  type = type.substr(0, type.find_last_not_of(blanks) + 1);
  if (equal_ignoring_case(type, content_type_of(encoding::json))) return encoding::json;
  if (equal_ignoring_case(type, content_type_of(encoding::cbor))) return encoding::cbor;
  return std::nullopt;
}

std::optional<encoding> detect(std::string_view payload, std::optional<std::string_view> content_type) {
  if (const auto named = encoding_of(content_type)) return named;
  const char visible = first_visible(payload);
  if (visible == '{' || visible == '[') return encoding::json;
  const unsigned char first = payload.empty() ? '\0' : static_cast<unsigned char>(payload.front());
  if ((first >= 0x80 && first <= 0xbf) || payload.starts_with(self_described)) return encoding::cbor;
  return std::nullopt;
}

decoded<request> decode_request(std::string_view payload, std::optional<std::string_view> content_type,
                                const codec_limits& limits) {
  const auto used = detect(payload, content_type);
  if (payload.empty()) return request{value(value_list()), used};
  if (payload.size() > limits.max_bytes) return codec_error{codec_errc::too_large, limits.max_bytes};
  if (!used) return codec_error{codec_errc::wrong_type, 0};
  auto arguments = read(payload, *used, limits);
  if (!arguments) return arguments.error();
  if (arguments->if_list() == nullptr && arguments->if_map() == nullptr) return codec_error{codec_errc::wrong_type, 0};
  return request{std::move(*arguments), used};
}

decoded<value_map> decode_send(std::string_view payload, std::optional<std::string_view> content_type,
                               const codec_limits& limits) {
  if (payload.size() > limits.max_bytes) return codec_error{codec_errc::too_large, limits.max_bytes};
  const auto used = detect(payload, content_type);
  if (used == encoding::json && first_visible(payload) == '{') {
    auto object = json::read(payload, limits);
    if (!object) return object.error();
    if (auto* message = object->if_map()) return std::move(*message);
    return message_of("data", std::move(*object));  // a buffer object: the bytes themselves
  }
  if (used == encoding::cbor) {
    // bytes that only happen to begin like CBOR are no error: whatever is wrong with them, they are kept as bytes
    auto item = cbor::read(payload, limits);
    if (item) {
      if (auto* message = item->if_map()) return std::move(*message);
    }
    return bytes_message(payload);
  }
  if (!is_valid_utf8(payload)) return bytes_message(payload);
  return message_of("textMessage", payload);
}

std::string encode(const value& v, encoding e) {
  return e == encoding::json ? json::write(v) : cbor::write(v);
}

std::string reply_payload(const result<value_list>& reply, encoding e) {
  if (!reply) {
    object_writer out(e, 1);
    out.field("error", error_reply(reply.error()));
    return std::move(out).finish();
  }
  const value_list& results = *reply;
  const bool more = results.size() > 1;
  object_writer out(e, more ? 2 : 1);
  if (results.empty()) {
    out.field("result", value());
  } else {
    out.field("result", results.front());
  }
  if (more) out.field("extra", value_list(results.begin() + 1, results.end()));
  return std::move(out).finish();
}

std::string notification_payload(const event& e, encoding form) {
  const value_list& args = e.args();
  if (e.id() == notification::room_message && args.size() > 1) return encode(args[1], form);
  const auto names = e.descriptor().arguments;
  const std::size_t count = std::min(names.size(), args.size());
  object_writer out(form, count);
  for (std::size_t i = 0; i < count; ++i)
    out.field(names[i], args[i]);
  return std::move(out).finish();
}

}  // namespace roombus::payload
