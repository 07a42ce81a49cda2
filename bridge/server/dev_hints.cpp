#include "bridge/server/dev_hints.hpp"

#include <ostream>

#include "bridge/mqtt/room_level.hpp"

namespace roombus::server {

namespace {

// What can be connected to, for an address that was listened on.
endpoint reachable(endpoint address) {
  if (address.host == "0.0.0.0") address.host = "127.0.0.1";
  if (address.host == "::") address.host = "::1";
  return address;
}

// A text inside JSON inside single quotes of a shell.
std::string shell_json(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c == '\'' ? "'\\''" : std::string(1, c);
  }
  return out;
}

}  // namespace

void print_dev_hints(std::ostream& out, const dev_addresses& where) {
  out << "\nOpen the page:\n\n  http://" << reachable(where.http).str() << "/\n";
  if (!where.api_key.empty()) {
    out << "\nCall the server API (this key is good until the service ends):\n\n  export ROOMBUS_URL=http://"
        << reachable(where.admin).str() << " ROOMBUS_KEY=" << where.api_key << "\n  roombus rooms\n";
  }
  if (!where.mqtt) {
    out << std::endl;
    return;
  }
  const auto mqtt = reachable(*where.mqtt);
  const auto to = " -h " + mqtt.host + " -p " + std::to_string(mqtt.port) + " -u sensor1 ";
  const auto pub = "  mosquitto_pub" + to + "-i sensor1-pub ";
  const auto topics = where.prefix + "/u/sensor1/sensor1/";
  const auto room = shell_json(where.room);
  out << "\nBe a device called sensor1. In one terminal, listen to what it receives (Ctrl-C ends it, and its "
         "presence):\n\n"
      << "  mosquitto_sub" << to << "-i sensor1 -V mqttv5 -v -t '" << where.prefix << "/r/+/json/#' -t '" << topics
      << "room/#' -t '" << topics << "reply/#' --will-topic " << topics
      << "status --will-payload offline --will-retain\n"
      << "\nIn another one: say that it is there, join the room, send a reading, ask for what was said.\n\n"
      << pub << "-t " << topics << "status -r -m online\n"
      << pub << "-t " << topics << "call/roomJoin/1 -m '[\"" << room << "\"]'\n"
      << pub << "-t " << topics << "send/" << mqtt::encode_room_level(where.room) << " -m '{\"temp\":21.5}'\n"
      << pub << "-t " << topics << "call/roomHistoryGet/2 -m '[\"" << room << "\",0,10]'\n"
      << std::endl;
}

}  // namespace roombus::server
