#pragma once

// What the plugin remembers of secrets: keyed hashes, of use to nobody without the key, which ends with the process.

#include <array>
#include <initializer_list>
#include <string_view>

namespace roombus::plugin {

using secret_key = std::array<unsigned char, 32>;
using keyed_proof = std::array<unsigned char, 32>;

/// HMAC-SHA256 of the parts, a NUL behind each; none of them has one inside. Throws std::bad_alloc when it
/// cannot.
[[nodiscard]] keyed_proof prove(const secret_key& key, std::initializer_list<std::string_view> parts);

/// How long it takes tells nothing about where they differ.
[[nodiscard]] bool is_same(const keyed_proof& a, const keyed_proof& b);

}  // namespace roombus::plugin
