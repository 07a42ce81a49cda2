#include "adapters/sqlite/room_log.hpp"

#include <algorithm>
#include <utility>

namespace roombus::sqlite {

namespace {
constexpr std::size_t token_overhead = 160;
constexpr std::size_t message_overhead = 128;

std::size_t cost_of(const stored_message& message) {
  return message->cbor().size() + message_overhead;
}
}  // namespace

room_log::room_log(const room_row& row)
    : epoch_(row.settings.epoch),
      max_size_(row.settings.history_max_size),
      first_(row.first_message_id),
      last_(row.last_message_id),
      reserved_(row.last_message_id),
      trimmed_(row.first_message_id - 1) {
  for (const token_row& token : row.tokens)
    add_token(token);
}

void room_log::add_token(token_row token) {
  id_of_token_[token.token] = token.id;
  token_bytes_ += token.token.size() * 2 + token_overhead;
  tokens_.push_back(std::move(token));
}

void room_log::pop_token() {
  const token_row& token = tokens_.front();
  auto it = id_of_token_.find(token.token);
  if (it != id_of_token_.end() && it->second == token.id) id_of_token_.erase(it);
  token_bytes_ -= token.token.size() * 2 + token_overhead;
  tokens_gone_ = token.id;
  tokens_.pop_front();
}

void room_log::forget_tokens(std::int64_t now_ms, std::size_t max_tokens) {
  while (!tokens_.empty() && (tokens_.front().until_ms <= now_ms || tokens_.size() > max_tokens))
    pop_token();
}

std::uint64_t room_log::find_token(const append_request& request) {
  if (!request.client_token) return 0;
  forget_tokens(request.now_ms, request.max_tokens);
  auto it = id_of_token_.find(request.token);
  return it == id_of_token_.end() ? 0 : it->second;
}

message_row room_log::reserve(const append_request& request) {
  message_row row;
  row.id = ++reserved_;
  if (request.client_token && request.max_tokens > 0) {
    row.token = token_row{request.token, row.id, request.now_ms + request.window_ms};
    add_token(*row.token);
    forget_tokens(request.now_ms, request.max_tokens);
  }
  row.forget_tokens_to = std::exchange(tokens_gone_, 0);
  if (max_size_ > 0 && row.id > max_size_ && row.id - max_size_ >= trimmed_ + trim_every) {
    row.trim_to = row.id - max_size_;
    trimmed_ = row.trim_to;
  }
  return row;
}

void room_log::committed(std::uint64_t id, stored_message message) {
  last_ = id;
  if (!message) return;
  recent_bytes_ += cost_of(message);
  recent_.push_back(std::move(message));
  const std::uint64_t kept = size();
  while (recent_.size() > std::min<std::uint64_t>(max_recent, kept) || recent_bytes_ > max_recent_bytes) {
    recent_bytes_ -= cost_of(recent_.front());
    recent_.pop_front();
  }
}

void room_log::abandon() {
  reserved_ = last_;
  trimmed_ = std::min(trimmed_, last_);
  while (!tokens_.empty() && tokens_.back().id > last_) {
    const token_row& token = tokens_.back();
    id_of_token_.erase(token.token);
    token_bytes_ -= token.token.size() * 2 + token_overhead;
    tokens_.pop_back();
  }
}

std::uint64_t room_log::first_kept(std::uint64_t last) const {
  if (last < max_size_) return first_;
  return std::max(first_, last + 1 - max_size_);
}

history_position room_log::position() const {
  return {epoch_, first_kept(last_), last_};
}

history_plan room_log::plan(const history_request& request) const {
  history_plan plan;
  plan.page.position = position();
  const std::uint64_t first = plan.page.position.first_message_id;
  plan.page.gap = request.epoch && *request.epoch != epoch_;
  if (!request.read) return plan;
  if (request.recent) {
    plan.from = last_ + 1 - std::min(request.limit, last_ + 1 - first);
    plan.to = last_;
    return plan;
  }
  // in this order: `after` may be the largest number there is
  plan.page.gap = plan.page.gap || request.after > last_ || request.after + 1 < first;
  if (request.after >= last_ || request.limit == 0) return plan;
  plan.from = std::max(first, request.after + 1);
  plan.to = last_;
  if (plan.from <= plan.to && plan.to - plan.from >= request.limit) plan.to = plan.from + request.limit - 1;
  return plan;
}

bool room_log::fill(history_plan& plan, const fetched_messages& fetched) const {
  plan.page.messages.clear();
  if (plan.empty()) return true;
  const std::uint64_t oldest = last_ + 1 - recent_.size();
  plan.page.messages.reserve(plan.to - plan.from + 1);
  for (std::uint64_t id = plan.to; id >= plan.from; --id) {
    if (id >= oldest) {
      plan.page.messages.emplace_back(recent_[id - oldest]);
      continue;
    }
    auto it = fetched.find(id);
    if (it == fetched.end()) return false;
    plan.page.messages.emplace_back(it->second);
  }
  return true;
}

std::pair<std::uint64_t, std::uint64_t> room_log::missing(const history_plan& plan) const {
  const std::uint64_t oldest = last_ + 1 - recent_.size();
  return {plan.from, std::min(plan.to, oldest - 1)};
}

void room_log::set_max_size(std::uint64_t max_size) {
  first_ = first_after_resize(max_size);
  max_size_ = max_size;
  trimmed_ = std::max(trimmed_, first_ - 1);
  while (recent_.size() > size()) {
    recent_bytes_ -= cost_of(recent_.front());
    recent_.pop_front();
  }
}

std::uint64_t room_log::first_after_resize(std::uint64_t max_size) const {
  const std::uint64_t first = first_kept(reserved_);
  return reserved_ < max_size ? first : std::max(first, reserved_ + 1 - max_size);
}

void room_log::drop_recent() {
  recent_.clear();
  recent_bytes_ = 0;
}

}  // namespace roombus::sqlite
