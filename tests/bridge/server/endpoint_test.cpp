#include "bridge/server/endpoint.hpp"

#include <gtest/gtest.h>

#include "bridge/server/config.hpp"

namespace roombus::server {
namespace {

TEST(endpoint, reads_host_and_port) {
  struct row {
    const char* text;
    const char* host;
    int port;
    bool loopback;
  };
  for (const row& r :
       {row{"127.0.0.1:8000", "127.0.0.1", 8000, true}, row{"[::1]:8000", "::1", 8000, true},
        row{"localhost:0", "localhost", 0, true}, row{"0.0.0.0:65535", "0.0.0.0", 65535, false},
        row{"[::]:80", "::", 80, false}, row{"broker.example.org:1883", "broker.example.org", 1883, false}}) {
    const auto e = endpoint::parse(r.text);
    ASSERT_TRUE(e) << r.text;
    EXPECT_EQ(e->host, r.host);
    EXPECT_EQ(e->port, r.port);
    EXPECT_EQ(e->is_loopback(), r.loopback) << r.text;
    EXPECT_EQ(e->str(), r.text);
  }
}

TEST(endpoint, refuses_what_is_none) {
  for (const char* text : {"", ":", "8000", ":8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                           "127.0.0.1:80x", "::1:8000", "[::1]", "[::1]8000", "[]:80", "[localhost]:80",
                           "[127.0.0.1]:80", "http://127.0.0.1:80", "a b:80", "h:80 "}) {
    EXPECT_FALSE(endpoint::parse(text)) << text;
  }
}

TEST(broker_address, reads_all_forms) {
  for (const char* text : {"embedded", "none", "tcp://broker:1883", "ssl://[fd00::1]:8883"}) {
    const auto b = broker_address::parse(text);
    ASSERT_TRUE(b) << text;
    EXPECT_EQ(b->str(), text);
  }
  EXPECT_EQ(broker_address::parse("tcp://broker")->str(), "tcp://broker:1883");
  EXPECT_EQ(broker_address::parse("ssl://broker")->str(), "ssl://broker:8883");
  for (const char* text :
       {"", "Embedded", "tcp:broker:1", "tcp://", "tcp://b:0", "tcp://b:70000", "mqtt://b:1883", "b:1883"}) {
    EXPECT_FALSE(broker_address::parse(text)) << text;
  }
}

}  // namespace
}  // namespace roombus::server
