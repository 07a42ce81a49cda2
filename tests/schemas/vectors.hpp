#pragma once

#include <string>
#include <string_view>

#include "core/value.hpp"
#include "schemas/codec/codec_limits.hpp"

namespace roombus::test {

/// The rows of a file in schemas/vectors. Throws when it cannot be read.
[[nodiscard]] value_list load_vectors(const std::string& file);

/// The text under `key` of a row; throws when there is none.
[[nodiscard]] const std::string& text_of(const value& row, std::string_view key);
/// The same, or `otherwise`.
[[nodiscard]] std::string text_or(const value& row, std::string_view key, std::string_view otherwise);

[[nodiscard]] std::string from_hex(std::string_view hex);
[[nodiscard]] std::string to_hex(std::string_view bytes);

/// Name of a code as the vectors write it.
[[nodiscard]] std::string_view name_of(codec_errc code);

}  // namespace roombus::test
