#pragma once

// What the command line shows to people.

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "core/value.hpp"

namespace roombus::server {

/// `text` with control characters as `\xNN`, so that a name or message cannot steer a terminal.
[[nodiscard]] std::string harmless(std::string_view text);

/// A value as a person wants it: a text without quotes, "-" for null, else JSON.
[[nodiscard]] std::string shown(const value& v);
/// The items of a list, with commas between.
[[nodiscard]] std::string shown_list(const value& list);

/// Columns that are as wide as they must be. `header` only shows up with `with_header`.
void print_table(std::ostream& out, const std::vector<std::string>& header,
                 const std::vector<std::vector<std::string>>& rows, bool with_header);

/// One line about one event of a room: "12:03:05 #7 alice: {"temp":21}". `now_ms` stands for events that carry no time.
[[nodiscard]] std::string event_line(std::string_view name, const value& data, std::int64_t now_ms);

}  // namespace roombus::server
