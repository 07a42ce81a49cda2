#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace roombus::redis {

/// One answer of Redis (RESP2).
struct reply {
  enum class kind : std::uint8_t { nil, integer, text, error, list };

  reply() = default;

  kind type = kind::nil;
  std::int64_t number = 0;   ///< of an integer
  std::string text;          ///< of a text or an error
  std::vector<reply> items;  ///< of a list

  [[nodiscard]] bool is_error() const { return type == kind::error; }
  /// Whether it is an error that begins with this word, such as MOVED.
  [[nodiscard]] bool is_error(std::string_view word) const {
    return is_error() && text.starts_with(word) && (text.size() == word.size() || text[word.size()] == ' ');
  }
  /// The item at `i`, or nil.
  [[nodiscard]] const reply& at(std::size_t i) const;
  /// An integer, or the number that a text is; 0 for anything else.
  [[nodiscard]] std::int64_t as_number() const;
};

}  // namespace roombus::redis
