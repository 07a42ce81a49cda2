#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace roombus {

class value;

/// Immutable bytes shared by all who send them. Never changed after they were published.
using shared_buffer = std::shared_ptr<const std::string>;

/// Bytes that are not text.
struct byte_string {
  std::string data;
  bool operator==(const byte_string&) const = default;
};

/// Ordered list of values.
using value_list = std::vector<value>;

/// Text keys to values, in the order in which they were added; keys are unique.
/// A linear search is right here: messages have few fields.
class value_map {
 public:
  using entry = std::pair<std::string, value>;

  value_map();
  value_map(std::initializer_list<entry> entries);
  value_map(const value_map&);
  value_map(value_map&&) noexcept;
  value_map& operator=(const value_map&);
  value_map& operator=(value_map&&) noexcept;
  ~value_map();

  /// The value under `key`, or null.
  [[nodiscard]] const value* find(std::string_view key) const;
  [[nodiscard]] value* find(std::string_view key);
  /// Replaces the value of a key in place, or adds the key at the end.
  void set(std::string_view key, value v);
  /// Room for `n` fields, so that appending them allocates once.
  void reserve(std::size_t n);
  /// Adds a key that the caller knows to be new.
  void append(std::string key, value v);
  /// Removes a key; false when there was none.
  bool erase(std::string_view key);

  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] const entry* begin() const;
  [[nodiscard]] const entry* end() const;
  [[nodiscard]] entry* begin();
  [[nodiscard]] entry* end();
  /// Equal as sets of fields; the order of keys does not matter.
  bool operator==(const value_map& other) const;

 private:
  std::vector<entry> entries_;
};

/// A map that is kept as CBOR (a stored message) and is transcoded at most once per wire format, however many read it.
/// Belongs to the core's one thread; the caches are not synchronised.
class encoded_map {
 public:
  /// Wire formats whose encodings are kept.
  enum class format : std::uint8_t { json, socketio_json };

  /// `cbor` is one well-formed CBOR map with unique text keys; `has_bytes` tells whether a byte string is anywhere in
  /// it.
  encoded_map(std::string cbor, bool has_bytes) : cbor_(std::move(cbor)), has_bytes_(has_bytes) {}

  [[nodiscard]] const std::string& cbor() const { return cbor_; }
  [[nodiscard]] bool has_bytes() const { return has_bytes_; }
  /// The encoding made earlier for `f`, or an empty slot for the caller to fill.
  [[nodiscard]] shared_buffer& encoding(format f) const { return encodings_[static_cast<std::size_t>(f)]; }

 private:
  std::string cbor_;
  bool has_bytes_;
  mutable std::array<shared_buffer, 2> encodings_;
};

/// Any value that a client, a hook or a store can hold, the same for all wires: null, bool, integer −2⁶³…2⁶⁴−1 exact,
/// double, text (valid UTF-8), bytes, list, map. Numbers are equal by value: 1.0 is 1, and is kept as the integer; −0.0
/// stays a double. Source: design §3, "Values".
class value {
 public:
  using null = std::monostate;
  using encoded = std::shared_ptr<const encoded_map>;
  /// uint64_t only above INT64_MAX; double only when it is not an integer in range (or is −0.0).
  using storage = std::variant<null, bool, std::int64_t, std::uint64_t, double, std::string, byte_string, value_list,
                               value_map, encoded>;

  value() = default;
  value(std::nullptr_t) {}
  value(bool b) : data_(b) {}
  value(int i) : data_(static_cast<std::int64_t>(i)) {}
  value(std::int64_t i) : data_(i) {}
  value(std::uint64_t i);
  value(double d);
  value(std::string text) : data_(std::move(text)) {}
  value(std::string_view text) : data_(std::string(text)) {}
  value(const char* text) : data_(std::string(text)) {}
  value(byte_string b) : data_(std::move(b)) {}
  value(value_list list) : data_(std::move(list)) {}
  value(value_map map) : data_(std::move(map)) {}
  value(encoded map) : data_(std::move(map)) {}

  [[nodiscard]] bool is_null() const { return std::holds_alternative<null>(data_); }
  [[nodiscard]] const bool* if_bool() const { return std::get_if<bool>(&data_); }
  [[nodiscard]] const std::string* if_text() const { return std::get_if<std::string>(&data_); }
  [[nodiscard]] const byte_string* if_bytes() const { return std::get_if<byte_string>(&data_); }
  [[nodiscard]] const value_list* if_list() const { return std::get_if<value_list>(&data_); }
  [[nodiscard]] value_list* if_list() { return std::get_if<value_list>(&data_); }
  [[nodiscard]] const value_map* if_map() const { return std::get_if<value_map>(&data_); }
  [[nodiscard]] value_map* if_map() { return std::get_if<value_map>(&data_); }
  /// A stored message; look inside with `materialize` (schemas/codec/cbor.hpp).
  [[nodiscard]] const encoded* if_encoded() const { return std::get_if<encoded>(&data_); }
  [[nodiscard]] bool is_number() const { return data_.index() >= 2 && data_.index() <= 4; }
  /// The number rounded down to a whole one in 0…2⁶⁴−1: nothing for no number or NaN, the nearest bound outside the
  /// range.
  [[nodiscard]] std::optional<std::uint64_t> floor_to_uint() const;
  /// The number as a double; 0 for anything else.
  [[nodiscard]] double as_double() const;

  [[nodiscard]] const storage& data() const { return data_; }
  /// Encoded maps are equal when their CBOR is.
  bool operator==(const value& other) const;

 private:
  storage data_;
};

/// Byte strings in `v`, not looking into encoded maps.
[[nodiscard]] std::size_t byte_strings_in(const value& v);

}  // namespace roombus
