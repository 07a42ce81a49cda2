#include "schemas/codec/error_codec.hpp"

#include "core/utf8.hpp"
#include "schemas/codec/json.hpp"

namespace roombus {

namespace {

constexpr std::size_t max_argument = 256;  // contract §6: a value inside an error is cut at 256 bytes

std::string plain(const value& v) {
  const std::string* text = v.if_text();
  return text != nullptr ? *text : json::write(v);
}

/// `v`, or the beginning of its text or JSON where that is too long.
value cut(const value& v) {
  if (v.if_text() == nullptr && v.if_list() == nullptr && v.if_map() == nullptr && v.if_encoded() == nullptr &&
      v.if_bytes() == nullptr) {
    return v;
  }
  const std::string text = plain(v);
  return text.size() <= max_argument ? v : value(utf8_prefix(text, max_argument));
}

value_list cut_args(const chat_error& error) {
  value_list args;
  args.reserve(error.args().size());
  for (const value& v : error.args())
    args.push_back(cut(v));
  return args;
}

/// The text with its places filled in, or the code itself where there is no text. A place without argument stays.
void append_text(std::string& out, const chat_error& error) {
  const std::string_view format = text_format(error.code());
  if (format.empty()) {
    out.append(error.code_name());
    return;
  }
  const value_list& args = error.args();
  std::size_t next = 0;
  for (std::size_t i = 0; i < format.size(); ++i) {
    const char type = format[i] == '%' && i + 1 < format.size() ? format[i + 1] : '\0';
    const bool place = type == 's' || type == 'd' || type == 'j';
    if (!place || next == args.size()) {
      out.push_back(format[i]);
      continue;
    }
    const value& v = args[next++];
    out.append(utf8_prefix(type == 'j' ? json::write(v) : plain(v), max_argument));
    ++i;
  }
}

}  // namespace

std::string error_text(const chat_error& error) {
  std::string out;
  if (!error.is_plain()) out = "ChatServiceError: ";
  append_text(out, error);
  return out;
}

value_map error_object(const chat_error& error) {
  return {{"name", "ChatServiceError"}, {"code", error.code_name()}, {"args", cut_args(error)}};
}

value_map error_reply(const chat_error& error) {
  std::string text;
  append_text(text, error);
  return {{"code", error.code_name()}, {"args", cut_args(error)}, {"text", std::move(text)}};
}

}  // namespace roombus
