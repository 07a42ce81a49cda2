#include "bridge/cluster/partition_table.hpp"

#include <gtest/gtest.h>

#include <map>

#include "core/ports/cluster_store.hpp"

namespace roombus::cluster {
namespace {

using names = std::vector<std::string>;

TEST(partition_table, the_hash_is_the_documented_one) {
  // FNV-1a of the text is 0xcbf29ce484222325 for "", 0xaf63dc4c8601ec8c for "a"
  EXPECT_EQ(partition_of(""), (0xcbf29ce4U ^ 0x84222325U) % 256);
  EXPECT_EQ(partition_of("a"), (0xaf63dc4cU ^ 0x8601ec8cU) % 256);
}

TEST(partition_table, devices_spread_evenly) {
  std::map<std::size_t, int> counts;
  for (int i = 0; i < 25600; ++i)
    ++counts[partition_of("sensor" + std::to_string(i % 100) + "/client-" + std::to_string(i))];
  EXPECT_EQ(counts.size(), partition_count);
  for (const auto& [number, count] : counts)
    EXPECT_TRUE(count > 50 && count < 160) << number << ": " << count;
}

std::map<std::string, int> shares(const names& living) {
  std::map<std::string, int> out;
  for (std::size_t i = 0; i < partition_count; ++i)
    ++out[partition_target(i, living)];
  return out;
}

TEST(partition_table, each_member_has_about_its_share) {
  for (const names& living : {names{"a~1"}, names{"a~1", "b~1"}, names{"i1~x", "i2~x", "i3~x", "i4~x"}}) {
    const auto counts = shares(living);
    ASSERT_EQ(counts.size(), living.size());
    const int fair = static_cast<int>(partition_count / living.size());
    for (const auto& [name, count] : counts)
      EXPECT_TRUE(count > fair * 6 / 10 && count < fair * 14 / 10) << name << ": " << count;
  }
  EXPECT_EQ(partition_target(3, {}), "");
}

TEST(partition_table, a_new_member_takes_only_what_becomes_its_own) {
  for (std::size_t i = 0; i < partition_count; ++i) {
    const std::string before = partition_target(i, {"a", "b"});
    const std::string after = partition_target(i, {"c", "b", "a"});
    EXPECT_TRUE(after == before || after == "c") << i;
  }
}

struct taking {
  const char* what;
  const char* before;
  const char* by;
  const char* after;
};

TEST(partition_table, who_leaves_something_behind_is_kept_until_it_is_taken_over) {
  for (const taking& c : {
           taking{"nobody had it", "", "B", "B"},
           taking{"given away", "A", "", "<A"},
           taking{"taken after that", "<A", "B", "B<A"},
           taking{"its recoverer takes it", "B<A", "C", "C<B<A"},
           taking{"given away while taking over", "B<A", "", "<B<A"},
           taking{"taken back", "<A", "A", "A<A"},
           taking{"a name stands once", "A<B<A", "C", "C<A<B"},
           taking{"at most eight", "1<2<3<4<5<6<7<8<9", "x", "x<1<2<3<4<5<6<7<8"},
       }) {
    EXPECT_EQ(partition_entry::parse(c.before).taken_by(c.by).str(), c.after) << c.what;
  }
}

TEST(partition_table, whatever_stands_in_the_table_is_read) {
  for (const char* text : {"", "<", "<<", "A<", "A<<B", "<A<"}) {
    const partition_entry entry = partition_entry::parse(text);
    EXPECT_FALSE(entry.names("") && !entry.owner.empty()) << text;
    EXPECT_EQ(partition_entry::parse(entry.str()).str(), entry.str()) << text;
  }
  EXPECT_TRUE(partition_entry::parse("A<B").names("A"));
  EXPECT_TRUE(partition_entry::parse("A<B").names("B"));
  EXPECT_FALSE(partition_entry::parse("A<B").names("C"));
}

}  // namespace
}  // namespace roombus::cluster
