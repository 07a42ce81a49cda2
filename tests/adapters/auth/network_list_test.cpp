#include "adapters/auth/network_list.hpp"

#include <gtest/gtest.h>

namespace roombus {
namespace {

TEST(network_list, parses_networks_and_single_addresses) {
  for (const char* text :
       {"127.0.0.0/8", "10.1.2.3", "::1", "::1/128", "fd00::/8", "0.0.0.0/0", "::/0", "10.1.2.3/32"}) {
    EXPECT_TRUE(ip_network::parse(text)) << text;
  }
}

TEST(network_list, refuses_what_is_no_network) {
  for (const char* text : {"", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x", "::1/129",
                           "[::1]", "10.0.0.1/8", "10.0.0/8", "/8", " 10.0.0.1", "fe80::1%eth0", "256.0.0.1"}) {
    EXPECT_FALSE(ip_network::parse(text)) << text;
  }
}

TEST(network_list, contains_only_what_is_inside) {
  const network_list list({*ip_network::parse("10.83.64.0/23"), *ip_network::parse("fd00:1::/33")});
  struct row {
    const char* address;
    bool inside;
  };
  for (const row& r : {row{"10.83.64.1", true}, row{"10.83.65.255", true}, row{"10.83.66.0", false},
                       row{"10.83.63.255", false}, row{"::ffff:10.83.64.9", true}, row{"fd00:1:7fff::1", true},
                       row{"fd00:1:8000::1", false}, row{"", false}, row{"10.83.64.1 ", false}, row{"host", false}}) {
    EXPECT_EQ(list.contains(r.address), r.inside) << r.address;
  }
}

TEST(network_list, loopback_is_both_families_and_nothing_else) {
  const auto list = network_list::loopback();
  for (const char* inside : {"127.0.0.1", "127.255.0.3", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(list.contains(inside)) << inside;
  }
  for (const char* outside : {"128.0.0.1", "192.168.0.1", "::2", "::", "localhost"}) {
    EXPECT_FALSE(list.contains(outside)) << outside;
  }
  EXPECT_FALSE(network_list{}.contains("127.0.0.1"));
}

}  // namespace
}  // namespace roombus
