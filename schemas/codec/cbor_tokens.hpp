#pragma once

// Inside roombus_codec only: one CBOR item head after the other, from libcbor's streaming decoder. It holds no tree and
// allocates nothing; texts and bytes are views into the input.

#include <cstdint>
#include <string_view>

#include "schemas/codec/codec_limits.hpp"

namespace roombus::cbor {

/// What one item head says.
struct token {
  enum class kind : std::uint8_t {
    unsigned_integer,  ///< `number`
    negative_integer,  ///< −1 − `number`
    bytes,             ///< `data`, complete
    text,              ///< `data`, complete; UTF-8 not checked
    bytes_chunks,      ///< chunks of kind `bytes` follow until `end`
    text_chunks,       ///< chunks of kind `text` follow until `end`
    list,              ///< `number` values follow
    map,               ///< `number` pairs follow
    open_list,         ///< values follow until `end`
    open_map,          ///< pairs follow until `end`
    tag,               ///< `number`; the tagged value follows
    real,              ///< `real`
    boolean,           ///< `number` is 0 or 1
    null,
    undefined,
    end  ///< the "break" of an indefinite length
  };
  kind type = kind::null;
  std::uint64_t number = 0;
  double real = 0;
  std::string_view data;
};

/// Reads tokens one by one.
class token_reader {
 public:
  explicit token_reader(std::string_view bytes) : bytes_(bytes) {}

  /// Reads the next token, false on an error.
  [[nodiscard]] bool next(token& t);
  /// The same, passing over tags; false also at a bignum's tag.
  [[nodiscard]] bool next_untagged(token& t);

  [[nodiscard]] std::size_t offset() const { return offset_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size() - offset_; }
  [[nodiscard]] const codec_error& error() const { return error_; }
  /// Notes an error at the last token, and is false.
  bool fail(codec_errc code);

 private:
  std::string_view bytes_;
  std::size_t offset_ = 0;
  std::size_t token_offset_ = 0;
  codec_error error_;
};

}  // namespace roombus::cbor
