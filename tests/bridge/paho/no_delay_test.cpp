#include "bridge/paho/no_delay.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace roombus::mqtt {

TEST(NoDelay, port_of_a_broker_address) {
  EXPECT_EQ(port_of("tcp://127.0.0.1:18830"), 18830);
  EXPECT_EQ(port_of("tcp://[::1]:18830"), 18830);
  EXPECT_EQ(port_of("tcp://broker"), 1883);
  EXPECT_EQ(port_of("ssl://broker"), 8883);
  EXPECT_EQ(port_of("ssl://broker:1"), 1);
  EXPECT_EQ(port_of("tcp://[::1]"), 1883);
}

TEST(NoDelay, sets_the_option_on_connected_sockets_of_that_port) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof a;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&a), length), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&a), &length);
  const int client = socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(set_no_delay(ntohs(a.sin_port)), 0);
  ASSERT_EQ(connect(client, reinterpret_cast<sockaddr*>(&a), length), 0);
  EXPECT_EQ(set_no_delay(ntohs(a.sin_port)), 1);
  int on = 0;
  socklen_t size = sizeof on;
  getsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, &size);
  EXPECT_NE(on, 0);
  close(client);
  close(listener);
}

}  // namespace roombus::mqtt
