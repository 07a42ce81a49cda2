#pragma once

#include <bit>
#include <cstdint>
#include <random>
#include <string>

#include "core/value.hpp"

namespace roombus::test {

/// Makes value trees from a seed: the same seed, the same trees.
class random_values {
 public:
  explicit random_values(std::uint64_t seed) : random_(seed) {}

  value any(int depth) {
    switch (below(depth > 0 ? 12 : 9)) {
      case 0:
        return value();
      case 1:
        return value(below(2) == 0);
      case 2:
        return value(static_cast<int>(below(200)) - 100);
      case 3:
        return value(static_cast<std::int64_t>(random_() >> below(64)));
      case 4:
        return value(~static_cast<std::int64_t>(random_() >> 1 >> below(63)));
      case 5:
        return value(random_());
      case 6:
        return real();
      case 7:
        return value(text());
      case 8:
        return value(byte_string{bytes()});
      case 9: {
        value_list list(below(6));
        for (value& v : list)
          v = any(depth - 1);
        return value(std::move(list));
      }
      default:
        return value(map(depth - 1));
    }
  }

  value_map map(int depth) {
    value_map map;
    const std::uint64_t n = below(20) == 0 ? 40 : below(6);
    for (std::uint64_t i = 0; i < n; ++i)
      map.set(text(), any(depth));
    return map;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  /// Any finite double, short ones more often.
  value real() {
    const auto d = std::bit_cast<double>(random_());
    const bool finite = d - d == 0;
    if (!finite || below(3) == 0) return value(static_cast<double>(below(100'000)) / 100);
    return below(2) == 0
               ? value(d)
               : value(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(below(0x7f800000)))));
  }

  std::string text() {
    static constexpr std::string_view pieces[] = {"a",
                                                  "Z",
                                                  "0",
                                                  " ",
                                                  "\"",
                                                  "\\",
                                                  "/",
                                                  "\n",
                                                  std::string_view("\0", 1),
                                                  "\x1f",
                                                  "\x7f",
                                                  "\xc3\xbc",
                                                  "\xe2\x82\xac",
                                                  "\xe2\x80\xa8",
                                                  "\xf0\x9f\x98\x80",
                                                  "temperature",
                                                  "\\u0041"};
    std::string out;
    for (std::uint64_t n = below(12); n > 0; --n)
      out += pieces[below(std::size(pieces))];
    return out;
  }

  std::string bytes() {
    std::string out(below(2) == 0 ? below(8) : below(300), '\0');
    for (char& c : out)
      c = static_cast<char>(random_());
    return out;
  }

  std::mt19937_64 random_;
};

}  // namespace roombus::test
