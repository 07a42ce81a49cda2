#include "bridge/mqtt/topic_map.hpp"

#include <gtest/gtest.h>

#include "bridge/mqtt/topic.hpp"

namespace roombus::mqtt {
namespace {

const topic_map topics("roombus", broker_profile::mosquitto, 1024);

/// What a topic means, in one line.
std::string shown(const topic_map& map, const std::string& topic) {
  const parsed_topic parsed = map.parse(topic);
  const auto of = [](const device_levels& d) {
    EXPECT_EQ(d.both, std::string(d.user) + "/" + std::string(d.client));
    return std::string(d.both);
  };
  if (const auto* c = std::get_if<call_topic>(&parsed)) {
    return "call " + of(c->device) + " " + std::string(c->command) + " [" + std::string(c->id) + "]";
  }
  if (const auto* s = std::get_if<send_topic>(&parsed)) return "send " + of(s->device) + " " + s->room.str();
  if (const auto* s = std::get_if<status_topic>(&parsed)) return "status " + of(s->device);
  return "ignored " + std::string(to_text(std::get<ignored>(parsed)));
}

TEST(topic_map, parses_requests) {
  const std::string long_name(128, 'u');
  const std::string long_id(64, '7');
  const std::pair<std::string, std::string> cases[] = {
      {"roombus/u/alice/sub1/call/roomJoin", "call alice/sub1 roomJoin []"},
      {"roombus/u/alice/sub1/call/roomJoin/17", "call alice/sub1 roomJoin [17]"},
      {"roombus/u/alice/sub1/call/no%20such", "call alice/sub1 no%20such []"},
      {"roombus/u/a.b@c/x.y/send/living%20room", "send a.b@c/x.y living room"},
      {"roombus/u/alice/sub1/status", "status alice/sub1"},
      {"roombus/u/" + long_name + "/c/status", "status " + long_name + "/c"},
      {"roombus/u/" + long_name + "u/c/status", "ignored levels"},
      {"roombus/u/a/c/call/x/" + long_id, "call a/c x [" + long_id + "]"},
      {"roombus/u/a/c/call/x/" + long_id + "7", "ignored request_id"},
      {"roombus/u/a/c/call/x/a b", "ignored request_id"},
      {"roombus/u/a/c/call/x/", "ignored request_id"},
      {"roombus/u/a/c/call/x//", "ignored request_id"},
      {"roombus/u/a/c/call/x/1/2", "ignored topic"},
      {"roombus/u/a/c/call/x//2", "ignored topic"},
      {"roombus/u/a/c/call", "ignored topic"},
      {"roombus/u/a/c/call/", "ignored topic"},
      {"roombus/u/a/c/call//1", "ignored topic"},
      {"roombus/u/a b/c/status", "ignored levels"},
      {"roombus/u/a%20b/c/status", "ignored levels"},
      {"roombus/u//c/status", "ignored levels"},
      {"roombus/u/a//status", "ignored levels"},
      {"roombus/u/\xc3\xa9/c/status", "ignored levels"},
      {"roombus/u/a/c/status/x", "ignored topic"},
      {"roombus/u/a/c/status/", "ignored topic"},
      {"roombus/u/a/c/send/r/x", "ignored topic"},
      {"roombus/u/a/c/send/r/", "ignored topic"},
      {"roombus/u/a/c/send/", "ignored topic"},
      {"roombus/u/a/c/send/a.b", "ignored room"},
      {"roombus/u/a/c/send/%41", "ignored room"},
      {"roombus/u/a/c/event/x", "ignored topic"},
      {"roombus/u/a/c", "ignored topic"},
      {"roombus/u/a/c/", "ignored topic"},
      {"roombus/u", "ignored topic"},
      {"roombus", "ignored topic"},
      {"roombusx/u/a/c/status", "ignored topic"},
      {"other/u/a/c/status", "ignored topic"},
      {"roombus/u/a/c/status\xff", "ignored topic"},
      {"roombus/u/a/+/status", "ignored topic"},
      {"", "ignored topic"},
      {"roombus/u/a/c/send/" + std::string(1024, 'r'), "ignored topic_too_long"},
  };
  for (const auto& [topic, meaning] : cases)
    EXPECT_EQ(shown(topics, topic), meaning) << topic;
}

TEST(topic_map, dots_are_no_name_characters_with_brokers_that_rewrite_them) {
  for (const broker_profile profile : {broker_profile::rabbitmq, broker_profile::nats}) {
    const topic_map map("roombus", profile, 1024);
    EXPECT_EQ(shown(map, "roombus/u/a.b/c/status"), "ignored levels");
    EXPECT_EQ(shown(map, "roombus/u/a/c@d/status"), "ignored levels");
    EXPECT_EQ(shown(map, "roombus/u/a/c/call/x/1.2"), "ignored request_id");
    EXPECT_EQ(shown(map, "roombus/u/a/c/call/x/1-2"), "call a/c x [1-2]");
    EXPECT_FALSE(topic_map::is_prefix("my.site", profile));
  }
}

TEST(topic_map, capitals_are_no_other_user_where_the_broker_folds_them) {
  const topic_map folding("roombus", broker_profile::ejabberd, 1024);
  EXPECT_EQ(shown(folding, "roombus/u/Alice/c1/status"), "ignored levels");
  EXPECT_EQ(shown(folding, "roombus/u/alice/C1/status"), "status alice/C1");
  const topic_map exact("roombus", broker_profile::generic, 1024);
  EXPECT_EQ(shown(exact, "roombus/u/Alice/c1/status"), "status Alice/c1");
}

TEST(topic_map, builds_the_topics_of_the_table) {
  const topic_map map("site/a", broker_profile::mosquitto, 1024);
  const std::string base = map.device_base("alice", "sub1");
  EXPECT_EQ(topic_map::reply(base, "17"), "site/a/u/alice/sub1/reply/17");
  EXPECT_EQ(topic_map::own_event(base, "directMessage"), "site/a/u/alice/sub1/event/directMessage");
  EXPECT_EQ(topic_map::inbox_event(base, room_name("a b"), "roomMessage"),
            "site/a/u/alice/sub1/room/a%20b/roomMessage");
  EXPECT_EQ(map.room_event(room_name("a b"), wire::cbor, "roomMessage"), "site/a/r/a%20b/cbor/roomMessage");
  EXPECT_EQ(map.room_event(room_name("a b"), wire::json, "roomMessage"), "site/a/r/a%20b/json/roomMessage");
  EXPECT_EQ(shown(map, "site/a/u/alice/sub1/status"), "status alice/sub1");
}

TEST(topic_map, subscriptions_are_valid_and_select_the_requests) {
  for (const broker_profile profile : {broker_profile::mosquitto, broker_profile::generic, broker_profile::nats}) {
    const topic_map map("roombus", profile, 1024);
    const auto subscriptions = map.request_subscriptions();
    ASSERT_EQ(subscriptions.size(), 3u);
    for (const subscription& s : subscriptions) {
      EXPECT_TRUE(is_topic_filter(s.filter)) << s.filter;
      EXPECT_LE(s.level, traits_of(profile).max_qos);
      EXPECT_EQ(s.retained, s.filter.ends_with("/status")) << s.filter;
    }
    EXPECT_TRUE(topic_matches(subscriptions[0].filter, "roombus/u/a/c/call/x"));
    EXPECT_TRUE(topic_matches(subscriptions[0].filter, "roombus/u/a/c/call/x/1"));
    EXPECT_TRUE(topic_matches(subscriptions[1].filter, "roombus/u/a/c/send/r"));
    EXPECT_TRUE(topic_matches(subscriptions[2].filter, "roombus/u/a/c/status"));
  }
}

TEST(topic_map, prefixes) {
  for (const char* good : {"roombus", "site/roombus", "a.b/c@d", "A_~-9"}) {
    EXPECT_TRUE(topic_map::is_prefix(good, broker_profile::generic)) << good;
  }
  for (const char* bad : {"", "/a", "a/", "a//b", "$SYS", "a b", "a/+", "#", "\xc3\xa9"}) {
    EXPECT_FALSE(topic_map::is_prefix(bad, broker_profile::generic)) << bad;
  }
  EXPECT_TRUE(topic_map::is_prefix(std::string(200, 'p'), broker_profile::generic));
  EXPECT_FALSE(topic_map::is_prefix(std::string(201, 'p'), broker_profile::generic));
}

TEST(topic_map, response_topics_stay_below_the_callers_reply) {
  const std::string base = topics.device_base("alice", "c1");
  const std::pair<std::string, bool> cases[] = {
      {"roombus/u/alice/c1/reply/1", true},
      {"roombus/u/alice/c1/reply/a/b", true},
      {"roombus/u/alice/c1/reply/caf\xc3\xa9", true},
      {"roombus/u/alice/c1/reply/", false},
      {"roombus/u/alice/c1/reply", false},
      {"roombus/u/alice/c1/replyx/1", false},
      {"roombus/u/alice/c1/call/roomJoin", false},
      {"roombus/u/alice/c2/reply/1", false},
      {"roombus/u/bob/c1/reply/1", false},
      {"other", false},
      {"", false},
      {"roombus/u/alice/c1/reply/+", false},
      {"roombus/u/alice/c1/reply/#", false},
      {"roombus/u/alice/c1/reply/\xff", false},
      {std::string("roombus/u/alice/c1/reply/\0", 26), false},
      {"roombus/u/alice/c1/reply/\xc2\x85", false},
      {"roombus/u/alice/c1/reply/\x01", false},
      {"roombus/u/alice/c1/reply/\xef\xbf\xbe", false},
      {base + "reply/" + std::string(512 - base.size() - 6, 'r'), true},
      {base + "reply/" + std::string(513 - base.size() - 6, 'r'), false},
  };
  for (const auto& [topic, allowed] : cases)
    EXPECT_EQ(topics.is_response_topic(topic, base), allowed) << topic;

  const topic_map nats("roombus", broker_profile::nats, 1024);
  EXPECT_FALSE(nats.is_response_topic(base + "reply/a.b", base));
  EXPECT_FALSE(nats.is_response_topic(base + "reply/a b", base));
  EXPECT_TRUE(nats.is_response_topic(base + "reply/a-b", base));
}

TEST(topic_map, rooms_whose_topics_are_too_long_do_not_fit) {
  const std::string base = topics.device_base("alice", "c1");
  const std::size_t longest = std::string("roomAccessListRemoved").size();
  const std::size_t fits = 1024 - base.size() - std::string("room//").size() - longest;
  EXPECT_TRUE(topics.room_fits(base, room_name(std::string(fits, 'r'))));
  EXPECT_FALSE(topics.room_fits(base, room_name(std::string(fits + 1, 'r'))));
  EXPECT_FALSE(topics.room_fits(base, room_name(std::string(fits / 3 + 1, ' '))));
}

TEST(broker_profile, names_come_back) {
  for (const char* name : {"mosquitto", "emqx", "hivemq", "ejabberd", "rabbitmq", "nats", "generic"}) {
    const auto profile = broker_profile_of(name);
    ASSERT_TRUE(profile) << name;
    EXPECT_EQ(to_text(*profile), name);
  }
  EXPECT_FALSE(broker_profile_of("Mosquitto"));
  EXPECT_FALSE(broker_profile_of(""));
}

}  // namespace
}  // namespace roombus::mqtt
