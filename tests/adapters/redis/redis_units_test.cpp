#include <gtest/gtest.h>

#include "adapters/redis/key_slot.hpp"
#include "adapters/redis/redis_url.hpp"
#include "adapters/redis/reply_reader.hpp"
#include "adapters/redis/slot_map.hpp"

namespace roombus::redis {

TEST(key_slot, is_what_redis_computes) {
  // CLUSTER KEYSLOT of Redis 7.0
  EXPECT_EQ(key_slot("123456789"), 12739);
  EXPECT_EQ(key_slot("foo"), 12182);
  EXPECT_EQ(key_slot(""), 0);
}

TEST(key_slot, uses_the_first_hash_tag_that_is_not_empty) {
  EXPECT_EQ(key_slot("{foo}.bar"), key_slot("foo"));
  EXPECT_EQ(key_slot("x{foo}{bar}"), key_slot("foo"));
  EXPECT_EQ(key_slot("foo{{bar}}"), key_slot("{bar"));
  EXPECT_NE(key_slot("{}foo"), key_slot("foo"));
  EXPECT_NE(key_slot("{foo"), key_slot("foo"));
}

TEST(redis_url, takes_its_parts_apart) {
  const auto url = redis_url::parse("redis://ann:s%40cret@redis.example:7000/3");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->user, "ann");
  EXPECT_EQ(url->password, "s@cret");
  EXPECT_EQ(url->address.str(), "redis.example:7000");
  EXPECT_EQ(url->database, 3U);
  const auto v6 = redis_url::parse("redis://:secret@[::1]");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->address.str(), "[::1]:6379");
  EXPECT_EQ(v6->user, "");
  EXPECT_FALSE(v6->tls);
  const auto secured = redis_url::parse("rediss://:secret@redis.example/1");
  ASSERT_TRUE(secured);
  EXPECT_TRUE(secured->tls);
  EXPECT_EQ(secured->address.str(), "redis.example:6379");
  EXPECT_EQ(secured->database, 1U);
}

TEST(redis_url, refuses_what_is_not_one) {
  for (const char* text :
       {"", "redis://", "rediss://", "redisss://host", "http://host", "redis://host:0", "redis://host:70000",
        "redis://host/x", "redis://user@host", "redis://a:%4@host", "redis://a b", "redis://[::1"}) {
    EXPECT_FALSE(redis_url::parse(text)) << text;
  }
  EXPECT_FALSE(redis_url::parse_list("redis://a,"));
  EXPECT_EQ(redis_url::parse_list("redis://a:1, redis://b:2")->size(), 2U);
}

reply read_one(std::string_view bytes) {
  reply_reader reader;
  EXPECT_TRUE(reader.feed(bytes));
  auto out = reader.next();
  return out ? *out : reply();
}

TEST(slot_map, follows_ranges_and_single_moves) {
  const reply answer = read_one(
      "*2\r\n*3\r\n:0\r\n:99\r\n*3\r\n$2\r\nm1\r\n:7001\r\n$1\r\nx\r\n"
      "*4\r\n:100\r\n:16383\r\n*3\r\n$0\r\n\r\n:7002\r\n$1\r\ny\r\n*3\r\n$2\r\nr1\r\n:7003\r\n$1\r\nz\r\n");
  auto map = slot_map::parse(answer, node_address{"asked", 1});
  ASSERT_TRUE(map);
  EXPECT_EQ(map->find(0)->str(), "m1:7001");
  EXPECT_EQ(map->find(100)->str(), "asked:7002");  // a node that does not know its own address
  map->set(0, node_address{"m3", 7});
  EXPECT_EQ(map->find(0)->str(), "m3:7");
  EXPECT_EQ(map->find(1)->str(), "m1:7001");
}

TEST(slot_map, is_not_made_of_anything_else) {
  for (const char* bytes :
       {"*0\r\n", "+OK\r\n", "-ERR no cluster\r\n", "*1\r\n*3\r\n:0\r\n:16384\r\n*2\r\n$1\r\na\r\n:1\r\n"}) {
    EXPECT_FALSE(slot_map::parse(read_one(bytes), node_address())) << bytes;
  }
}

TEST(reply_reader, takes_replies_in_pieces_and_knows_bad_bytes) {
  reply_reader reader;
  EXPECT_TRUE(reader.feed("*2\r\n$3\r\nab"));
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.failed());
  EXPECT_TRUE(reader.feed("c\r\n:7\r\n"));
  const auto whole = reader.next();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->at(0).text, "abc");
  EXPECT_EQ(whole->at(1).number, 7);
  EXPECT_EQ(whole->at(2).type, reply::kind::nil);
  const bool took = reader.feed("HTTP/1.1 400\r\n");
  EXPECT_FALSE(took && reader.next());
  EXPECT_TRUE(reader.failed());
}

}  // namespace roombus::redis
