#pragma once

// Where a room's messages stand: ids that are committed, ids that wait for their commit, the newest messages themselves
// and the tokens of recent appends. What is not here any more is in the file.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "adapters/sqlite/tables.hpp"
#include "core/ports/store.hpp"

namespace roombus::sqlite {

using stored_message = std::shared_ptr<const encoded_map>;

/// Messages that were read from the file, by id.
using fetched_messages = std::map<std::uint64_t, stored_message>;

/// Which messages answer a request, as things stand now.
struct history_plan {
  history_page page;       ///< without messages
  std::uint64_t from = 1;  ///< oldest id; none when above `to`
  std::uint64_t to = 0;
  [[nodiscard]] bool empty() const { return from > to; }
};

class room_log {
 public:
  room_log() = default;
  explicit room_log(const room_row& row);

  // appends
  /// The id that a token got within its window (above `last_id` while that waits for its commit), or 0.
  [[nodiscard]] std::uint64_t find_token(const append_request& request);
  /// Takes the next id for a message, and with it the rows to write (without the room's number and the body).
  message_row reserve(const append_request& request);
  /// The next id, as if taken.
  [[nodiscard]] std::uint64_t next_id() const { return reserved_ + 1; }
  /// A reserved message is in the file. In order of ids.
  void committed(std::uint64_t id, stored_message message);
  /// What was reserved and not committed never was.
  void abandon();
  [[nodiscard]] bool has_pending() const { return reserved_ > last_; }

  // reading
  [[nodiscard]] history_position position() const;
  [[nodiscard]] std::uint64_t size() const { return last_ + 1 - first_kept(last_); }
  [[nodiscard]] history_plan plan(const history_request& request) const;
  /// Fills `plan.page` from memory and `fetched`. False: `missing` is to be read from the file first.
  bool fill(history_plan& plan, const fetched_messages& fetched) const;
  /// Oldest id of the plan that is in neither; and up to where to read.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> missing(const history_plan& plan) const;

  [[nodiscard]] bool keeps_messages() const { return max_size_ > 0; }
  void set_max_size(std::uint64_t max_size);
  /// Oldest id that stays when `max_size` is set while everything reserved gets committed.
  [[nodiscard]] std::uint64_t first_after_resize(std::uint64_t max_size) const;
  void drop_recent();
  [[nodiscard]] std::size_t cost() const { return recent_bytes_ + token_bytes_; }

 private:
  static constexpr std::size_t max_recent = 128;
  static constexpr std::size_t max_recent_bytes = 256 * 1024;
  static constexpr std::uint64_t trim_every = 64;  // messages; trimming each time would double the work

  [[nodiscard]] std::uint64_t first_kept(std::uint64_t last) const;
  void add_token(token_row token);
  void pop_token();
  void forget_tokens(std::int64_t now_ms, std::size_t max_tokens);

  std::string epoch_;
  std::uint64_t max_size_ = 0;
  std::uint64_t first_ = 1;  // oldest id that may be kept; the bound by size comes on top
  std::uint64_t last_ = 0;
  std::uint64_t reserved_ = 0;
  std::uint64_t trimmed_ = 0;          // the file holds nothing up to here, once all is committed
  std::deque<stored_message> recent_;  // the newest has last_
  std::size_t recent_bytes_ = 0;
  std::deque<token_row> tokens_;  // oldest first
  std::unordered_map<std::string, std::uint64_t> id_of_token_;
  std::size_t token_bytes_ = 0;
  std::uint64_t tokens_gone_ = 0;  // id of the newest token that was dropped and may still be in the file
};

}  // namespace roombus::sqlite
