#pragma once

// What a bridge publishes to $CONTROL/roombus/v1, and what the plugin answers: lines of words separated by one blank.
// Names, client ids and room levels have no blanks and no line ends, so nothing needs escaping. README.md has the
// table.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/mosquitto/plugin/grant_table.hpp"
#include "adapters/mosquitto/plugin/served_parts.hpp"

namespace roombus::plugin {

inline constexpr std::string_view control_topic = "$CONTROL/roombus/v1";

/// In a `revoke`: the connection's present life, whichever bridge granted the room.
inline constexpr std::uint64_t any_generation = 0;

struct control_line {
  enum class verb : std::uint8_t { hello, alone, among, sync, grant, revoke, reset, kick, serves, verdict };
  verb what = verb::hello;
  std::string_view user;
  std::string_view client;
  std::uint64_t generation = 0;
  log_place at;  ///< of `grant` and `revoke`
  std::string_view room_level;
  std::optional<part_set> parts;  ///< of `serves`
  std::string_view id;            ///< of `verdict`: the question's
  std::string_view outcome;       ///< of `verdict`: accepted, rejected or unavailable
  std::string_view limits;        ///< of `verdict`, accepted: as `payload::login_word` writes them; empty for none
};

struct control_message {
  std::string_view instance;
  std::string_view life;         ///< of the instance; another one is a restart
  std::string_view incarnation;  ///< of the plugin, "-" when the bridge does not know it
  std::uint64_t sequence = 0;    ///< grows with each message of one life
  std::uint32_t lease_ms = 0;
  std::vector<control_line> lines;
};

/// Nothing for anything that is not exactly of the form. Views into `text`.
[[nodiscard]] std::optional<control_message> parse_control(std::string_view text);

}  // namespace roombus::plugin
