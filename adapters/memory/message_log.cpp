#include "adapters/memory/message_log.hpp"

#include <algorithm>
#include <utility>

#include "schemas/codec/cbor.hpp"

namespace roombus {

void message_log::forget_tokens(std::int64_t now_ms, std::size_t max_tokens) {
  while (!tokens_.empty() && (tokens_.front().until_ms <= now_ms || tokens_.size() > max_tokens)) {
    id_of_token_.erase(tokens_.front().token);
    tokens_.pop_front();
  }
}

std::uint64_t message_log::repeated(const append_request& request) {
  if (!request.client_token) return 0;
  forget_tokens(request.now_ms, request.max_tokens);
  auto it = id_of_token_.find(request.token);
  return it == id_of_token_.end() ? 0 : it->second;
}

std::uint64_t message_log::append(const append_request& request) {
  const std::uint64_t id = ++last_id_;
  if (request.client_token && request.max_tokens > 0) {
    id_of_token_.emplace(request.token, id);
    tokens_.push_back({request.token, request.now_ms + request.window_ms});
    forget_tokens(request.now_ms, request.max_tokens);
  }
  if (max_size_ == 0) return id;
  value_map message = *request.message;
  message.set("id", value(id));
  const value whole(std::move(message));
  messages_.push_back(std::make_shared<const encoded_map>(cbor::write(whole), cbor::has_bytes(whole)));
  while (messages_.size() > max_size_)
    messages_.pop_front();
  return id;
}

void message_log::set_max_size(std::uint64_t max_size) {
  max_size_ = max_size;
  while (messages_.size() > max_size_)
    messages_.pop_front();
}

history_position message_log::position() const {
  return {epoch_, last_id_ + 1 - messages_.size(), last_id_};
}

history_page message_log::read(const history_request& request) const {
  history_page page;
  page.position = position();
  const std::uint64_t first = page.position.first_message_id;
  page.gap = request.epoch && *request.epoch != epoch_;
  if (!request.read) return page;

  std::uint64_t from = first;  // oldest id to return
  std::uint64_t to = last_id_;
  if (request.recent) {
    if (messages_.size() > request.limit) from = last_id_ + 1 - request.limit;
  } else {
    page.gap = page.gap || request.after > last_id_ || request.after + 1 < first;
    if (request.after >= last_id_) return page;
    from = std::max(first, request.after + 1);
    if (from <= to && to - from >= request.limit) to = from + request.limit - 1;
  }
  if (from > to) return page;
  page.messages.reserve(to - from + 1);
  for (std::uint64_t id = to; id >= from; --id)
    page.messages.emplace_back(messages_[id - first]);
  return page;
}

}  // namespace roombus
