#pragma once

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace roombus {

/// A string with a meaning of its own: never converts to or from another kind without being asked to.
template <class Tag>
class named_string {
 public:
  named_string() = default;
  explicit named_string(std::string text) : text_(std::move(text)) {}

  [[nodiscard]] const std::string& str() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }
  auto operator<=>(const named_string&) const = default;

 private:
  std::string text_;
};

/// Name of a room. Byte-for-byte comparison; see `is_valid_name`.
using room_name = named_string<struct room_name_tag>;
/// Login name of a user. Byte-for-byte comparison; see `is_valid_name`.
using user_name = named_string<struct user_name_tag>;
/// One client's life on one transport ("socket" in command names). Unique among all instances.
using connection_id = named_string<struct connection_id_tag>;

/// True for a name that a user or a room may have: 1 to `max_bytes` bytes of valid UTF-8 without U+0000–U+001F,
/// U+007F, `:`, `{` and `}`. Source: contract §1.
[[nodiscard]] bool is_valid_name(const std::string& name, std::size_t max_bytes);

}  // namespace roombus

template <class Tag>
struct std::hash<roombus::named_string<Tag>> {
  std::size_t operator()(const roombus::named_string<Tag>& name) const noexcept {
    return std::hash<std::string>{}(name.str());
  }
};
