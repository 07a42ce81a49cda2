#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/redis/reply.hpp"

namespace roombus::redis {

/// Splits the bytes of a connection into replies, by hiredis' parser.
class reply_reader {
 public:
  reply_reader();
  ~reply_reader();

  /// Takes bytes as they came. False when they are no RESP: the connection is of no more use.
  [[nodiscard]] bool feed(std::string_view bytes);
  /// The next whole reply, if there is one. `failed()` tells bad bytes from too few.
  [[nodiscard]] std::optional<reply> next();
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  struct parser;
  std::unique_ptr<parser> parser_;
  bool failed_ = false;
};

/// Appends a command in the form that Redis reads.
void append_command(std::string& out, const std::vector<std::string_view>& words);

}  // namespace roombus::redis
