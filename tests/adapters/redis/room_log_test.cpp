// Two instances over one Redis: who publishes a room's log, and that nothing of it is lost.

#include "adapters/redis/scripts.hpp"
#include "schemas/codec/json.hpp"
#include "tests/adapters/redis/log_keepers.hpp"

namespace roombus::test {

namespace {

std::string audience_text(const std::optional<room_audience>& audience) {
  if (!audience) return "as known";
  std::string out;
  std::vector<std::string> inboxes = audience->inboxes;
  std::sort(inboxes.begin(), inboxes.end());
  for (const std::string& name : inboxes)
    out += name + "; ";
  return out + (audience->shared_json ? "shared json; " : "") + (audience->shared_cbor ? "shared cbor; " : "");
}

class room_log : public ::testing::Test {
 protected:
  room_log() {
    static redis_process one_server;
    server = &one_server;
    system_random dice;
    prefix = "log-" + random_hex(dice, 4);
    a = std::make_unique<keeper>(server->url(), prefix, "a~1");
    b = std::make_unique<keeper>(server->url(), prefix, "b~1");
    EXPECT_EQ(a->add_room("den"), "ok");
  }
  std::string redis(std::vector<std::string> words, const std::string& room = "den") {
    words.insert(words.begin() + 1, "{" + prefix + ":r:" + room + "}");
    return server->run(words);
  }

  redis_process* server;
  std::string prefix;
  std::unique_ptr<keeper> a, b;
};

}  // namespace

TEST_F(room_log, has_every_change_once_and_in_order_whoever_made_it) {
  ASSERT_EQ(a->connect("mia", "m"), "1");
  EXPECT_EQ(a->outcome(a->join("den", "mia", "m")), "ok");
  EXPECT_EQ(a->outcome(a->join("den", "mia", "m")), "ok");  // no change
  EXPECT_EQ(b->append("den", "mia", "hi"), "1");
  EXPECT_EQ(b->connect("tom", "t"), "1");
  EXPECT_EQ(b->outcome(b->join("den", "tom", "t")), "ok");
  EXPECT_EQ(a->edit("den", "", "blacklist", true, {"tom", "eve"}), "eve,tom; tom:t");
  EXPECT_EQ(a->edit("den", "", "blacklist", true, {"tom"}), ";");  // no change
  EXPECT_EQ(b->whitelist_mode("den", "", true), "; mia:m");
  room_change owner;
  owner.owner.emplace(user_name("mia"));
  EXPECT_EQ(a->change("den", owner), ";");
  EXPECT_EQ(a->outcome(a->join("den", "mia", "m")), "ok");
  EXPECT_TRUE(a->run(a->data().disconnect(user_name("mia"), connection_id("m"), 5))->was_connected);
  const std::string all =
      "1 joined mia/m first, 2 message hi#1, 3 joined tom/t first, 4 list blacklist + eve tom -tom:t, "
      "5 mode on -mia:m, 6 changed, 7 joined mia/m first, 8 left mia/m last";
  EXPECT_EQ(a->log("den"), all + " [8]");
  EXPECT_EQ(b->log("den", 6), "7 joined mia/m first, 8 left mia/m last [8]");
  EXPECT_EQ(b->log("den", 2, "", 1), "3 joined tom/t first [8]");
  EXPECT_EQ(b->log("den", UINT64_MAX), " [8]");
  EXPECT_EQ(b->log("den", 9), " [8 incomplete]");
  EXPECT_EQ(b->log("den", 6, "epoch of den"), "7 joined mia/m first, 8 left mia/m last [8]");
  EXPECT_EQ(b->log("den", 6, "another"), " [8 incomplete]");

  // each was told its own, as it is in the log
  std::map<std::uint64_t, std::string> told;
  for (const keeper* k : {a.get(), b.get()}) {
    for (const auto& one : k->sink.all) {
      EXPECT_EQ(one.entry.origin, k->name);
      EXPECT_EQ(one.entry.epoch, "epoch of den");
      EXPECT_TRUE(told.emplace(one.entry.sequence, entry_text(one.entry)).second);
    }
  }
  std::string joined;
  for (const auto& [sequence, text] : told)
    joined += (joined.empty() ? "" : ", ") + text;
  EXPECT_EQ(joined, all);
  auto part = a->run(a->data().read_log(room_name("den"), "", 0, 100));
  EXPECT_EQ(part->entries[1].origin, "b~1");
}

TEST_F(room_log, says_where_in_it_a_join_and_a_removal_took_place) {
  const auto place = [](const log_position& at) { return at.epoch + " " + std::to_string(at.sequence); };
  ASSERT_EQ(a->connect("mia", "m"), "1");
  auto begun = a->run(a->data().begin_join(a->join_of("den", "mia", "m")));
  EXPECT_FALSE(begun->already);
  EXPECT_EQ(place(begun->at), "epoch of den 0");
  EXPECT_EQ(place(a->join("den", "mia", "m")->at), "epoch of den 1");
  EXPECT_EQ(b->say("den", "one"), "1");
  begun = a->run(a->data().begin_join(a->join_of("den", "mia", "m")));
  EXPECT_TRUE(begun->already);
  EXPECT_EQ(place(begun->at), "epoch of den 2");
  EXPECT_EQ(place(a->join("den", "mia", "m")->at), "epoch of den 2") << "it had joined before";
  const actor service_itself(user_name(), true);
  auto edit = b->run(b->data().edit_list(room_name("den"), service_itself, "blacklist", true, {user_name("mia")}, 10));
  EXPECT_EQ(place(edit->at), "epoch of den 3");
  EXPECT_EQ(place(b->run(b->data().set_whitelist_mode(room_name("den"), service_itself, true))->at), "epoch of den 4");
  room_change switched;
  switched.userlist_updates = true;
  EXPECT_EQ(place(b->run(b->data().change_room(room_name("den"), switched))->at), "epoch of den 5");
  EXPECT_EQ(place(b->run(b->data().remove_room(room_name("den"), service_itself))->at), "epoch of den 6");
}

TEST_F(room_log, has_an_entry_of_a_join_that_was_made_before_where_it_is_wanted) {
  ASSERT_EQ(a->connect("mia", "m"), "1");
  ASSERT_TRUE(a->join("den", "mia", "m"));
  join_request again = a->join_of("den", "mia", "m");
  again.attempt = "7";
  ASSERT_TRUE(a->run(a->data().confirm_join(again, store_operations::position_only())));
  EXPECT_EQ(a->log("den"), "1 joined mia/m first [1]");
  again.enters_log = true;
  const auto outcome = a->run(a->data().confirm_join(again, store_operations::position_only()));
  EXPECT_FALSE(outcome->newly);
  EXPECT_FALSE(outcome->user_newly);
  EXPECT_EQ(outcome->njoined, 1U);
  EXPECT_EQ(outcome->at.sequence, 2U);
  EXPECT_EQ(a->log("den"), "1 joined mia/m first, 2 joined mia/m [2]") << "told to nobody as a user who came";
  EXPECT_EQ(a->sink.last().entry.attempt, "7");
  EXPECT_EQ(entry_text(a->sink.last().entry), "2 joined mia/m");
}

// who has put somebody out says so to that user's own list, which may come after the next join
TEST_F(room_log, whoever_joins_again_leaves_at_its_end_however_late_the_removal_is_noted) {
  ASSERT_EQ(a->connect("mia", "m"), "1");
  ASSERT_TRUE(a->join("den", "mia", "m"));
  a->sink.meanwhile = [this] {
    EXPECT_EQ(b->edit("den", "", "blacklist", false, {"mia"}), "mia;");
    EXPECT_EQ(b->outcome(b->join("den", "mia", "m")), "ok");
  };
  EXPECT_EQ(a->edit("den", "", "blacklist", true, {"mia"}), "mia; mia:m");
  EXPECT_EQ(a->list("den", "userlist"), R"(["mia"])");
  EXPECT_EQ(a->run(a->data().disconnect(user_name("mia"), connection_id("m"), 5))->rooms.size(), 1U);
  EXPECT_EQ(a->list("den", "userlist"), "[]");
}

TEST_F(room_log, is_published_by_who_changes_it_first_until_nothing_is_left) {
  EXPECT_EQ(a->say("den", "one"), "1");
  ASSERT_TRUE(a->sink.last().turn.ours);
  EXPECT_EQ(entries_text(a->sink.last().turn.pending), "1 message one#1");
  const std::uint64_t fence = a->fence("den");
  EXPECT_EQ(b->say("den", "two"), "2");
  EXPECT_FALSE(b->sink.last().turn.ours);
  EXPECT_TRUE(b->sink.last().turn.pending.empty());
  // the holder's next answer has what it was not given yet, its own last
  EXPECT_EQ(a->say("den", "three"), "3");
  EXPECT_EQ(entries_text(a->sink.last().turn.pending), "2 message two#2, 3 message three#3");
  EXPECT_EQ(b->say("den", "four"), "4");
  EXPECT_EQ(a->published("den", fence, 3), "4 message four#4");
  EXPECT_EQ(a->published("den", fence, 3), "");  // was given already
  EXPECT_EQ(a->published("den", fence, 4), "not ours");
  EXPECT_EQ(a->published("den", fence, 4), "not ours");
  // now the next one has it
  EXPECT_EQ(b->say("den", "five"), "5");
  EXPECT_EQ(entries_text(b->sink.last().turn.pending), "5 message five#5");
  EXPECT_GT(b->fence("den"), fence);
  EXPECT_EQ(a->published("den", fence, 5), "not ours");  // an old fence does nothing
  EXPECT_EQ(b->published("den", b->fence("den"), 0), "");
  EXPECT_EQ(b->published("den", b->fence("den"), 5), "not ours");
  EXPECT_EQ(a->take_over("den", "b~1"), "not ours");  // nothing to publish
  EXPECT_EQ(a->taken.fence, 0U);
  EXPECT_EQ(a->take_over("nowhere", "b~1"), "not ours");
  EXPECT_EQ(redis({"EXISTS"}, "nowhere"), "0");
}

TEST_F(room_log, is_not_published_by_who_cannot) {
  a->sink.able = false;
  EXPECT_EQ(a->say("den", "one"), "1");
  EXPECT_FALSE(a->sink.last().turn.ours);
  EXPECT_EQ(a->take_over("den", ""), "not ours");
  EXPECT_EQ(b->say("den", "two"), "2");
  EXPECT_EQ(entries_text(b->sink.last().turn.pending), "1 message one#1, 2 message two#2");
  // one that cannot any more lets go when it has nothing under way
  EXPECT_EQ(a->say("den", "three"), "3");
  b->sink.able = false;
  EXPECT_EQ(b->published("den", b->fence("den"), 2), "not ours");
  a->sink.able = true;
  EXPECT_EQ(a->take_over("den", ""), "3 message three#3");
}

TEST_F(room_log, is_taken_over_from_the_dead_and_from_the_silent) {
  EXPECT_EQ(a->say("den", "one"), "1");
  EXPECT_EQ(a->say("den", "two"), "2");
  EXPECT_EQ(b->say("den", "three"), "3");
  const std::uint64_t first = a->fence("den");
  EXPECT_EQ(a->published("den", first, 1), "3 message three#3");
  EXPECT_EQ(b->take_over("den", "c~1"), "not ours");  // it is not c who is at it
  EXPECT_EQ(b->taken.fence, first);
  EXPECT_EQ(b->take_over("den", ""), "not ours");  // and it made progress just now
  b->driver.time.wall += 4999;
  EXPECT_EQ(b->take_over("den", ""), "not ours");
  b->driver.time.wall += 1;
  EXPECT_EQ(b->take_over("den", ""), "2 message two#2, 3 message three#3");
  EXPECT_GT(b->taken.fence, first);
  EXPECT_EQ(a->published("den", first, 3), "not ours");
  EXPECT_EQ(a->take_over("den", "b~1"), "2 message two#2, 3 message three#3");  // b is dead
  EXPECT_GT(a->taken.fence, b->taken.fence);
  const std::uint64_t before = a->taken.fence;
  EXPECT_EQ(a->take_over("den", ""), "");  // it is at it
  EXPECT_EQ(a->taken.fence, before);
  a->sink.turns.clear();  // it is, but does not know
  EXPECT_EQ(a->take_over("den", ""), "2 message two#2, 3 message three#3");
  EXPECT_GT(a->taken.fence, before);
  EXPECT_EQ(a->published("den", a->taken.fence, 3), "not ours");
}

TEST_F(room_log, what_was_given_in_an_earlier_turn_is_given_again) {
  EXPECT_EQ(a->say("den", "one"), "1");
  EXPECT_EQ(a->say("den", "two"), "2");
  EXPECT_EQ(b->take_over("den", "a~1"), "1 message one#1, 2 message two#2");
  // the same incarnation takes it back, and the answer is lost: its next answer must not begin after `last_given`
  const auto lost = std::make_unique<keeper>(server->url(), prefix, "a~1");
  EXPECT_EQ(lost->take_over("den", "b~1"), "1 message one#1, 2 message two#2");
  EXPECT_EQ(a->sink.last_given(room_name("den")), 2U);
  EXPECT_EQ(a->say("den", "three"), "3");
  EXPECT_EQ(entries_text(a->sink.last().turn.pending), "1 message one#1, 2 message two#2, 3 message three#3");
  EXPECT_EQ(a->fence("den"), lost->fence("den"));
}

TEST_F(room_log, a_new_life_does_not_go_on_with_the_turns_of_the_old_one) {
  EXPECT_EQ(a->say("den", "one"), "1");
  const value_map message = store_operations::body("two");
  auto under_way = a->data().append(store_operations::append_of("den", "", message, append_options()));
  a->data().keep_log(&a->sink, "a~2");
  ASSERT_TRUE(a->run(std::move(under_way)));
  EXPECT_EQ(a->sink.last().entry.origin, "a~1");
  EXPECT_FALSE(a->sink.last().turn.ours);
  EXPECT_EQ(a->say("den", "three"), "3");
  EXPECT_EQ(a->sink.last().entry.origin, "a~2");
  EXPECT_FALSE(a->sink.last().turn.ours);
  EXPECT_EQ(a->take_over("den", "a~1"), "1 message one#1, 2 message two#2, 3 message three#3");
  EXPECT_EQ(b->run(b->data().rooms_published_by("a~2"))->size(), 1U);
}

TEST_F(room_log, rooms_are_noted_before_they_are_changed) {
  EXPECT_EQ(a->add_room("yard"), "ok");
  EXPECT_EQ(a->say("den", "one"), "1");
  EXPECT_EQ(a->say("yard", "one"), "1");
  EXPECT_EQ(b->say("den", "two"), "2");
  const auto of_a = b->run(b->data().rooms_published_by("a~1"));
  EXPECT_EQ(*of_a, (std::vector<room_name>{room_name("den"), room_name("yard")}));
  EXPECT_EQ(b->run(b->data().rooms_published_by("b~1"))->size(), 1U);
  EXPECT_EQ(b->run(b->data().rooms_published_by("c~1"))->size(), 0U);
}

TEST_F(room_log, the_audience_is_who_has_joined_and_is_told_when_it_changes) {
  ASSERT_TRUE(a->join_reading("den", "mia", "mqtt#mia/1", "json"));
  EXPECT_EQ(audience_text(a->sink.last().turn.audience), "json mqtt#mia/1; ");
  EXPECT_EQ(a->say("den", "one"), "1");
  EXPECT_EQ(audience_text(a->sink.last().turn.audience), "as known");
  ASSERT_TRUE(b->join_reading("den", "tom", "mqtt#tom/1", "shared cbor"));
  ASSERT_TRUE(b->join_reading("den", "tom", "mqtt#tom/2", "cbor"));
  ASSERT_TRUE(b->join_reading("den", "eve", "sio1", ""));
  EXPECT_EQ(a->say("den", "two"), "2");
  EXPECT_EQ(audience_text(a->sink.last().turn.audience), "cbor mqtt#tom/2; json mqtt#mia/1; shared cbor; ");
  ASSERT_TRUE(a->join_reading("den", "mia", "mqtt#mia/1", "shared json"));  // reads otherwise: no change of the room
  EXPECT_EQ(a->say("den", "three"), "3");
  EXPECT_EQ(audience_text(a->sink.last().turn.audience), "cbor mqtt#tom/2; shared json; shared cbor; ");
  ASSERT_TRUE(b->leave("den", "tom", "mqtt#tom/2"));
  EXPECT_EQ(entry_text(b->sink.last().entry), "8 left tom/mqtt#tom/2 cbor");
  EXPECT_TRUE(b->run(b->data().disconnect(user_name("tom"), connection_id("mqtt#tom/1"), 5))->was_connected);
  EXPECT_EQ(entry_text(b->sink.last().entry), "9 left tom/mqtt#tom/1 last shared cbor");
  EXPECT_EQ(a->say("den", "four"), "4");
  EXPECT_EQ(audience_text(a->sink.last().turn.audience), "shared json; ");
  EXPECT_EQ(a->edit("den", "", "blacklist", true, {"mia"}), "mia; mia:mqtt#mia/1");
  EXPECT_EQ(audience_text(a->sink.last().turn.audience), "");
  EXPECT_EQ(a->sink.last().turn.audience->inboxes.size(), 0U);
  // a new publisher knows none
  EXPECT_EQ(b->take_over("den", "a~1").substr(0, 8), "1 joined");
  ASSERT_TRUE(b->taken.audience);
}

TEST_F(room_log, a_repair_tells_how_its_members_read) {
  ASSERT_TRUE(a->join_reading("den", "mia", "mqtt#mia/1", "json"));
  EXPECT_EQ(server->run({"DEL", "{" + prefix + ":u:mia}"}), "1");
  EXPECT_EQ(b->run(b->data().repair_room(room_name("den"), 5))->size(), 1U);
  EXPECT_EQ(entry_text(b->sink.last().entry), "2 left mia/mqtt#mia/1 last json");
  EXPECT_EQ(a->say("den", "one"), "1");
  EXPECT_EQ(audience_text(a->sink.last().turn.audience), "");
}

TEST_F(room_log, holds_a_bounded_number_of_unpublished_entries) {
  ASSERT_EQ(a->connect("mia", "m"), "1");
  ASSERT_EQ(a->outcome(a->join("den", "mia", "m")), "ok");
  // as if nobody had published 4095 messages
  std::vector<task<result<appended>>> running;
  const value_map message = store_operations::body("x");
  for (int i = 0; i < 4095; ++i) {
    append_request request = a->append_of("den", "", message, append_options());
    running.push_back(a->data().append(std::move(request)));
  }
  ASSERT_TRUE(a->run_until([&] { return running.back().done(); }));
  for (auto& one : running)
    EXPECT_TRUE(one.take());
  EXPECT_EQ(a->sink.last_given(room_name("den")), 4096U);
  EXPECT_EQ(a->say("den", "too much"), "unavailable[]");
  EXPECT_EQ(b->say("den", "too much"), "unavailable[]");
  ASSERT_EQ(b->connect("tom", "t"), "1");
  EXPECT_EQ(b->outcome(b->join("den", "tom", "t")), "unavailable[]");
  EXPECT_EQ(b->edit("den", "", "blacklist", true, {"mia"}), "unavailable[]");
  EXPECT_EQ(b->whitelist_mode("den", "", true), "unavailable[]");
  EXPECT_EQ(b->change("den", room_change()), "unavailable[]");
  EXPECT_EQ(a->list("den", "userlist"), R"(["mia"])");
  EXPECT_EQ(a->log("den", 4095), "4096 message x#4095 [4096]");
  ASSERT_TRUE(a->leave("den", "mia", "m"));  // ends always work
  EXPECT_EQ(entry_text(a->sink.last().entry), "4097 left mia/m last");
  // another one gets them in parts
  EXPECT_NE(b->take_over("den", "a~1"), "not ours");
  std::uint64_t got = b->taken.pending.back().sequence;
  EXPECT_LT(got, 4097U);
  std::uint64_t turns = 1;
  while (b->fence("den") != 0) {
    auto next = b->run(b->data().published(room_name("den"), b->fence("den"), got));
    ASSERT_TRUE(next);
    b->sink.take(room_name("den"), *next);
    if (!next->ours) break;
    ASSERT_EQ(next->pending.front().sequence, got + 1);
    got = next->pending.back().sequence;
    ++turns;
  }
  EXPECT_EQ(got, 4097U);
  EXPECT_GT(turns, 4U);
  EXPECT_EQ(b->say("den", "fine"), "4096");
  EXPECT_EQ(a->log("den", 4097), "4098 message fine#4096 [4098]");
  // the newest that were published stay for those who missed some
  EXPECT_EQ(a->log("den", 100), " [4098 incomplete]");
  EXPECT_EQ(a->log("den", 4097 - 257), " [4098 incomplete]");
  EXPECT_EQ(a->log("den", 4097 - 256, "", 1), "3842 message x#3841 [4098]");
  EXPECT_EQ(redis({"HEXISTS", "E:3841"}), "0");
  EXPECT_EQ(redis({"HEXISTS", "E:3842"}), "1");
}

TEST_F(room_log, a_removed_room_is_gone_but_its_log_is_published) {
  ASSERT_TRUE(a->join_reading("den", "mia", "mqtt#mia/1", "json"));
  EXPECT_EQ(a->say("den", "one"), "1");
  EXPECT_EQ(b->outcome(b->run(b->data().remove_room(room_name("den"), actor(user_name(), true)))), "ok");
  EXPECT_EQ(entry_text(b->sink.last().entry), "3 removed -mia:mqtt#mia/1");
  EXPECT_FALSE(b->sink.last().turn.ours);
  EXPECT_EQ(a->outcome(a->run(a->data().find_room(room_name("den")))), R"(noRoom["den"])");
  EXPECT_EQ(a->shown(a->run(a->data().list_rooms("", 10))), "[]");
  EXPECT_EQ(a->say("den", "no"), R"(noRoom["den"])");
  EXPECT_EQ(a->list("den", "userlist"), R"(noRoom["den"])");
  EXPECT_EQ(b->log("den"),
            "1 joined mia/mqtt#mia/1 first json, 2 message one#1, 3 removed -mia:mqtt#mia/1 [3] no room");
  EXPECT_EQ(b->take_over("den", "a~1"),
            "1 joined mia/mqtt#mia/1 first json, 2 message one#1, 3 removed -mia:mqtt#mia/1");
  EXPECT_EQ(audience_text(b->taken.audience), "json mqtt#mia/1; ");
  EXPECT_EQ(b->published("den", b->taken.fence, 2), "");
  EXPECT_EQ(redis({"EXISTS"}), "1");
  EXPECT_EQ(b->published("den", b->taken.fence, 3), "not ours");
  EXPECT_EQ(redis({"EXISTS"}), "0");
  EXPECT_EQ(b->published("den", b->taken.fence, 3), "not ours");
  EXPECT_EQ(b->log("den"), " [0] no room");
}

TEST_F(room_log, goes_on_when_a_removed_room_is_made_anew) {
  ASSERT_TRUE(a->join_reading("den", "mia", "mqtt#mia/1", "json"));
  EXPECT_EQ(a->say("den", "one"), "1");
  ASSERT_TRUE(a->run(a->data().remove_room(room_name("den"), actor(user_name(), true))));
  room_settings settings;
  settings.epoch = "second";
  EXPECT_EQ(b->add_room("den", settings), "ok");
  EXPECT_EQ(b->add_room("den", settings), R"(roomExists["den"])");
  EXPECT_EQ(b->list("den", "userlist"), "[]");
  EXPECT_EQ(b->say("den", "new"), "1");
  EXPECT_EQ(a->shown(a->run(a->data().list_rooms("", 10))), R"(["den"])");
  EXPECT_EQ(a->log("den", 2), "3 removed -mia:mqtt#mia/1, 4 message new#1 [4]");
  EXPECT_EQ(a->log("den", 3, "second"), "4 message new#1 [4]");  // who begins to read with the new room
  EXPECT_EQ(a->log("den", 2, "epoch of den"), "3 removed -mia:mqtt#mia/1, 4 message new#1 [4]");
  EXPECT_EQ(a->published("den", a->fence("den"), 3), "4 message new#1");
  EXPECT_EQ(a->published("den", a->fence("den"), 4), "not ours");
  EXPECT_EQ(b->say("den", "more"), "2");
  EXPECT_EQ(audience_text(b->sink.last().turn.audience), "");
  EXPECT_EQ(b->sink.last().entry.epoch, "second");
  EXPECT_EQ(b->history("den", "", store_operations::recent(9)), "2=more 1=new [1,2]");
}

TEST_F(room_log, numbers_of_an_earlier_room_of_the_name_are_not_taken_for_this_ones) {
  EXPECT_EQ(a->say("den", "one"), "1");
  EXPECT_EQ(a->say("den", "two"), "2");
  ASSERT_TRUE(a->run(a->data().remove_room(room_name("den"), actor(user_name(), true))));
  const std::uint64_t old = a->fence("den");
  EXPECT_EQ(a->published("den", old, 3), "not ours");
  room_settings settings;
  settings.epoch = "second";
  EXPECT_EQ(b->add_room("den", settings), "ok");
  EXPECT_EQ(b->say("den", "1"), "1");
  EXPECT_EQ(b->say("den", "2"), "2");
  EXPECT_EQ(b->say("den", "3"), "3");
  EXPECT_EQ(a->published("den", old, 2), "not ours");
  EXPECT_EQ(a->log("den", 2, "epoch of den"), " [3 incomplete]");
  EXPECT_EQ(a->log("den", 0, "epoch of den"), " [3 incomplete]");
  EXPECT_EQ(a->log("den", 2, "second"), "3 message 3#3 [3]");
  EXPECT_EQ(a->log("den", 3, "second"), " [3]");
  EXPECT_EQ(a->log("den", 3, "epoch of den"), " [3 incomplete]");
}

TEST_F(room_log, bodies_outlive_the_history) {
  room_settings small;
  small.history_max_size = 2;
  EXPECT_EQ(a->add_room("small", small), "ok");
  room_settings none;
  none.history_max_size = 0;
  EXPECT_EQ(a->add_room("none", none), "ok");
  for (const std::string room : {"den", "small", "none"}) {
    for (const std::string text : {"one", "two", "three"})
      b->say(room, text);
  }
  room_change shrink;
  shrink.history_max_size = 1;
  EXPECT_EQ(a->change("den", shrink), ";");
  EXPECT_EQ(a->history("den", "", store_operations::recent(9)), "3=three [3,3]");
  const std::string all = "1 message one#1, 2 message two#2, 3 message three#3";
  EXPECT_EQ(a->take_over("den", "b~1"), all + ", 4 changed");
  EXPECT_EQ(a->take_over("small", "b~1"), all);
  EXPECT_EQ(a->take_over("none", "b~1"), all);
}

TEST_F(room_log, begins_anew_after_changes_without_one) {
  EXPECT_EQ(a->say("den", "one"), "1");
  redis_driver alone(server->url());
  alone.options.prefix = prefix;
  alone.open();
  const value_map message = store_operations::body("unseen");
  auto appending = alone.data().append(a->append_of("den", "", message, append_options()));
  ASSERT_TRUE(alone.run_until([&] { return appending.done(); }));
  EXPECT_EQ(a->log("den"), " [2 incomplete]");
  EXPECT_EQ(b->say("den", "three"), "3");
  EXPECT_EQ(entries_text(b->sink.last().turn.pending), "3 message three#3");
  EXPECT_EQ(a->log("den", 1), " [3 incomplete]");
  EXPECT_EQ(a->log("den", 2), "3 message three#3 [3]");
  EXPECT_EQ(redis({"HEXISTS", "E:1"}), "0");
}

TEST_F(room_log, pipelined_changes_are_given_once) {
  EXPECT_EQ(b->say("den", "0"), "1");
  EXPECT_EQ(b->published("den", b->fence("den"), 1), "not ours");
  std::vector<std::string> texts;
  std::vector<value_map> bodies;
  for (int i = 1; i <= 50; ++i)
    bodies.push_back(store_operations::body(std::to_string(i)));
  std::vector<task<result<appended>>> running;
  for (const value_map& body : bodies)
    running.push_back(a->data().append(a->append_of("den", "", body, append_options())));
  ASSERT_TRUE(a->run_until([&] { return running.back().done(); }));
  std::uint64_t next = 2;
  for (const auto& one : a->sink.all) {
    EXPECT_TRUE(one.turn.ours);
    for (const room_entry& e : one.turn.pending)
      EXPECT_EQ(e.sequence, next++);
    EXPECT_EQ(one.entry.sequence + 1, next);
  }
  EXPECT_EQ(next, 52U);
  EXPECT_TRUE(a->sink.unknown.empty());
}

// ---- instances and devices

TEST_F(room_log, an_incarnation_lives_until_others_recover_it) {
  EXPECT_FALSE(*a->run(a->data().beat("a~1", false)));  // not registered
  EXPECT_TRUE(*a->run(a->data().beat("a~1", true)));
  EXPECT_TRUE(*a->run(a->data().beat("a~1", false)));
  EXPECT_TRUE(*b->run(b->data().beat("b~1", true)));
  auto before = *b->run(b->data().lives());
  ASSERT_EQ(before.size(), 2U);
  EXPECT_EQ(before[0].incarnation, "a~1");
  EXPECT_TRUE(*a->run(a->data().beat("a~1", false)));
  auto after = *b->run(b->data().lives());
  EXPECT_NE(before[0].beat, after[0].beat);
  EXPECT_EQ(before[1].beat, after[1].beat);

  EXPECT_FALSE(*b->run(b->data().begin_recovery("x~1", "b~1", 1000)));
  EXPECT_TRUE(*b->run(b->data().begin_recovery("a~1", "b~1", 1000)));
  EXPECT_EQ((*b->run(b->data().lives()))[0].beat, after[0].beat);  // nor does a recovery look like life
  EXPECT_FALSE(*a->run(a->data().beat("a~1", false)));
  EXPECT_FALSE(*a->run(a->data().beat("a~1", true)));
  EXPECT_TRUE(*b->run(b->data().begin_recovery("a~1", "b~1", 1000)));
  EXPECT_FALSE(*a->run(a->data().begin_recovery("a~1", "c~1", 1000)));
  a->driver.time.wall += 999;
  EXPECT_FALSE(*a->run(a->data().begin_recovery("a~1", "c~1", 1000)));
  a->driver.time.wall += 1;
  EXPECT_TRUE(*a->run(a->data().beat("c~1", true)));
  EXPECT_TRUE(*a->run(a->data().begin_recovery("a~1", "c~1", 5000)));
  EXPECT_FALSE(*b->run(b->data().begin_recovery("a~1", "b~1", 1000)));
  // one that recovers and is dead itself is not waited for
  EXPECT_TRUE(*b->run(b->data().begin_recovery("c~1", "b~1", 1000)));
  EXPECT_TRUE(*b->run(b->data().begin_recovery("a~1", "b~1", 1000)));
  ASSERT_TRUE(b->run(b->data().finish_recovery("c~1")));
  EXPECT_EQ(a->say("den", "one"), "1");
  EXPECT_EQ(a->connect("mia", "m", 10, "a~1"), "1");
  ASSERT_TRUE(a->run(a->data().finish_recovery("a~1")));
  EXPECT_EQ(b->run(b->data().lives())->size(), 1U);
  EXPECT_EQ(b->run(b->data().rooms_published_by("a~1"))->size(), 0U);
  EXPECT_EQ(b->run(b->data().instance_connections("a~1"))->size(), 0U);
  EXPECT_FALSE(*a->run(a->data().beat("a~1", false)));
  EXPECT_FALSE(*b->run(b->data().begin_recovery("a~1", "b~1", 1000)));
}

TEST_F(room_log, instances_are_found_by_their_ids_too) {
  a->driver.time.wall = 5000;
  EXPECT_TRUE(*a->run(a->data().beat("a~1", true)));
  a->driver.time.wall = 6000;
  EXPECT_TRUE(*a->run(a->data().beat("a~2", true)));
  b->driver.time.wall = 5500;
  EXPECT_TRUE(*b->run(b->data().beat("b~1", true)));
  EXPECT_EQ(**b->run(b->data().last_heartbeat("a")), 6000);
  EXPECT_EQ(**b->run(b->data().last_heartbeat("a~1")), 5000);
  EXPECT_FALSE(b->run(b->data().last_heartbeat("c"))->has_value());
  EXPECT_EQ(*b->run(b->data().instances()), (std::vector<std::string>{"a", "b"}));
  a->connect("mia", "m", 10, "a~1");
  a->connect("tom", "t", 10, "a~2");
  EXPECT_EQ(b->run(b->data().instance_connections("a"))->size(), 2U);
  EXPECT_EQ(b->run(b->data().instance_connections("a~2"))->size(), 1U);
  ASSERT_TRUE(b->run(b->data().forget_instance("a")));
  EXPECT_EQ(*b->run(b->data().instances()), (std::vector<std::string>{"b"}));
  EXPECT_EQ(b->run(b->data().instance_connections("a~2"))->size(), 0U);
}

TEST_F(room_log, partitions_move_from_whom_they_belong_to) {
  using numbers = std::vector<std::size_t>;
  const auto move = [](keeper& k, numbers which, const std::string& from, const std::string& to) {
    return *k.run(k.data().move_partitions(std::move(which), from, to));
  };
  auto owners = *a->run(a->data().partitions());
  ASSERT_EQ(owners.size(), partition_count);
  EXPECT_EQ(owners[7].incarnation, "");
  EXPECT_EQ(move(*a, {0, 7, 255}, "", "a~1"), (numbers{0, 7, 255}));
  EXPECT_EQ(move(*b, {7, 8}, "", "b~1"), (numbers{8}));
  EXPECT_EQ(move(*a, {7}, "", "a~1"), numbers{});
  EXPECT_EQ(move(*b, {7, 8}, "a~1", "b~1"), (numbers{7}));
  owners = *a->run(a->data().partitions());
  EXPECT_EQ(owners[0].incarnation, "a~1");
  EXPECT_EQ(owners[0].fence, 1U);
  EXPECT_EQ(owners[7].incarnation, "b~1");
  EXPECT_EQ(owners[7].fence, 2U);
  EXPECT_EQ(move(*b, {7}, "b~1", ""), (numbers{7}));
  owners = *a->run(a->data().partitions());
  EXPECT_EQ(owners[7].incarnation, "");
  EXPECT_EQ(owners[7].fence, 3U);
  EXPECT_EQ(owners[9].fence, 0U);
}

TEST_F(room_log, a_connection_is_adopted_with_its_rooms) {
  EXPECT_EQ(a->add_room("yard"), "ok");
  ASSERT_TRUE(a->join_reading("den", "mia", "mqtt#mia/1", "json"));
  ASSERT_TRUE(a->join_reading("yard", "mia", "mqtt#mia/1", "json"));
  ASSERT_TRUE(a->leave("yard", "mia", "mqtt#mia/1"));
  const auto adopt = [](keeper& k, const std::string& from, const std::string& to) -> std::string {
    auto rooms = k.run(k.data().adopt(user_name("mia"), connection_id("mqtt#mia/1"), from, to));
    if (!rooms) return store_operations::error_text(rooms.error());
    if (!*rooms) return "nothing";
    std::string out = ":";
    for (const joined_room& in : **rooms)
      out += " " + in.room.str() + " at " + in.at.epoch + " " + std::to_string(in.at.sequence);
    return out;
  };
  EXPECT_EQ(adopt(*b, "c~1", "b~1"), "nothing");
  EXPECT_EQ(b->run(b->data().instance_connections("b~1"))->size(), 0U);
  EXPECT_EQ(adopt(*b, "a~1", "b~1"), ": den at epoch of den 1");
  EXPECT_EQ(b->run(b->data().instance_connections("b~1"))->size(), 1U);
  EXPECT_EQ(b->run(b->data().instance_connections("a~1"))->size(), 0U);
  EXPECT_EQ(b->run(b->data().connection_records(user_name("mia")))->front().instance, "b~1");
  EXPECT_EQ(adopt(*a, "a~1", "a~2"), "nothing");
  EXPECT_TRUE(b->run(b->data().disconnect(user_name("mia"), connection_id("mqtt#mia/1"), 5))->was_connected);
  EXPECT_EQ(adopt(*b, "b~1", "a~1"), "nothing");
  EXPECT_EQ(server->run({"EXISTS", "{" + prefix + ":i:b~1}", "{" + prefix + ":i:a~1}"}), "0");
}

TEST_F(room_log, who_was_put_out_while_nobody_served_it_finds_that_in_its_list) {
  const user_name mia("mia");
  const connection_id id("mqtt#mia/1");
  EXPECT_EQ(a->add_room("yard"), "ok");
  for (const std::string room : {"den", "yard"})
    ASSERT_TRUE(a->join_reading(room, "mia", id.str(), "json"));
  // by an instance that fell before it had the answer
  const std::string code(redis::scripts::room_edit.text);
  const std::string key = "{" + prefix + ":r:den}";
  ASSERT_EQ(server->run({"EVAL", code, "1", key, "", "1", "blacklist", "1", "10", "1000", "mia", ""}).substr(0, 2),
            "ok");
  const auto rooms_of = [&] { return b->run(b->data().connections(mia)); };
  EXPECT_EQ(json::write(*rooms_of()), R"({"mqtt#mia/1":["den","yard"]})") << "the index may name too many";
  const auto adopted = b->run(b->data().adopt(mia, id, "a~1", "b~1"));
  ASSERT_EQ((*adopted)->size(), 1U);
  EXPECT_EQ((*adopted)->front().room, room_name("yard"));
  EXPECT_EQ(json::write(*rooms_of()), R"({"mqtt#mia/1":["yard"]})");
}

}  // namespace roombus::test
