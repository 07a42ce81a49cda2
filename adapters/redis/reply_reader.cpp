// The only file that knows hiredis.

#include "adapters/redis/reply_reader.hpp"

#include <charconv>
#include <utility>

#include <hiredis/hiredis.h>

namespace roombus::redis {

namespace {

reply converted(const redisReply& from) {
  reply out;
  switch (from.type) {
    case REDIS_REPLY_INTEGER:
      out.type = reply::kind::integer;
      out.number = from.integer;
      break;
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_STRING:
      out.type = reply::kind::text;
      out.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_ERROR:
      out.type = reply::kind::error;
      out.text.assign(from.str, from.len);
      break;
    case REDIS_REPLY_ARRAY:
      out.type = reply::kind::list;
      out.items.reserve(from.elements);
      for (std::size_t i = 0; i < from.elements; ++i)
        out.items.push_back(converted(*from.element[i]));
      break;
    default:
      break;
  }
  return out;
}

}  // namespace

const reply& reply::at(std::size_t i) const {
  static const reply nothing;
  return i < items.size() ? items[i] : nothing;
}

std::int64_t reply::as_number() const {
  if (type == kind::integer) return number;
  std::int64_t n = 0;
  if (type == kind::text) std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

struct reply_reader::parser {
  std::unique_ptr<redisReader, void (*)(redisReader*)> reader{redisReaderCreate(), redisReaderFree};
};

reply_reader::reply_reader() : parser_(std::make_unique<parser>()) {}
reply_reader::~reply_reader() = default;

bool reply_reader::feed(std::string_view bytes) {
  if (redisReaderFeed(parser_->reader.get(), bytes.data(), bytes.size()) != REDIS_OK) failed_ = true;
  return !failed_;
}

std::optional<reply> reply_reader::next() {
  void* raw = nullptr;
  if (failed_ || redisReaderGetReply(parser_->reader.get(), &raw) != REDIS_OK) {
    failed_ = true;
    return std::nullopt;
  }
  if (raw == nullptr) return std::nullopt;
  const std::unique_ptr<redisReply, void (*)(void*)> owned(static_cast<redisReply*>(raw), freeReplyObject);
  return converted(*owned);
}

void append_command(std::string& out, const std::vector<std::string_view>& words) {
  out += '*';
  out += std::to_string(words.size());
  out += "\r\n";
  for (const std::string_view word : words) {
    out += '$';
    out += std::to_string(word.size());
    out += "\r\n";
    out += word;
    out += "\r\n";
  }
}

}  // namespace roombus::redis
