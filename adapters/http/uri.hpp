#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roombus::http {

/// Replaces `%XX` by its byte. Nothing when a `%` is not followed by two hex digits. Source: RFC 3986 §2.1.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

using query_list = std::vector<std::pair<std::string, std::string>>;

/// Splits `a=1&b=2` and decodes names and values; `+` means a space, a name without `=` has the value "".
/// Nothing when a `%` sequence is invalid. Source: URL standard, application/x-www-form-urlencoded.
[[nodiscard]] std::optional<query_list> parse_query(std::string_view query);

/// First value called `name`, or null.
[[nodiscard]] const std::string* find_query(const query_list& query, std::string_view name);

}  // namespace roombus::http
