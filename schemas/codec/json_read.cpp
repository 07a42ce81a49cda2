// The JSON reader. Why it is our own: docs/decisions/0002-json-reader.md.

#include <charconv>
#include <cstring>
#include <limits>
#include <system_error>

#include "core/utf8.hpp"
#include "schemas/codec/base64.hpp"
#include "schemas/codec/json.hpp"
#include "schemas/codec/map_keys.hpp"

namespace roombus::json {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Number of leading characters that stand for themselves in a string: neither quote, backslash nor control character.
/// `high_bit` is set when one of them is not ASCII.
std::size_t plain_length(const char* begin, const char* end, bool& high_bit) {
  constexpr std::uint64_t ones = 0x0101010101010101ULL;
  constexpr std::uint64_t highs = 0x8080808080808080ULL;
  const char* p = begin;
  std::uint64_t seen = 0;
  for (; end - p >= 8; p += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, sizeof word);
    const std::uint64_t quote = word ^ ones * '"';
    const std::uint64_t backslash = word ^ ones * '\\';
    const std::uint64_t special =
        ((quote - ones) & ~quote) | ((backslash - ones) & ~backslash) | ((word - ones * 0x20) & ~word);
    if ((special & highs) != 0) break;
    seen |= word & highs;
  }
  for (; p != end; ++p) {
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"' || c == '\\' || c < 0x20) break;
    seen |= c & 0x80U;
  }
  high_bit = seen != 0;
  return static_cast<std::size_t>(p - begin);
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto push = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    push(c);
  } else if (c < 0x800) {
    push(0xc0 | c >> 6);
    push(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    push(0xe0 | c >> 12);
    push(0x80 | (c >> 6 & 0x3f));
    push(0x80 | (c & 0x3f));
  } else {
    push(0xf0 | c >> 18);
    push(0x80 | (c >> 12 & 0x3f));
    push(0x80 | (c >> 6 & 0x3f));
    push(0x80 | (c & 0x3f));
  }
}

/// True if a number that `from_chars` found out of range is too small rather than too large.
bool is_underflow(std::string_view number) {
  std::int64_t exponent = 0;
  const std::size_t e = number.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view digits = number.substr(e + 1);
    const bool negative = digits.front() == '-';
    if (digits.front() == '-' || digits.front() == '+') digits.remove_prefix(1);
    for (const char c : digits) {
      if (exponent < 1'000'000'000) exponent = exponent * 10 + (c - '0');
    }
    if (negative) exponent = -exponent;
    number = number.substr(0, e);
  }
  if (number.front() == '-') number.remove_prefix(1);
  std::size_t point = number.find('.');
  if (point == std::string_view::npos) point = number.size();
  const std::size_t first = number.find_first_not_of("0.");
  if (first == std::string_view::npos) return true;
  // only numbers far from 1 come here, so the power of ten of the first digit decides
  const auto place = static_cast<std::int64_t>(point) - static_cast<std::int64_t>(first);
  return place + exponent < 0;
}

class reader {
 public:
  reader(std::string_view text, const codec_limits& limits, bytes_as form)
      : begin_(text.data()), at_(begin_), end_(begin_ + text.size()), limits_(limits), form_(form) {}

  decoded<value> run() {
    value v;
    skip_blanks();
    if (!any(v, 0)) return error_;
    skip_blanks();
    if (at_ != end_) return codec_error{codec_errc::syntax, offset(at_)};
    return v;
  }

 private:
  [[nodiscard]] std::size_t offset(const char* p) const { return static_cast<std::size_t>(p - begin_); }

  bool fail(codec_errc code, const char* where) {
    error_ = codec_error{code, offset(where)};
    return false;
  }
  /// Something else than what is at the current byte was needed.
  bool unexpected() { return fail(at_ == end_ ? codec_errc::truncated : codec_errc::syntax, at_); }

  void skip_blanks() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t'))
      ++at_;
  }
  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  /// Reads a value that lies in `depth` lists and maps. The depth limit bounds the recursion.
  bool any(value& out, std::size_t depth) {
    if (++items_ > limits_.max_items) return fail(codec_errc::too_large, at_);
    if (at_ == end_) return unexpected();
    switch (*at_) {
      case '{':
        return map(out, depth + 1);
      case '[':
        return list(out, depth + 1);
      case '"': {
        std::string s;
        if (!text(s)) return false;
        out = value(std::move(s));
        return true;
      }
      case 't':
        return word("true", value(true), out);
      case 'f':
        return word("false", value(false), out);
      case 'n':
        return word("null", value(), out);
      default:
        return number(out);
    }
  }

  bool word(std::string_view expected, value v, value& out) {
    for (const char c : expected) {
      if (!take(c)) return unexpected();
    }
    out = std::move(v);
    return true;
  }

  bool list(value& out, std::size_t depth) {
    if (depth > limits_.max_depth) return fail(codec_errc::too_deep, at_);
    ++at_;
    value_list values;
    skip_blanks();
    if (!take(']')) {
      do {
        skip_blanks();
        if (!any(values.emplace_back(), depth)) return false;
        skip_blanks();
      } while (take(','));
      if (!take(']')) return unexpected();
    }
    out = value(std::move(values));
    return true;
  }

  bool map(value& out, std::size_t depth) {
    if (depth > limits_.max_depth) return fail(codec_errc::too_deep, at_);
    const char* start = at_++;
    value_map fields;
    skip_blanks();
    if (!take('}')) {
      fields.reserve(4);
      do {
        skip_blanks();
        if (at_ == end_ || *at_ != '"') return unexpected();
        std::string key;
        if (!text(key)) return false;
        skip_blanks();
        if (!take(':')) return unexpected();
        skip_blanks();
        fields.append(std::move(key), value());
        if (!any((fields.end() - 1)->second, depth)) return false;
        skip_blanks();
      } while (take(','));
      if (!take('}')) return unexpected();
      if (has_duplicate_keys(fields)) return fail(codec_errc::duplicate_key, start);
    }
    if (form_ == bytes_as::buffer_object && buffer(fields, out)) return true;
    out = value(std::move(fields));
    return true;
  }

  static bool buffer(const value_map& fields, value& out) {
    if (fields.size() != 2) return false;
    const value* type = fields.find("type");
    const value* data = fields.find("data");
    if (type == nullptr || data == nullptr) return false;
    const std::string* name = type->if_text();
    const std::string* base64 = data->if_text();
    if (name == nullptr || *name != "Buffer" || base64 == nullptr) return false;
    auto bytes = decode_base64(*base64);
    if (!bytes) return false;
    out = value(byte_string{std::move(*bytes)});
    return true;
  }

  bool text(std::string& out) {
    ++at_;
    for (;;) {
      bool high_bit = false;
      const std::string_view plain(at_, plain_length(at_, end_, high_bit));
      if (high_bit && !is_valid_utf8(plain)) return fail(codec_errc::invalid_utf8, at_);
      out.append(plain);
      at_ += plain.size();
      if (take('"')) return true;
      if (!take('\\')) return unexpected();
      if (!escape(out)) return false;
    }
  }

  bool escape(std::string& out) {
    if (at_ == end_) return unexpected();
    switch (*at_) {
      case '"':
      case '\\':
      case '/':
        out.push_back(*at_++);
        return true;
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u':
        return unicode(out);
      default:
        return unexpected();
    }
    ++at_;
    return true;
  }

  bool unicode(std::string& out) {
    const char* start = at_ - 1;
    std::uint32_t c = 0;
    if (!hex(c)) return false;
    if (c >= 0xdc00 && c <= 0xdfff) return fail(codec_errc::invalid_utf8, start);
    if (c >= 0xd800 && c <= 0xdbff) {
      if (at_ == end_) return unexpected();
      std::uint32_t low = 0;
      if (!take('\\') || at_ == end_ || *at_ != 'u') return fail(codec_errc::invalid_utf8, start);
      if (!hex(low)) return false;
      if (low < 0xdc00 || low > 0xdfff) return fail(codec_errc::invalid_utf8, start);
      c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, c);
    return true;
  }

  /// Reads `uXXXX`.
  bool hex(std::uint32_t& out) {
    ++at_;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == end_) return unexpected();
      const char c = *at_;
      std::uint32_t digit = 0;
      if (is_digit(c)) {
        digit = static_cast<std::uint32_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<std::uint32_t>(c - 'a' + 10);
      } else if (c >= 'A' && c <= 'F') {
        digit = static_cast<std::uint32_t>(c - 'A' + 10);
      } else {
        return unexpected();
      }
      out = out << 4 | digit;
    }
    return true;
  }

  bool number(value& out) {
    const char* start = at_;
    const bool negative = take('-');
    if (at_ == end_ || !is_digit(*at_)) return unexpected();
    std::uint64_t n = 0;
    bool exact = true;
    if (!take('0')) {
      for (; at_ != end_ && is_digit(*at_); ++at_) {
        const auto digit = static_cast<std::uint64_t>(*at_ - '0');
        constexpr std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
        exact = exact && (n < max / 10 || (n == max / 10 && digit <= max % 10));
        if (exact) n = n * 10 + digit;
      }
    } else if (at_ != end_ && is_digit(*at_)) {
      return unexpected();
    }
    const bool whole = at_ == end_ || (*at_ != '.' && *at_ != 'e' && *at_ != 'E');
    if (whole && exact && !negative) {
      out = value(n);
      return true;
    }
    if (whole && exact && n != 0 && n <= std::uint64_t{1} << 63) {
      out = value(static_cast<std::int64_t>(0 - n));
      return true;
    }
    if (take('.') && !digits()) return false;
    if (take('e') || take('E')) {
      if (!take('-')) take('+');
      if (!digits()) return false;
    }
    return real(start, negative, out);
  }

  bool digits() {
    if (at_ == end_ || !is_digit(*at_)) return unexpected();
    while (at_ != end_ && is_digit(*at_))
      ++at_;
    return true;
  }

  /// The number from `start` to here as the nearest double. Whole numbers beyond 64 bits come here too: JavaScript
  /// writes doubles up to 1e21 that way.
  bool real(const char* start, bool negative, value& out) {
    double d = 0;
    const auto [last, error] = std::from_chars(start, at_, d);
    if (error == std::errc::result_out_of_range) {
      if (!is_underflow(std::string_view(start, static_cast<std::size_t>(at_ - start)))) {
        return fail(codec_errc::bad_number, start);
      }
      d = negative ? -0.0 : 0.0;
    } else if (error != std::errc() || last != at_) {
      return fail(codec_errc::syntax, start);
    }
    out = value(d);
    return true;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  const codec_limits& limits_;
  bytes_as form_;
  std::size_t items_ = 0;
  codec_error error_;
};

}  // namespace

decoded<value> read(std::string_view text, const codec_limits& limits, bytes_as form) {
  if (text.size() > limits.max_bytes) return codec_error{codec_errc::too_large, limits.max_bytes};
  return reader(text, limits, form).run();
}

}  // namespace roombus::json
