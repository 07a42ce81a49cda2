#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace roombus::socketio {

/// Decoded parameters of a query string, in order.
using query_list = std::vector<std::pair<std::string, std::string>>;

/// More parameters than any client needs; those behind are left out, as they are searched one by one.
inline constexpr std::size_t max_query_parameters = 128;

/// Splits and decodes `a=1&b=%20+`. Parts that do not decode to valid UTF-8 are left out.
[[nodiscard]] query_list parse_query(std::string_view query);

/// The first parameter called `name`, or null.
[[nodiscard]] const std::string* find_parameter(const query_list& query, std::string_view name);

}  // namespace roombus::socketio
