#include <gtest/gtest.h>

#include "core/cluster/log_entry.hpp"
#include "core/cluster/room_feed.hpp"
#include "schemas/codec/cbor.hpp"
#include "schemas/codec/json.hpp"

namespace roombus {
namespace {

const room_name den("den");

entry_ptr entry(std::uint64_t sequence, const std::string& epoch = "e1") {
  room_entry e;
  e.sequence = sequence;
  e.epoch = epoch;
  e.message = value(value_map{{"n", value(sequence)}});
  return std::make_shared<const log_entry>(den, std::move(e));
}

std::vector<std::uint64_t> numbers(const std::vector<entry_ptr>& entries) {
  std::vector<std::uint64_t> out;
  for (const entry_ptr& e : entries)
    out.push_back(e->entry().sequence);
  return out;
}

using list = std::vector<std::uint64_t>;

TEST(room_feed_test, hands_out_each_entry_once_and_in_order) {
  room_feed feed;
  EXPECT_EQ(numbers(feed.start(4, "e1")), list{});
  EXPECT_EQ(numbers(feed.offer(entry(6))), list{});
  EXPECT_TRUE(feed.has_hole());
  EXPECT_EQ(numbers(feed.offer(entry(8))), list{});
  EXPECT_EQ(numbers(feed.offer(entry(5))), (list{5, 6}));
  EXPECT_EQ(numbers(feed.offer(entry(6))), list{});
  EXPECT_EQ(numbers(feed.offer(entry(4))), list{});
  EXPECT_EQ(numbers(feed.offer(entry(7))), (list{7, 8}));
  EXPECT_FALSE(feed.has_hole());
  EXPECT_EQ(feed.position(), 8U);
}

TEST(room_feed_test, keeps_what_comes_before_it_is_known_where_to_begin) {
  room_feed feed;
  for (const std::uint64_t sequence : {3U, 5U, 4U, 7U})
    EXPECT_EQ(numbers(feed.offer(entry(sequence))), list{});
  EXPECT_FALSE(feed.has_hole());
  EXPECT_EQ(numbers(feed.start(3, "e1")), (list{4, 5}));
  EXPECT_TRUE(feed.has_hole());
}

TEST(room_feed_test, entries_of_another_life_of_the_room_are_not_handed_out) {
  room_feed feed;
  EXPECT_EQ(numbers(feed.offer(entry(2, "e0"))), list{});
  EXPECT_EQ(numbers(feed.start(1, "e1")), list{});
  EXPECT_EQ(numbers(feed.offer(entry(2, "e0"))), list{});
  EXPECT_TRUE(feed.has_hole()) << "the log has to tell which of them is older";
  feed.forget_foreign();
  EXPECT_FALSE(feed.has_hole());
  EXPECT_EQ(numbers(feed.offer(entry(2))), list{2});
}

TEST(room_feed_test, holds_a_bounded_number) {
  room_feed feed(3);
  feed.start(0, "e1");
  for (std::uint64_t sequence = 2; sequence <= 4; ++sequence)
    feed.offer(entry(sequence));
  EXPECT_FALSE(feed.is_broken());
  feed.offer(entry(5));
  EXPECT_TRUE(feed.is_broken());
}

// ---- entries

std::vector<std::string> shown(const std::vector<shared_event>& events) {
  std::vector<std::string> out;
  for (const shared_event& e : events)
    out.push_back(std::string(e->name()) + json::write(value(e->args())));
  return out;
}

std::vector<std::string> events_of(room_entry e) {
  return shown(log_entry(den, std::move(e)).events());
}

room_entry full_entry() {
  room_entry e;
  e.sequence = 9;
  e.epoch = "epoch";
  e.origin = "one~ab";
  e.kind = room_entry_kind::list_edited;
  e.list = "blacklist";
  e.on = true;
  e.names = {user_name("bob"), user_name("eve")};
  e.removed = {{user_name("bob"), {connection_id("c1"), connection_id("mqtt#bob/x")}}};
  e.switches = {true, true};
  return e;
}

TEST(room_feed_test, a_full_one_still_takes_what_is_missing) {
  room_feed feed(3);
  EXPECT_EQ(numbers(feed.start(1, "e1")), list{});
  for (const std::uint64_t sequence : {3U, 4U, 5U})
    EXPECT_EQ(numbers(feed.offer(entry(sequence))), list{});
  EXPECT_EQ(numbers(feed.offer(entry(4))), list{}) << "it has that one";
  EXPECT_FALSE(feed.is_broken());
  EXPECT_EQ(numbers(feed.offer(entry(2))), (list{2, 3, 4, 5}));
  EXPECT_FALSE(feed.is_broken());
}

TEST(log_entry_test, means_the_notifications_that_the_operation_meant) {
  room_entry e = full_entry();
  EXPECT_EQ(events_of(e), (std::vector<std::string>{R"(roomAccessListAdded["den","blacklist",["bob","eve"]])",
                                                    R"(roomUserLeft["den","bob"])"}));
  e.switches = {false, false};
  EXPECT_EQ(events_of(e), std::vector<std::string>{});
  e.switches = {true, true};
  e.kind = room_entry_kind::mode_set;
  EXPECT_EQ(events_of(e), (std::vector<std::string>{R"(roomModeChanged["den",true])", R"(roomUserLeft["den","bob"])"}));
  e.kind = room_entry_kind::room_removed;
  EXPECT_EQ(events_of(e), std::vector<std::string>{});

  room_entry coming;
  coming.kind = room_entry_kind::joined;
  coming.user = user_name("bob");
  coming.switches = {true, false};
  EXPECT_EQ(events_of(coming), std::vector<std::string>{}) << "not the user's first connection";
  coming.user_changed = true;
  EXPECT_EQ(events_of(coming), std::vector<std::string>{R"(roomUserJoined["den","bob"])"});
  coming.kind = room_entry_kind::left;
  EXPECT_EQ(events_of(coming), std::vector<std::string>{R"(roomUserLeft["den","bob"])"});
}

TEST(log_entry_test, is_the_same_after_the_bus) {
  std::vector<room_entry> entries{full_entry(), full_entry(), full_entry()};
  entries[1].kind = room_entry_kind::message;
  entries[1].message = value(value_map{{"text", value("hi")}, {"id", value(7)}});
  entries[2].kind = room_entry_kind::left;
  entries[2].user = user_name("bob");
  entries[2].id = connection_id("mqtt#bob/x");
  entries[2].reads = "shared cbor";
  entries[2].user_changed = true;
  for (const room_entry& e : entries) {
    const auto read = cbor::read(cbor::write(entry_to_map(e)), codec_limits{});
    ASSERT_TRUE(read);
    const auto back = entry_from(*read->if_map());
    ASSERT_TRUE(back);
    EXPECT_EQ(entry_to_map(*back), entry_to_map(e));
    EXPECT_EQ(back->removed.front().connections, e.removed.front().connections);
    EXPECT_EQ(back->kind, e.kind);
    EXPECT_EQ(back->reads, e.reads);
  }
}

TEST(log_entry_test, what_is_not_an_entry_is_nothing) {
  const value_map good = entry_to_map(full_entry());
  ASSERT_TRUE(entry_from(good));
  for (const char* key : {"s", "e", "o", "k"}) {
    value_map bad = good;
    bad.erase(key);
    EXPECT_FALSE(entry_from(bad)) << key;
    bad.set(key, value(value_list()));
    EXPECT_FALSE(entry_from(bad)) << key;
  }
  const std::pair<const char*, value> wrong[] = {{"s", value(0)},
                                                 {"k", value(99)},
                                                 {"n", value(value_list{value(1)})},
                                                 {"x", value(value_list{value("bob")})},
                                                 {"x", value(value_list{value(value_list())})}};
  for (const auto& [key, v] : wrong) {
    value_map bad = good;
    bad.set(key, v);
    EXPECT_FALSE(entry_from(bad)) << key;
  }
  value_map no_message = good;
  no_message.set("k", value(0));
  EXPECT_FALSE(entry_from(no_message));
}

}  // namespace
}  // namespace roombus
