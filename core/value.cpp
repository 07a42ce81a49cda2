#include "core/value.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace roombus {

value_map::value_map() = default;
value_map::value_map(std::initializer_list<entry> entries) : entries_(entries) {}
value_map::value_map(const value_map&) = default;
value_map::value_map(value_map&&) noexcept = default;
value_map& value_map::operator=(const value_map&) = default;
value_map& value_map::operator=(value_map&&) noexcept = default;
value_map::~value_map() = default;

const value* value_map::find(std::string_view key) const {
  for (const entry& e : entries_) {
    if (e.first == key) return &e.second;
  }
  return nullptr;
}

value* value_map::find(std::string_view key) {
  return const_cast<value*>(std::as_const(*this).find(key));
}

void value_map::set(std::string_view key, value v) {
  if (value* old = find(key)) {
    *old = std::move(v);
  } else {
    entries_.emplace_back(std::string(key), std::move(v));
  }
}

void value_map::reserve(std::size_t n) {
  entries_.reserve(n);
}

void value_map::append(std::string key, value v) {
  entries_.emplace_back(std::move(key), std::move(v));
}

bool value_map::erase(std::string_view key) {
  auto it = std::find_if(entries_.begin(), entries_.end(), [&](const entry& e) { return e.first == key; });
  if (it == entries_.end()) return false;
  entries_.erase(it);
  return true;
}

std::size_t value_map::size() const {
  return entries_.size();
}
const value_map::entry* value_map::begin() const {
  return entries_.data();
}
const value_map::entry* value_map::end() const {
  return entries_.data() + entries_.size();
}
value_map::entry* value_map::begin() {
  return entries_.data();
}
value_map::entry* value_map::end() {
  return entries_.data() + entries_.size();
}

bool value_map::operator==(const value_map& other) const {
  if (size() != other.size()) return false;
  return std::all_of(entries_.begin(), entries_.end(), [&](const entry& e) {
    const value* theirs = other.find(e.first);
    return theirs != nullptr && *theirs == e.second;
  });
}

namespace {

constexpr double two_to_63 = 9223372036854775808.0;
constexpr double two_to_64 = 18446744073709551616.0;

value::storage normal_form(double d) {
  const bool whole = std::isfinite(d) && d == std::floor(d) && !(d == 0 && std::signbit(d));
  if (whole && d >= -two_to_63 && d < two_to_63) return static_cast<std::int64_t>(d);
  if (whole && d >= two_to_63 && d < two_to_64) return static_cast<std::uint64_t>(d);
  return d;
}

}  // namespace

value::value(std::uint64_t i) {
  if (i <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    data_ = static_cast<std::int64_t>(i);
  } else {
    data_ = i;
  }
}

value::value(double d) : data_(normal_form(d)) {}

std::optional<std::uint64_t> value::floor_to_uint() const {
  if (const auto* i = std::get_if<std::int64_t>(&data_)) return *i < 0 ? 0 : static_cast<std::uint64_t>(*i);
  if (const auto* u = std::get_if<std::uint64_t>(&data_)) return *u;
  if (const auto* d = std::get_if<double>(&data_)) {
    if (std::isnan(*d)) return std::nullopt;
    if (*d <= 0) return 0;
    if (*d >= two_to_64) return std::numeric_limits<std::uint64_t>::max();
    return static_cast<std::uint64_t>(*d);
  }
  return std::nullopt;
}

double value::as_double() const {
  if (const auto* i = std::get_if<std::int64_t>(&data_)) return static_cast<double>(*i);
  if (const auto* u = std::get_if<std::uint64_t>(&data_)) return static_cast<double>(*u);
  if (const auto* d = std::get_if<double>(&data_)) return *d;
  return 0;
}

bool value::operator==(const value& other) const {
  const auto* mine = if_encoded();
  const auto* theirs = other.if_encoded();
  if (mine != nullptr && theirs != nullptr) return (*mine)->cbor() == (*theirs)->cbor();
  if (const auto* a = std::get_if<double>(&data_)) {
    if (const auto* b = std::get_if<double>(&other.data_)) return *a == *b || (std::isnan(*a) && std::isnan(*b));
    return *a == 0 && other.is_number() && other.as_double() == 0;  // −0.0 equals 0
  }
  if (std::holds_alternative<double>(other.data_)) return other == *this;
  return data_ == other.data_;
}

std::size_t byte_strings_in(const value& v) {
  if (v.if_bytes() != nullptr) return 1;
  std::size_t count = 0;
  if (const value_list* list = v.if_list()) {
    for (const value& item : *list)
      count += byte_strings_in(item);
  } else if (const value_map* map = v.if_map()) {
    for (const auto& [key, item] : *map)
      count += byte_strings_in(item);
  }
  return count;
}

}  // namespace roombus
