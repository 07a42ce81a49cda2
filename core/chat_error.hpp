#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/assert/source_location.hpp>

#include "core/errc.hpp"
#include "core/value.hpp"

namespace roombus {

/// An error as the wire shows it: a code and its arguments. Its text is made by `error_text`
/// (schemas/codec/error_codec.hpp).
class chat_error {
 public:
  /// internalError without a text; what `result::error()` of a success gives.
  chat_error() = default;
  chat_error(errc code) : code_(code) {}
  chat_error(errc code, value_list args) : code_(code), args_(std::move(args)) {}
  /// A code of a hook's own.
  static chat_error custom(std::string code, value_list args = {});
  /// A text of a hook's own, which reaches the client as it is; in raw form it is internalError [text].
  static chat_error plain(std::string text);

  [[nodiscard]] errc code() const { return code_; }
  [[nodiscard]] const value_list& args() const { return args_; }
  /// The code's name on the wire, `noRoom`; for `custom` the hook's own.
  [[nodiscard]] std::string_view code_name() const;
  /// The first argument is the whole text.
  [[nodiscard]] bool is_plain() const { return plain_; }
  bool operator==(const chat_error&) const = default;

 private:
  errc code_ = errc::internal_error;
  std::string custom_code_;
  value_list args_;
  bool plain_ = false;
};

/// Name on the wire of a code other than `custom`, for example "badArgument".
[[nodiscard]] std::string_view wire_name(errc code);
/// The code with a name on the wire; nothing for a name of a hook's own.
[[nodiscard]] std::optional<errc> find_errc(std::string_view name);
/// Text with its `%s %d %j` places still empty; "" where the code itself is the text.
[[nodiscard]] std::string_view text_format(errc code);

/// Taking the value of a failed `result` is a programming mistake; this tells which error was there.
[[noreturn]] void throw_exception_from_error(const chat_error& error, const boost::source_location& where);

inline chat_error no_room(std::string room) {
  return {errc::no_room, {value(std::move(room))}};
}

}  // namespace roombus
