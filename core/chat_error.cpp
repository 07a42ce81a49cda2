#include "core/chat_error.hpp"

#include <stdexcept>

namespace roombus {

chat_error chat_error::custom(std::string code, value_list args) {
  chat_error error(errc::custom, std::move(args));
  error.custom_code_ = std::move(code);
  return error;
}

chat_error chat_error::plain(std::string text) {
  chat_error error(errc::internal_error, {value(std::move(text))});
  error.plain_ = true;
  return error;
}

std::string_view chat_error::code_name() const {
  return code_ == errc::custom ? std::string_view(custom_code_) : wire_name(code_);
}

std::string_view wire_name(errc code) {
  switch (code) {
    case errc::bad_argument:
      return "badArgument";
    case errc::internal_error:
      return "internalError";
    case errc::invalid_name:
      return "invalidName";
    case errc::invalid_socket:
      return "invalidSocket";
    case errc::no_command:
      return "noCommand";
    case errc::list_limit_exceeded:
      return "listLimitExceeded";
    case errc::no_list:
      return "noList";
    case errc::no_login:
      return "noLogin";
    case errc::no_room:
      return "noRoom";
    case errc::no_socket:
      return "noSocket";
    case errc::no_user:
      return "noUser";
    case errc::no_user_online:
      return "noUserOnline";
    case errc::not_allowed:
      return "notAllowed";
    case errc::not_joined:
      return "notJoined";
    case errc::room_exists:
      return "roomExists";
    case errc::timeout:
      return "timeout";
    case errc::user_exists:
      return "userExists";
    case errc::user_online:
      return "userOnline";
    case errc::wrong_arguments_count:
      return "wrongArgumentsCount";
    case errc::rate_limited:
      return "rateLimited";
    case errc::payload_too_large:
      return "payloadTooLarge";
    case errc::unavailable:
      return "unavailable";
    case errc::custom:
      return "";
  }
  return "";
}

std::optional<errc> find_errc(std::string_view name) {
  for (auto code = errc{}; code != errc::custom; code = static_cast<errc>(static_cast<int>(code) + 1)) {
    if (wire_name(code) == name) return code;
  }
  return std::nullopt;
}

std::string_view text_format(errc code) {
  switch (code) {
    case errc::bad_argument:
      return "Bad argument at position %d, value %j";
    case errc::internal_error:
      return "%s";
    case errc::invalid_name:
      return "String %s contains invalid characters";
    case errc::invalid_socket:
      return "Socket %s is not connected";
    case errc::no_command:
      return "No such command %s";
    case errc::list_limit_exceeded:
      return "Exceeded %s size limit";
    case errc::no_list:
      return "No such list %s";
    case errc::no_login:
      return "No login provided";
    case errc::no_room:
      return "No such room %s";
    case errc::no_socket:
      return "Command %s requires a valid socket";
    case errc::no_user:
      return "No such user %s";
    case errc::no_user_online:
      return "No such user online %s";
    case errc::not_allowed:
      return "Action is not allowed";
    case errc::not_joined:
      return "Not joined to room %s";
    case errc::room_exists:
      return "Room %s already exists";
    case errc::timeout:
      return "Server operation timeout";
    case errc::user_exists:
      return "User %s already exists";
    case errc::user_online:
      return "User %s is online";
    case errc::wrong_arguments_count:
      return "Expected %s arguments, got %s";
    case errc::rate_limited:
    case errc::payload_too_large:
    case errc::unavailable:
    case errc::custom:
      return "";
  }
  return "";
}

void throw_exception_from_error(const chat_error& error, const boost::source_location& /*where*/) {
  throw std::logic_error("value of a failed result taken: " + std::string(error.code_name()));
}

}  // namespace roombus
