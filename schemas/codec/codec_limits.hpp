#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/chat_error.hpp"

#include <boost/system/result.hpp>

namespace roombus {

/// Bounds on what a stranger may send in one payload.
struct codec_limits {
  std::size_t max_depth = 32;         ///< nesting of lists and maps; a plain number has depth 0
  std::size_t max_bytes = 1'000'000;  ///< of the encoded form
  std::size_t max_items = 100'000;    ///< values in all
};

/// Why a payload was refused.
enum class codec_errc : std::uint8_t {
  syntax,         ///< not well-formed, or bytes left over behind the value
  truncated,      ///< ends too early
  too_deep,       ///< codec_limits::max_depth
  too_large,      ///< codec_limits::max_bytes or max_items
  invalid_utf8,   ///< in a text or key; lone surrogates included
  duplicate_key,  ///< a map has a key twice
  key_not_text,   ///< a CBOR map has a key that is not text
  bad_number,     ///< outside the range of exact integers and doubles, or a bignum
  unsupported,    ///< CBOR: undefined simple values
  wrong_type      ///< well-formed, but neither list nor map where one is needed (schemas/codec/payload.hpp)
};

struct codec_error {
  codec_errc code = codec_errc::syntax;
  std::size_t offset = 0;  ///< byte at which it was noticed
  bool operator==(const codec_error&) const = default;
};

/// One sentence for people: "invalid UTF-8 at byte 17".
[[nodiscard]] std::string to_text(const codec_error& error);

[[noreturn]] void throw_exception_from_error(const codec_error& error, const boost::source_location& where);

template <class T>
using decoded = boost::system::result<T, codec_error>;

}  // namespace roombus
