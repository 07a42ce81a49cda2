#include "tests/schemas/vectors.hpp"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "schemas/codec/json.hpp"

namespace roombus::test {

value_list load_vectors(const std::string& file) {
  std::ifstream in(std::string(ROOMBUS_VECTORS) + "/" + file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + file);
  const std::string text(std::istreambuf_iterator<char>(in), {});
  auto rows = json::read(text, {}, json::bytes_as::placeholder);
  if (!rows) throw std::runtime_error(file + ": " + to_text(rows.error()));
  if (rows->if_list() == nullptr || rows->if_list()->empty()) throw std::runtime_error(file + " has no rows");
  return std::move(*rows->if_list());
}

const std::string& text_of(const value& row, std::string_view key) {
  const value* field = row.if_map() == nullptr ? nullptr : row.if_map()->find(key);
  if (field == nullptr || field->if_text() == nullptr) throw std::runtime_error("no text under " + std::string(key));
  return *field->if_text();
}

std::string text_or(const value& row, std::string_view key, std::string_view otherwise) {
  return row.if_map()->find(key) == nullptr ? std::string(otherwise) : text_of(row, key);
}

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out.push_back(digits[static_cast<unsigned char>(c) >> 4]);
    out.push_back(digits[static_cast<unsigned char>(c) & 15]);
  }
  return out;
}

std::string_view name_of(codec_errc code) {
  switch (code) {
    case codec_errc::syntax:
      return "syntax";
    case codec_errc::truncated:
      return "truncated";
    case codec_errc::too_deep:
      return "too_deep";
    case codec_errc::too_large:
      return "too_large";
    case codec_errc::invalid_utf8:
      return "invalid_utf8";
    case codec_errc::duplicate_key:
      return "duplicate_key";
    case codec_errc::key_not_text:
      return "key_not_text";
    case codec_errc::bad_number:
      return "bad_number";
    case codec_errc::unsupported:
      return "unsupported";
    case codec_errc::wrong_type:
      return "wrong_type";
  }
  return "?";
}

}  // namespace roombus::test
