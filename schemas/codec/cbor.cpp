#include "schemas/codec/cbor.hpp"

#include <cbor.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>

#include "core/utf8.hpp"
#include "schemas/codec/cbor_tokens.hpp"
#include "schemas/codec/map_keys.hpp"
#include "schemas/codec/stored_limits.hpp"

namespace roombus::cbor {

namespace {

using kind = token::kind;

/// A claimed count reserves no more than this: the rest grows as the values really arrive.
constexpr std::uint64_t reserve_at_most = 64;

class reader {
 public:
  reader(std::string_view bytes, const codec_limits& limits) : in_(bytes), limits_(limits) {}

  decoded<value> run() {
    value v;
    token t;
    if (!in_.next_untagged(t) || !from(t, v, 0)) return in_.error();
    if (in_.left() != 0) return codec_error{codec_errc::syntax, in_.offset()};
    return v;
  }

 private:
  /// Builds the value that begins with `t`, which lies in `depth` lists and maps. The depth limit bounds the recursion.
  bool from(const token& t, value& out, std::size_t depth) {
    if (++items_ > limits_.max_items) return in_.fail(codec_errc::too_large);
    switch (t.type) {
      case kind::unsigned_integer:
        out = value(t.number);
        return true;
      case kind::negative_integer:
        if (t.number > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return in_.fail(codec_errc::bad_number);
        out = value(-1 - static_cast<std::int64_t>(t.number));
        return true;
      case kind::real:
        out = value(t.real);
        return true;
      case kind::boolean:
        out = value(t.number != 0);
        return true;
      case kind::null:
        out = value();
        return true;
      case kind::text:
      case kind::text_chunks: {
        std::string s;
        if (!text(t, s)) return false;
        out = value(std::move(s));
        return true;
      }
      case kind::bytes:
        out = value(byte_string{std::string(t.data)});
        return true;
      case kind::bytes_chunks: {
        byte_string b;
        if (!chunks(kind::bytes, b.data)) return false;
        out = value(std::move(b));
        return true;
      }
      case kind::list:
      case kind::open_list:
        return list(t, out, depth + 1);
      case kind::map:
      case kind::open_map:
        return map(t, out, depth + 1);
      case kind::undefined:
        return in_.fail(codec_errc::unsupported);
      case kind::tag:
      case kind::end:
        break;
    }
    return in_.fail(codec_errc::syntax);
  }

  bool text(const token& t, std::string& out) {
    if (t.type == kind::text_chunks) return chunks(kind::text, out);
    if (!is_valid_utf8(t.data)) return in_.fail(codec_errc::invalid_utf8);
    out.assign(t.data);
    return true;
  }

  bool chunks(kind type, std::string& out) {
    for (token t;;) {
      if (!in_.next(t)) return false;
      if (t.type == kind::end) return true;
      if (t.type != type) return in_.fail(codec_errc::syntax);
      if (type == kind::text && !is_valid_utf8(t.data)) return in_.fail(codec_errc::invalid_utf8);
      out.append(t.data);
    }
  }

  /// Every value takes at least one byte, so a count beyond what is left is refused before anything is built.
  bool plausible(std::uint64_t values) { return values <= in_.left() || in_.fail(codec_errc::truncated); }

  bool list(const token& head, value& out, std::size_t depth) {
    if (depth > limits_.max_depth) return in_.fail(codec_errc::too_deep);
    value_list values;
    const bool open = head.type == kind::open_list;
    if (!open) {
      if (!plausible(head.number)) return false;
      values.reserve(std::min(head.number, reserve_at_most));
    }
    token t;
    for (std::uint64_t i = 0; open || i < head.number; ++i) {
      if (!in_.next_untagged(t)) return false;
      if (open && t.type == kind::end) break;
      if (!from(t, values.emplace_back(), depth)) return false;
    }
    out = value(std::move(values));
    return true;
  }

  bool map(const token& head, value& out, std::size_t depth) {
    if (depth > limits_.max_depth) return in_.fail(codec_errc::too_deep);
    value_map fields;
    const bool open = head.type == kind::open_map;
    if (!open) {
      if (!plausible(head.number) || !plausible(head.number * 2)) return false;
      fields.reserve(std::min(head.number, reserve_at_most));
    }
    token t;
    for (std::uint64_t i = 0; open || i < head.number; ++i) {
      if (!in_.next_untagged(t)) return false;
      if (open && t.type == kind::end) break;
      if (t.type == kind::end) return in_.fail(codec_errc::syntax);
      if (t.type != kind::text && t.type != kind::text_chunks) return in_.fail(codec_errc::key_not_text);
      std::string key;
      if (!text(t, key) || !in_.next_untagged(t)) return false;
      fields.append(std::move(key), value());
      if (!from(t, (fields.end() - 1)->second, depth)) return false;
    }
    if (has_duplicate_keys(fields)) return in_.fail(codec_errc::duplicate_key);
    out = value(std::move(fields));
    return true;
  }

  token_reader in_;
  const codec_limits& limits_;
  std::size_t items_ = 0;
};

using head = std::array<unsigned char, 9>;

void append(std::string& out, const head& h, std::size_t size) {
  out.append(reinterpret_cast<const char*>(h.data()), size);
}

void write_uint(std::string& out, std::uint64_t n) {
  head h;
  append(out, h, cbor_encode_uint(n, h.data(), h.size()));
}

void write_int(std::string& out, std::int64_t n) {
  if (n >= 0) return write_uint(out, static_cast<std::uint64_t>(n));
  head h;
  append(out, h, cbor_encode_negint(static_cast<std::uint64_t>(-1 - n), h.data(), h.size()));
}

void write_text(std::string& out, std::string_view text) {
  head h;
  append(out, h, cbor_encode_string_start(text.size(), h.data(), h.size()));
  out.append(text);
}

/// The half-precision form of `f` if it is exact. libcbor's encoder rounds instead, differently in its versions.
std::optional<std::uint16_t> exact_half(float f) {
  const auto bits = std::bit_cast<std::uint32_t>(f);
  const std::uint32_t sign = bits >> 16 & 0x8000U;
  const int exponent = static_cast<int>(bits >> 23 & 0xffU) - 127;
  const std::uint32_t mantissa = bits & 0x7fffffU;
  if ((bits & 0x7fffffffU) == 0) return static_cast<std::uint16_t>(sign);
  if (exponent == 128) return static_cast<std::uint16_t>(sign | 0x7c00U);  // infinity; NaN never comes here
  if (exponent > 15 || exponent < -24) return std::nullopt;
  if (exponent >= -14) {
    if ((mantissa & 0x1fffU) != 0) return std::nullopt;
    return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(exponent + 15) << 10 | mantissa >> 13);
  }
  const std::uint32_t whole = mantissa | 0x800000U;  // a subnormal half counts in units of 2^-24
  const int shift = -exponent - 1;
  if ((whole & ((1U << shift) - 1)) != 0) return std::nullopt;
  return static_cast<std::uint16_t>(sign | whole >> shift);
}

/// Shortest of half, single and double that keeps the number (RFC 8949 §4.1).
void write_double(std::string& out, double d) {
  if (std::isnan(d)) {
    out.append("\xf9\x7e\x00", 3);
    return;
  }
  head h;
  // beyond the range of float the conversion would be undefined
  const bool in_range = std::isinf(d) || std::abs(d) <= double{std::numeric_limits<float>::max()};
  const float f = in_range ? static_cast<float>(d) : 0.0F;
  if (!in_range || static_cast<double>(f) != d) {
    append(out, h, cbor_encode_double(d, h.data(), h.size()));
  } else if (const auto half = exact_half(f)) {
    out.push_back('\xf9');
    out.push_back(static_cast<char>(*half >> 8));
    out.push_back(static_cast<char>(*half & 0xff));
  } else {
    append(out, h, cbor_encode_single(f, h.data(), h.size()));
  }
}

void write_map(std::string& out, const value_map& map) {
  head h;
  append(out, h, cbor_encode_map_start(map.size(), h.data(), h.size()));
  for (const auto& [key, field] : map) {
    write_text(out, key);
    write(out, field);
  }
}

struct writer {
  std::string& out;

  void operator()(value::null) const { out.push_back('\xf6'); }
  void operator()(bool b) const { out.push_back(b ? '\xf5' : '\xf4'); }
  void operator()(std::int64_t n) const { write_int(out, n); }
  void operator()(std::uint64_t n) const { write_uint(out, n); }
  void operator()(double d) const { write_double(out, d); }
  void operator()(const std::string& text) const { write_text(out, text); }
  void operator()(const byte_string& b) const {
    head h;
    append(out, h, cbor_encode_bytestring_start(b.data.size(), h.data(), h.size()));
    out.append(b.data);
  }
  void operator()(const value_list& list) const {
    head h;
    append(out, h, cbor_encode_array_start(list.size(), h.data(), h.size()));
    for (const value& v : list)
      write(out, v);
  }
  void operator()(const value_map& map) const { write_map(out, map); }
  void operator()(const value::encoded& map) const { out.append(map->cbor()); }
};

}  // namespace

decoded<value> read(std::string_view bytes, const codec_limits& limits) {
  if (bytes.size() > limits.max_bytes) return codec_error{codec_errc::too_large, limits.max_bytes};
  return reader(bytes, limits).run();
}

void write(std::string& out, const value& v) {
  std::visit(writer{out}, v.data());
}

std::string write(const value& v) {
  std::string out;
  write(out, v);
  return out;
}

std::string write(const value_map& map) {
  std::string out;
  write_map(out, map);
  return out;
}

std::string with_field(std::string_view map, std::string_view key, std::uint64_t number) {
  token_reader in(map);
  token t;
  std::string out;
  const bool is_map = in.next_untagged(t) && t.type == kind::map;
  if (!is_map) return std::string(map);
  out.reserve(map.size() + key.size() + 27);
  head h;
  append(out, h, cbor_encode_map_start(t.number + 1, h.data(), h.size()));
  out.append(map.substr(in.offset()));
  write_text(out, key);
  write_uint(out, number);
  return out;
}

value materialize(value v) {
  if (const auto* encoded = v.if_encoded()) {
    auto map = read((*encoded)->cbor(), stored_limits);
    return map && map->if_map() != nullptr ? std::move(*map) : value();
  }
  if (auto* list = v.if_list()) {
    for (value& item : *list)
      item = materialize(std::move(item));
  } else if (auto* map = v.if_map()) {
    for (auto& field : *map)
      field.second = materialize(std::move(field.second));
  }
  return v;
}

std::size_t count_bytes(const value& v) {
  if (const auto* encoded = v.if_encoded()) return (*encoded)->has_bytes() ? count_bytes(materialize(v)) : 0;
  return byte_strings_in(v);
}

bool has_bytes(const value& v) {
  if (v.if_bytes() != nullptr) return true;
  if (const auto* encoded = v.if_encoded()) return (*encoded)->has_bytes();
  if (const auto* list = v.if_list()) return std::any_of(list->begin(), list->end(), has_bytes);
  if (const auto* map = v.if_map()) {
    return std::any_of(map->begin(), map->end(), [](const auto& field) { return has_bytes(field.second); });
  }
  return false;
}

}  // namespace roombus::cbor
