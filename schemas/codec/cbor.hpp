#pragma once

#include <string>
#include <string_view>

#include "core/value.hpp"
#include "schemas/codec/codec_limits.hpp"

namespace roombus::cbor {

/// Reads one CBOR data item (RFC 8949), definite or indefinite lengths. See design §3, "Values", for what is refused.
[[nodiscard]] decoded<value> read(std::string_view bytes, const codec_limits& limits);

/// Appends `v` as CBOR in preferred serialization, keys in kept order.
void write(std::string& out, const value& v);
[[nodiscard]] std::string write(const value& v);
[[nodiscard]] std::string write(const value_map& map);

/// A copy of `map` (one CBOR map with definite length, without `key`) with one more field at the end; nothing is
/// decoded.
[[nodiscard]] std::string with_field(std::string_view map, std::string_view key, std::uint64_t number);

/// `v` with every encoded map in it decoded. An encoded map that does not decode (it came from outside) becomes null.
[[nodiscard]] value materialize(value v);

/// Byte strings anywhere in `v`.
[[nodiscard]] std::size_t count_bytes(const value& v);

/// True if a byte string is anywhere in `v`.
[[nodiscard]] bool has_bytes(const value& v);

}  // namespace roombus::cbor
