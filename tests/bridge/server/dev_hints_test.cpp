#include "bridge/server/dev_hints.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace roombus::server {
namespace {

std::string hints(const dev_addresses& where) {
  std::ostringstream out;
  print_dev_hints(out, where);
  return out.str();
}

TEST(dev_hints, lines_have_the_real_addresses) {
  dev_addresses where;
  where.http = {"0.0.0.0", 8123};
  where.mqtt = endpoint{"127.0.0.1", 4567};
  const auto text = hints(where);
  for (const char* line :
       {"\n  http://127.0.0.1:8123/\n",
        "  mosquitto_sub -h 127.0.0.1 -p 4567 -u sensor1 -i sensor1 -V mqttv5 -v -t "
        "'roombus/r/+/json/#' -t 'roombus/u/sensor1/sensor1/room/#'",
        "  mosquitto_pub -h 127.0.0.1 -p 4567 -u sensor1 -i sensor1-pub -t roombus/u/sensor1/sensor1/call/roomJoin/1 "
        "-m '[\"default\"]'\n",
        "-t roombus/u/sensor1/sensor1/send/default -m '{\"temp\":21.5}'\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\nnot in\n" << text;
  }
}

TEST(dev_hints, names_are_safe_in_topic_and_shell) {
  dev_addresses where;
  where.http = {"::1", 1};
  where.mqtt = endpoint{"::1", 2};
  where.prefix = "p";
  where.room = "it's \"a\"";
  const auto text = hints(where);
  EXPECT_NE(text.find("http://[::1]:1/"), std::string::npos) << text;
  EXPECT_NE(text.find("-h ::1 -p 2 "), std::string::npos) << text;
  EXPECT_NE(text.find("-t p/u/sensor1/sensor1/send/it%27s%20%22a%22 "), std::string::npos) << text;
  EXPECT_NE(text.find("-m '[\"it'\\''s \\\"a\\\"\"]'"), std::string::npos) << text;
}

TEST(dev_hints, a_made_key_of_the_server_api_is_told) {
  dev_addresses where;
  where.http = {"localhost", 80};
  where.admin = {"0.0.0.0", 81};
  where.api_key = "made";
  const auto text = hints(where);
  EXPECT_NE(text.find("\n  export ROOMBUS_URL=http://127.0.0.1:81 ROOMBUS_KEY=made\n  roombus rooms\n"),
            std::string::npos)
      << text;
}

TEST(dev_hints, without_mqtt_only_the_page) {
  dev_addresses where;
  where.http = {"localhost", 80};
  EXPECT_EQ(hints(where), "\nOpen the page:\n\n  http://localhost:80/\n\n");
}

}  // namespace
}  // namespace roombus::server
