#include "bridge/server/config_reference.hpp"

#include "bridge/server/config_key.hpp"

namespace roombus::server {

namespace {

constexpr std::string_view usage = R"(roombus: chat rooms for devices on MQTT and browsers on socket.io

  roombus serve [--config FILE] [--dev] [--ready-file FILE] [--section.key VALUE …]
      Runs the service until SIGTERM or SIGINT.
      --dev         a name is enough to log in, from this machine only; creates a room "default" when the
                    configuration has none, and allows rooms management, direct messages and userlist updates
      --ready-file  is written once requests are served: one line of JSON with the addresses
  roombus check-config --config FILE [--section.key VALUE …]
      Checks a configuration without starting.
  roombus healthcheck [--url URL] [--config FILE] [--section.key VALUE …]
      Asks a running service how it is; exits 0 when it is well.
  roombus config-reference
      Prints all keys as Markdown.
  roombus api-reference | roombus openapi
      Prints the methods of the server API as Markdown or as OpenAPI.

  roombus call METHOD [JSON | NAME=VALUE …]
  roombus rooms [list | create ROOM | show ROOM | lists ROOM | delete ROOM]
  roombus send ROOM MESSAGE|-
  roombus tail ROOM [--history N] [--json]
  roombus users [list | show USER]
  roombus kick USER
      Ask a running service through its admin listener: --url or ROOMBUS_URL (http://127.0.0.1:8001), with a key of the
      server API: --key, --key-file or ROOMBUS_KEY. Each tells more with --help.
  roombus completion bash|zsh|fish
      Prints a completion script.
  roombus token --user NAME (--secret-file FILE | --key PEM) [--ttl SECONDS] [--claim NAME=VALUE …]
      Prints a token that logs NAME in.
  roombus hash-password [--user NAME] [--scheme argon2id|scrypt]
      Reads a password and prints its hash, for the password file.
  roombus --version

Every key can be given in the file as [section] key = value, as a variable ROOMBUS_SECTION__KEY, or as a flag
--section.key VALUE; flags win over variables, these over the file. Lists are separated by commas outside the file.
A file can also be named by the variable ROOMBUS_CONFIG. Rooms ([[room]]) can only be given in a file.

Keys and defaults:
)";

std::string as_toml(const setting& value) {
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<std::int64_t>(&value)) return std::to_string(*i);
  if (const auto* s = std::get_if<std::string>(&value)) return "\"" + *s + "\"";
  std::string out = "[";
  for (const auto& item : std::get<std::vector<std::string>>(value))
    out += (out.size() > 1 ? ", \"" : "\"") + item + "\"";
  return out + "]";
}

std::string cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
    text.insert(at, "\\");
  return text;
}

template <class Target>
std::string table(const std::vector<config_key<Target>>& keys, const std::string& section, const Target& defaults) {
  std::string out = "| key | default | expected | what |\n|---|---|---|---|\n";
  for (const auto& key : keys) {
    if (key.section != section) continue;
    out += "| `" + key.name + "` | `" + cell(as_toml(key.get(defaults))) + "` | " + cell(key.expected) + " | " +
           cell(key.help) + (key.secret ? " Never shown." : "") + " |\n";
  }
  return out;
}

}  // namespace

std::string help_text() {
  const config defaults;
  std::string out(usage);
  std::string section;
  for (const auto& key : config_keys()) {
    if (key.section != section) out += "\n";
    section = key.section;
    out += "  --" + key.path() + " " + as_toml(key.get(defaults)) + "\n      " + key.help + "\n      " + key.expected +
           "\n";
  }
  return out;
}

std::string config_reference() {
  const config defaults;
  std::string out;
  std::string section;
  for (const auto& key : config_keys()) {
    if (key.section == section) continue;
    section = key.section;
    out += (out.empty() ? "" : "\n");
    out += "### [" + section + "]\n\n" + table(config_keys(), section, defaults);
  }
  out +=
      "\n### [[room]]\n\nOne entry for each room. It is created at start if it does not exist; an existing room is "
      "never changed or deleted.\n\n";
  return out + table(room_keys(), "room", room_entry{});
}

}  // namespace roombus::server
