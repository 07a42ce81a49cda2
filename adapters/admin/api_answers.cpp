#include "adapters/admin/api_answers.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "schemas/codec/error_codec.hpp"

namespace roombus::admin {

namespace {

http::response encoded(unsigned status, const value& body, payload::encoding form) {
  http::response r;
  r.status = status;
  r.headers = {{"Content-Type", std::string(payload::content_type_of(form))}, {"Cache-Control", "no-store"}};
  r.body = payload::encode(body, form);
  if (form == payload::encoding::json) r.body += '\n';
  return r;
}

value_map wrapped(std::string_view key, value v) {
  value_map out;
  out.append(std::string(key), std::move(v));
  return out;
}

/// `{"name":…}` and then the fields that replies on MQTT have, too.
value_map named_error(const chat_error& error) {
  value_map out;
  out.append("name", value("ChatServiceError"));
  value_map fields = error_reply(error);
  for (auto& [key, v] : fields)
    out.append(key, std::move(v));
  return out;
}

}  // namespace

unsigned status_of(const chat_error& error) {
  switch (error.code()) {
    case errc::bad_argument:
    case errc::wrong_arguments_count:
    case errc::invalid_name:
    case errc::no_socket:
      return 400;
    case errc::not_allowed:
    case errc::not_joined:
    case errc::no_login:
      return 403;
    case errc::no_room:
    case errc::no_user:
    case errc::no_user_online:
    case errc::no_command:
    case errc::no_list:
    case errc::invalid_socket:
      return 404;
    case errc::room_exists:
    case errc::user_exists:
    case errc::user_online:
    case errc::list_limit_exceeded:
      return 409;
    case errc::payload_too_large:
      return 413;
    case errc::custom:
      return 422;
    case errc::rate_limited:
      return 429;
    case errc::internal_error:
      return error.is_plain() ? 422 : 500;  // a hook's own text is no fault of ours
    case errc::unavailable:
      return 503;
    case errc::timeout:
      return 504;
  }
  return 500;
}

http::response answer_of(const roombus::reply& outcome, payload::encoding form) {
  if (!outcome) return encoded(status_of(outcome.error()), wrapped("error", named_error(outcome.error())), form);
  http::response r;
  r.headers = {{"Content-Type", std::string(payload::content_type_of(form))}, {"Cache-Control", "no-store"}};
  r.body = payload::reply_payload(outcome, form);
  if (form == payload::encoding::json) r.body += '\n';
  return r;
}

http::response fault(unsigned status, std::string_view code, std::string_view text, payload::encoding form) {
  value_map error;
  error.append("name", value("ApiError"));
  error.append("code", value(code));
  error.append("args", value(value_list()));
  error.append("text", value(text));
  return encoded(status, wrapped("error", std::move(error)), form);
}

payload::encoding accepted_encoding(std::string_view accept) {
  std::string lower(accept);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t cbor = lower.find("application/cbor");
  const std::size_t json = lower.find("application/json");
  return cbor != std::string::npos && cbor < json ? payload::encoding::cbor : payload::encoding::json;
}

}  // namespace roombus::admin
