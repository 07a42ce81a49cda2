#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/ports/store.hpp"

namespace roombus {

/// A room's messages with ids 1, 2, 3 … of which the last `max_size` are kept, and the tokens of recent appends.
class message_log {
 public:
  message_log(std::string epoch, std::uint64_t max_size) : epoch_(std::move(epoch)), max_size_(max_size) {}

  /// The id that `request.token` got within its window, or 0.
  [[nodiscard]] std::uint64_t repeated(const append_request& request);
  /// Keeps the message under the next id, which it returns.
  std::uint64_t append(const append_request& request);
  /// Shrinking trims at once.
  void set_max_size(std::uint64_t max_size);
  [[nodiscard]] history_page read(const history_request& request) const;
  [[nodiscard]] history_position position() const;
  [[nodiscard]] std::uint64_t size() const { return messages_.size(); }

 private:
  struct token_use {
    std::string token;
    std::int64_t until_ms;
  };

  void forget_tokens(std::int64_t now_ms, std::size_t max_tokens);

  std::string epoch_;
  std::uint64_t max_size_;
  std::uint64_t last_id_ = 0;
  std::deque<std::shared_ptr<const encoded_map>> messages_;  // the newest has last_id_
  std::unordered_map<std::string, std::uint64_t> id_of_token_;
  std::deque<token_use> tokens_;  // oldest first
};

}  // namespace roombus
