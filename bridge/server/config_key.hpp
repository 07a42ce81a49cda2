#pragma once

// One key of the configuration, as everything about it is served from: reading, checks, --help, the reference.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "bridge/server/config.hpp"

namespace roombus::server {

/// A value as the file, the environment or a flag gave it.
using setting = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

enum class setting_kind : std::uint8_t { boolean, integer, text, list };

/// Name of a key's environment variable; of `auth.jwt` and `secret` it is `ROOMBUS_AUTH__JWT__SECRET`.
[[nodiscard]] std::string variable_name(const std::string& section, const std::string& name);

/// A key of `Target`: the whole configuration, or one [[room]].
template <class Target>
struct config_key {
  std::string section;
  std::string name;
  setting_kind kind = setting_kind::text;
  std::string expected;  ///< what a right value is, for people: "an integer from 0 to 65535"
  std::string help;
  bool secret = false;  ///< the value is never shown
  bool table = false;   ///< a list of "name=value" that a file may also give as a table
  std::function<setting(const Target&)> get = {};
  /// Takes a setting of `kind`; false when the value is not what is expected.
  std::function<bool(Target&, const setting&)> set = {};

  [[nodiscard]] std::string path() const { return section + "." + name; }
  /// `ROOMBUS_SECTION__KEY`
  [[nodiscard]] std::string variable() const { return variable_name(section, name); }
};

/// All keys of the configuration, in the order of the reference.
[[nodiscard]] const std::vector<config_key<config>>& config_keys();
/// The keys of one [[room]].
[[nodiscard]] const std::vector<config_key<room_entry>>& room_keys();

namespace keys {

// The makers below take `field`, a generic lambda from the target to the place of the value.

template <class Target, class Field>
config_key<Target> boolean(std::string section, std::string name, Field field, std::string help) {
  config_key<Target> key{std::move(section), std::move(name), setting_kind::boolean, "true or false", std::move(help)};
  key.get = [field](const Target& t) -> setting { return field(t); };
  key.set = [field](Target& t, const setting& s) {
    field(t) = std::get<bool>(s);
    return true;
  };
  return key;
}

/// An integer, or a time in milliseconds.
template <class Target, class Field>
config_key<Target> integer(std::string section, std::string name, Field field, std::int64_t min, std::int64_t max,
                           std::string help) {
  using place = std::remove_cvref_t<decltype(field(std::declval<Target&>()))>;
  config_key<Target> key{std::move(section), std::move(name), setting_kind::integer,
                         "an integer from " + std::to_string(min) + " to " + std::to_string(max), std::move(help)};
  key.get = [field](const Target& t) -> setting {
    if constexpr (std::integral<place>) {
      return static_cast<std::int64_t>(field(t));
    } else {
      return static_cast<std::int64_t>(field(t).count());
    }
  };
  key.set = [field, min, max](Target& t, const setting& s) {
    const auto number = std::get<std::int64_t>(s);
    if (number < min || number > max) return false;
    field(t) = static_cast<place>(number);
    return true;
  };
  return key;
}

/// A text for which `check` holds.
template <class Target, class Field>
config_key<Target> text(std::string section, std::string name, Field field, std::string expected,
                        bool (*check)(const std::string&), std::string help) {
  config_key<Target> key{std::move(section), std::move(name), setting_kind::text, std::move(expected), std::move(help)};
  key.get = [field](const Target& t) -> setting { return field(t); };
  key.set = [field, check](Target& t, const setting& s) {
    const auto& given = std::get<std::string>(s);
    if (check != nullptr && !check(given)) return false;
    field(t) = given;
    return true;
  };
  return key;
}

/// A text that a type parses and writes.
template <class Target, class Field>
config_key<Target> parsed(std::string section, std::string name, Field field, std::string expected, std::string help) {
  using place = std::remove_cvref_t<decltype(field(std::declval<Target&>()))>;
  config_key<Target> key{std::move(section), std::move(name), setting_kind::text, std::move(expected), std::move(help)};
  key.get = [field](const Target& t) -> setting { return field(t).str(); };
  key.set = [field](Target& t, const setting& s) {
    auto value = place::parse(std::get<std::string>(s));
    if (!value) return false;
    field(t) = std::move(*value);
    return true;
  };
  return key;
}

/// One of a few words.
template <class Target, class Field, class Enum>
config_key<Target> choice(std::string section, std::string name, Field field,
                          std::vector<std::pair<std::string, Enum>> words, std::string help) {
  std::string expected = "one of";
  for (const auto& word : words)
    expected += (&word == &words.front() ? " \"" : ", \"") + word.first + "\"";
  config_key<Target> key{std::move(section), std::move(name), setting_kind::text, std::move(expected), std::move(help)};
  key.get = [field, words](const Target& t) -> setting {
    for (const auto& word : words) {
      if (word.second == field(t)) return word.first;
    }
    return std::string();
  };
  key.set = [field, words](Target& t, const setting& s) {
    for (const auto& word : words) {
      if (word.first != std::get<std::string>(s)) continue;
      field(t) = word.second;
      return true;
    }
    return false;
  };
  return key;
}

/// A list of texts, for each of which `check` holds.
template <class Target, class Field>
config_key<Target> list(std::string section, std::string name, Field field, std::string expected,
                        bool (*check)(const std::string&), std::string help) {
  config_key<Target> key{std::move(section), std::move(name), setting_kind::list, std::move(expected), std::move(help)};
  key.get = [field](const Target& t) -> setting {
    std::vector<std::string> out;
    for (const auto& item : field(t)) {
      if constexpr (requires { item.str(); }) {
        out.push_back(item.str());
      } else {
        out.push_back(item);
      }
    }
    return out;
  };
  key.set = [field, check](Target& t, const setting& s) {
    auto& place = field(t);
    using item = typename std::remove_cvref_t<decltype(place)>::value_type;
    place.clear();
    for (const auto& given : std::get<std::vector<std::string>>(s)) {
      if (check != nullptr && !check(given)) return false;
      place.push_back(item(given));
    }
    return true;
  };
  return key;
}

}  // namespace keys

}  // namespace roombus::server
