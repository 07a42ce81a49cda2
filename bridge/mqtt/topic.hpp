#pragma once

#include <cstddef>
#include <string_view>

namespace roombus::mqtt {

/// True for a string that may be published to: 1 to `max_bytes` (at most 65535) bytes of valid UTF-8 without U+0000,
/// `+` and `#`. Source: MQTT 5.0 §4.7, §1.5.4.
[[nodiscard]] bool is_topic_name(std::string_view text, std::size_t max_bytes = 65535);

/// True for a string that may be subscribed with: as a topic name, and `+` fills its level, `#` fills the last one.
/// Source: MQTT 5.0 §4.7.1.
[[nodiscard]] bool is_topic_filter(std::string_view text, std::size_t max_bytes = 65535);

/// True if a valid filter selects a valid name; wildcards at the start do not select names that begin with `$`.
/// Source: MQTT 5.0 §4.7.2, §4.7.3.
[[nodiscard]] bool topic_matches(std::string_view filter, std::string_view name);

/// True if `text` has a character that valid UTF-8 may have and for which brokers close the publisher: control
/// characters U+0001–U+001F and U+007F–U+009F, and non-characters. Source: MQTT 5.0 §1.5.4; design §3, "Levels".
[[nodiscard]] bool has_disallowed_characters(std::string_view valid_utf8);

}  // namespace roombus::mqtt
