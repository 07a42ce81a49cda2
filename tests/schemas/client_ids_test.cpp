// Which client ids a user may connect with.

#include "schemas/topics/client_ids.hpp"

#include <gtest/gtest.h>

namespace roombus::topics {
namespace {

TEST(client_ids, own_ids_are_a_users_name_or_begin_with_it) {
  struct {
    const char* user;
    const char* client;
    bool allowed;
  } const table[] = {{"alice", "alice", true},       {"alice", "alice~phone", true}, {"alice", "alice~", false},
                     {"alice", "alice~a~b", false},  {"alice", "alice2", false},     {"alice", "Alice", false},
                     {"alice", "alic", false},       {"alice", "bob~alice", false},  {"alice~x", "alice~x", false},
                     {"alice~x", "alice~x~y", true}, {"alice", "alice~x~y", false},  {"alice", "", false},
                     {"", "alice", false},           {"a/b", "a/b", false}};
  for (const auto& a : table) {
    EXPECT_EQ(may_connect_as(client_ids::own, a.user, a.client), a.allowed) << a.user << " as " << a.client;
  }
  EXPECT_TRUE(may_connect_as(client_ids::any, "alice", "bob"));
  EXPECT_FALSE(may_connect_as(client_ids::any, "alice", "b/b"));
}

}  // namespace
}  // namespace roombus::topics
