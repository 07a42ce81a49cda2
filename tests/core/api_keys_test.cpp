#include "core/api_keys.hpp"

#include <gtest/gtest.h>

namespace roombus {
namespace {

TEST(api_keys, a_key_opens_up_to_its_level) {
  api_keys keys;
  EXPECT_TRUE(keys.empty());
  EXPECT_FALSE(keys.level_of(""));
  keys.add("one", api_access::read);
  keys.add("two", api_access::all);
  EXPECT_EQ(keys.level_of("one"), api_access::read);
  EXPECT_EQ(keys.level_of("two"), api_access::all);
  for (const char* wrong : {"", "on", "onee", "One", "tw\0o"})
    EXPECT_FALSE(keys.level_of(wrong)) << wrong;
  EXPECT_FALSE(keys.level_of(std::string_view("one\0", 4)));
  EXPECT_FALSE(keys.level_of("one" + std::string(api_keys::max_bytes, 'x')));
}

TEST(api_keys, the_higher_level_of_a_key_counts) {
  api_keys keys;
  keys.add("key", api_access::rooms);
  keys.add("key", api_access::read);
  EXPECT_EQ(keys.level_of("key"), api_access::rooms);
  EXPECT_EQ(keys.size(), 1u);
}

TEST(api_keys, keys_are_what_a_header_can_carry) {
  EXPECT_TRUE(api_keys::is_key("a~!Z9"));
  EXPECT_TRUE(api_keys::is_key(std::string(api_keys::max_bytes, 'x')));
  for (const std::string& wrong : {std::string(), std::string("a b"), std::string("a\n"), std::string("\x7f"),
                                   std::string("é"), std::string(api_keys::max_bytes + 1, 'x')})
    EXPECT_FALSE(api_keys::is_key(wrong)) << wrong;
}

TEST(api_keys, a_batch_needs_what_the_calls_in_it_need) {
  const auto one = [](const char* method) { return value(value_map{{"method", value(method)}, {"args", value()}}); };
  const auto needed = [](value_list calls) {
    const value by_name(value_map{{"calls", value(calls)}, {"more", value()}});
    const value by_position(value_list{value(calls)});
    const api_access level = needed_access("batch", by_name);
    EXPECT_EQ(needed_access("batch", by_position), level);
    return level;
  };
  EXPECT_EQ(needed({}), api_access::read);
  EXPECT_EQ(needed({one("hasRoom")}), api_access::read);
  EXPECT_EQ(needed({one("hasRoom"), one("addRoom")}), api_access::rooms);
  EXPECT_EQ(needed({one("addUser"), one("hasRoom")}), api_access::all);
  EXPECT_EQ(needed({value(7), one("nothing")}), api_access::read);
  EXPECT_EQ(needed_access("deleteUser", value()), api_access::all);
  EXPECT_EQ(needed_access("nothing", value()), api_access::read);
}

}  // namespace
}  // namespace roombus
