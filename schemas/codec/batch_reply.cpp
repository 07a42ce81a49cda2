#include "schemas/codec/batch_reply.hpp"

#include <string>
#include <utility>

#include "schemas/codec/error_codec.hpp"

namespace roombus {

namespace {

/// The error that a code on the wire and its arguments stand for.
chat_error error_of(const std::string& code, const value& args) {
  value_list list;
  if (const value_list* given = args.if_list()) list = *given;
  for (int i = 0; i < static_cast<int>(errc::custom); ++i) {
    if (wire_name(static_cast<errc>(i)) == code) return {static_cast<errc>(i), std::move(list)};
  }
  return chat_error::custom(code, std::move(list));
}

void add_text(value& answer) {
  value_map* fields = answer.if_map();
  value* error = fields != nullptr ? fields->find("error") : nullptr;
  value_map* parts = error != nullptr ? error->if_map() : nullptr;
  if (parts == nullptr || parts->find("text") != nullptr) return;
  const value* code = parts->find("code");
  const value* args = parts->find("args");
  if (code == nullptr || code->if_text() == nullptr || args == nullptr) return;
  value_map whole = error_reply(error_of(*code->if_text(), *args));
  if (value* cut = whole.find("args")) parts->set("args", std::move(*cut));
  if (value* text = whole.find("text")) parts->set("text", std::move(*text));
}

}  // namespace

result<value_list> with_error_texts(result<value_list> reply) {
  if (!reply || reply->size() != 1) return reply;
  value_list* answers = reply->front().if_list();
  if (answers == nullptr) return reply;
  for (value& answer : *answers)
    add_text(answer);
  return reply;
}

}  // namespace roombus
