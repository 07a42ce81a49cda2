// Logs whose operations' answers are lost, and two who publish at once.

#include "adapters/redis/key_slot.hpp"
#include "adapters/redis/scripts.hpp"
#include "tests/adapters/redis/log_keepers.hpp"
#include "tests/adapters/redis/lossy_proxy.hpp"

namespace roombus::test {

namespace {

using std::chrono::milliseconds;

std::string fresh_prefix() {
  system_random dice;
  return "log-" + random_hex(dice, 4);
}

/// Appends in a loop, some at a time.
struct busy {
  task<void> work(publisher& who, std::string room) {
    ++under_way;
    while (!stopping) {
      const value_map message = store_operations::body("m" + std::to_string(++count));
      task<result<appended>> appending =
          who.data().append(store_operations::append_of(room, "", message, append_options()));
      const result<appended> done = co_await appending;
      if (done) {
        ++stored;
      } else {
        ++refused;
      }
      completion<bool> turn;
      who.driver.live.loop.post([turn] { turn.complete(true); });
      co_await turn;
    }
    --under_way;
  }
  bool stopping = false;
  int under_way = 0;
  int count = 0;
  int stored = 0;
  int refused = 0;  ///< while the publisher connects again, the other one may fill the log
};

/// Both loops, in turn.
bool run_both(publisher& a, publisher& b, const std::function<bool()>& done) {
  for (int i = 0; i < 20'000 && !done(); ++i) {
    a.driver.live.run_until([] { return false; }, milliseconds(1));
    b.driver.live.run_until([] { return false; }, milliseconds(1));
  }
  return done();
}

/// Two instances that append to one room and publish it.
struct two_publishers {
  /// `url_of_a` is a's way to the Redis of `url`.
  two_publishers(const std::string& url, const std::string& url_of_a)
      : a(url_of_a, prefix, "a~1"), b(url, prefix, "b~1") {
    for (publisher* one : {&a, &b}) {
      one->sink.data = &one->data();
      one->sink.board = &board;
    }
    EXPECT_EQ(a.add_room("den"), "ok");
    for (int i = 0; i < 10; ++i) {
      load.work(a, "den").detach();
      load.work(b, "den").detach();
    }
  }
  bool run_until(const std::function<bool()>& done) { return run_both(a, b, done); }
  bool end_load() {
    load.stopping = true;
    return run_until([&] { return load.under_way == 0 && a.sink.asking == 0 && b.sink.asking == 0; });
  }

  std::string prefix = fresh_prefix();
  publisher a;
  publisher b;
  notice_board board;
  busy load;
};

/// What is wrong with a room after the load: everything was published, and everybody was told all of their own once.
std::string check(publisher& a, publisher& b, const std::string& room, const notice_board& board) {
  std::string faults = board.faults;
  auto end = a.run(a.data().read_log(room_name(room), "", UINT64_MAX, 0));
  if (!end) return "no log";
  if (board.newest_of.at(room) != end->last) {
    faults += "published to " + std::to_string(board.newest_of.at(room)) + " of " + std::to_string(end->last) + "\n";
  }
  std::map<std::uint64_t, int> told;
  for (const publisher* one : {&a, &b}) {
    for (const auto& [what, times] : one->sink.told)
      told[std::get<2>(what)] += times;
  }
  for (const auto& [sequence, times] : told) {
    if (times != 1) faults += std::to_string(sequence) + " was told " + std::to_string(times) + " times\n";
  }
  if (told.size() != end->last) faults += std::to_string(told.size()) + " told of " + std::to_string(end->last) + "\n";
  return faults;
}

}  // namespace

TEST(room_log_faults, an_append_that_was_sent_again_has_the_entry_of_the_first_time) {
  redis_process server;
  lossy_proxy between(server.port());
  keeper a("redis://127.0.0.1:" + std::to_string(between.port()), "p", "a~1");
  ASSERT_EQ(a.add_room("den"), "ok");
  ASSERT_EQ(a.say("den", "zero"), "1");
  ASSERT_EQ(a.published("den", a.fence("den"), 1), "not ours");
  between.lose_next_answer();
  EXPECT_EQ(a.say("den", "one"), "2");
  EXPECT_EQ(between.lost(), 1);
  ASSERT_EQ(a.sink.all.size(), 2U);
  EXPECT_EQ(entry_text(a.sink.last().entry), "2 message one#2");
  EXPECT_EQ(entries_text(a.sink.last().turn.pending), "2 message one#2");
  EXPECT_TRUE(a.sink.unknown.empty());
  // the same for an end, whichever round trip it is that is lost
  ASSERT_EQ(a.connect("mia", "m"), "1");
  ASSERT_EQ(a.outcome(a.join("den", "mia", "m")), "ok");
  auto ending = a.data().disconnect(user_name("mia"), connection_id("m"), 5);
  between.lose_next_answer();
  ASSERT_TRUE(a.run(std::move(ending)));
  EXPECT_EQ(between.lost(), 2);
  EXPECT_EQ(entry_text(a.sink.last().entry), "4 left mia/m last");
  EXPECT_EQ(a.log("den", 1), "2 message one#2, 3 joined mia/m first, 4 left mia/m last [4]");
}

TEST(room_log_faults, an_unknown_outcome_is_told_and_the_log_knows) {
  redis_process server;
  redis_options options;
  options.timeout = milliseconds(300);
  keeper a(server.url(), "p", "a~1", false, options);
  ASSERT_EQ(a.add_room("den"), "ok");
  ASSERT_EQ(a.say("den", "one"), "1");
  ASSERT_EQ(a.published("den", a.fence("den"), 1), "not ours");
  server.freeze();
  auto editing = a.data().edit_list(room_name("den"), actor(user_name(), true), "blacklist", true,
                                    store_operations::names({"eve"}), 10);
  EXPECT_EQ(a.change_text(a.run(std::move(editing))), "timeout[]");
  EXPECT_EQ(a.sink.unknown, std::vector<std::string>{"den"});
  EXPECT_EQ(a.sink.all.size(), 1U);
  server.thaw();
  ASSERT_TRUE(a.run_until([&] { return a.log("den", 1) == "2 list blacklist + eve [2]"; }));
  // it holds the room without knowing
  EXPECT_EQ(a.take_over("den", ""), "2 list blacklist + eve");
  EXPECT_EQ(a.published("den", a.fence("den"), 2), "not ours");
}

TEST(room_log_faults, what_a_lost_answer_gave_is_given_again) {
  redis_process server;
  redis_options options;
  options.timeout = milliseconds(1000);
  keeper a(server.url(), "p", "a~1", false, options);
  ASSERT_EQ(a.add_room("den"), "ok");
  ASSERT_EQ(a.say("den", "one"), "1");
  ASSERT_EQ(a.published("den", a.fence("den"), 1), "not ours");
  // the first of two under way is not answered in time, the second is
  server.freeze();
  auto lost = a.data().set_whitelist_mode(room_name("den"), actor(user_name(), true), false);
  bool over = false;
  const timer_handle pause = a.driver.live.loop.after(milliseconds(700), [&over] { over = true; });
  ASSERT_TRUE(a.run_until([&] { return over; }));
  const value_map message = store_operations::body("two");
  auto second = a.data().append(store_operations::append_of("den", "", message, append_options()));
  EXPECT_EQ(a.change_text(a.run(std::move(lost))), "timeout[]");
  server.thaw();
  ASSERT_TRUE(a.run(std::move(second)));
  EXPECT_EQ(a.sink.unknown.size(), 2U);  // it was noticed with the second
  EXPECT_EQ(entry_text(a.sink.last().entry), "3 message two#2");
  EXPECT_FALSE(a.sink.last().turn.ours);
  EXPECT_EQ(a.take_over("den", ""), "2 mode off, 3 message two#2");
}

TEST(room_log_faults, two_instances_under_load_publish_everything_in_order) {
  redis_process server;
  two_publishers both(server.url(), server.url());
  ASSERT_TRUE(both.run_until([&] { return both.load.stored > 3000; }));
  ASSERT_TRUE(both.end_load());
  EXPECT_EQ(both.load.refused, 0);
  EXPECT_EQ(check(both.a, both.b, "den", both.board), "");
  for (const publisher* one : {&both.a, &both.b}) {
    EXPECT_GT(one->sink.told.size(), 100U);
    EXPECT_TRUE(one->sink.unknown.empty());
  }
}

TEST(room_log_faults, lost_answers_under_load_lose_nothing) {
  redis_process server;
  lossy_proxy between(server.port());
  two_publishers both(server.url(), "redis://127.0.0.1:" + std::to_string(between.port()));
  for (int round = 1; round <= 10; ++round) {
    const int before = both.load.stored;
    ASSERT_TRUE(both.run_until([&] { return both.load.stored > before + 100; }));
    between.lose_next_answer();
    ASSERT_TRUE(both.run_until([&] { return between.lost() == round; }));
  }
  ASSERT_TRUE(both.end_load());
  // a turn that was given in a lost answer is taken over by whoever misses it
  publisher& a = both.a;
  a.driver.time.wall += 1000;
  auto last = a.run(a.data().take_over(room_name("den"), "", 100));
  ASSERT_TRUE(last);
  publishing_turn turn = *last;
  a.sink.on_own_entry(room_name("den"), room_entry(), std::move(turn));
  ASSERT_TRUE(both.run_until([&] { return a.sink.asking == 0; }));
  EXPECT_EQ(check(a, both.b, "den", both.board), "");
}

TEST(room_log_faults, an_end_that_another_instance_finishes_is_not_its_own) {
  redis_process server;
  keeper a(server.url(), "p", "a~1");
  keeper b(server.url(), "p", "b~1");
  for (const std::string room : {"den", "yard"})
    ASSERT_EQ(a.add_room(room), "ok");
  ASSERT_TRUE(a.join_reading("den", "mia", "m", "json"));
  ASSERT_TRUE(a.join_reading("yard", "mia", "m", "json"));
  // what a had done when it was killed: dead in the user, out of one room
  const auto run_script = [&](const redis::script& code, const std::string& key,
                              const std::vector<std::string>& words) {
    std::vector<std::string> all{"EVAL", std::string(code.text), "1", "{p:" + key + "}"};
    all.insert(all.end(), words.begin(), words.end());
    return server.run(all);
  };
  const std::string closed =
      run_script(redis::scripts::user_close, "u:mia", {"m", "their attempt", "they", "1000", "10000"});
  ASSERT_EQ(closed.substr(0, 7), "ok 1 0 ");
  const std::string life = closed.substr(7, closed.find(' ', 7) - 7);
  ASSERT_EQ(run_script(redis::scripts::room_end, "r:den",
                       {"mia", "m", life, "1000", "their attempt", "60000", "", "0", "1", "0", "1", "1000", "a~1"})
                .substr(0, 2),
            "ok");
  const auto ended = b.run(b.data().disconnect(user_name("mia"), connection_id("m"), 11'000));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->rooms.size(), 2U);
  ASSERT_EQ(b.sink.all.size(), 1U);
  EXPECT_EQ(b.sink.last().room, "yard");
  EXPECT_EQ(a.log("den", 1), "2 left mia/m last json [2]");
}

TEST(room_log_faults, works_on_a_cluster) {
  redis_cluster_processes cluster(3);
  keeper a(cluster.urls(), "p", "a~1", true);
  keeper b(cluster.urls(), "p", "b~1", true);
  for (const std::string room : {"one", "two", "three"}) {
    ASSERT_EQ(a.add_room(room), "ok");
    EXPECT_EQ(a.say(room, "hi"), "1");
    EXPECT_EQ(b.say(room, "ho"), "2");
    EXPECT_EQ(a.published(room, a.fence(room), 1), "2 message ho#2");
    EXPECT_EQ(b.take_over(room, "a~1"), "2 message ho#2");
    ASSERT_TRUE(a.run(a.data().remove_room(room_name(room), actor(user_name(), true))));
    EXPECT_EQ(b.published(room, b.fence(room), 2), "3 removed");
    EXPECT_EQ(b.published(room, b.fence(room), 3), "not ours");
    EXPECT_EQ(a.log(room), " [0] no room");
  }
  EXPECT_EQ(b.run(b.data().rooms_published_by("a~1"))->size(), 3U);

  // a room is removed while its slot moves: its key must not be missing for a moment
  ASSERT_EQ(a.add_room("moved"), "ok");
  const std::string key = "{p:r:moved}";
  const std::uint16_t slot = redis::key_slot(key);
  redis_process* from = cluster.master_of(slot);
  ASSERT_NE(from, nullptr);
  redis_process* to = cluster.nodes[0].get() == from ? cluster.nodes[1].get() : cluster.nodes[0].get();
  const std::string number = std::to_string(slot);
  EXPECT_EQ(a.say("moved", "hi"), "1");
  EXPECT_EQ(to->run({"CLUSTER", "SETSLOT", number, "IMPORTING", cluster.id_of(*from)}), "OK");
  EXPECT_EQ(from->run({"CLUSTER", "SETSLOT", number, "MIGRATING", cluster.id_of(*to)}), "OK");
  EXPECT_EQ(a.outcome(a.run(a.data().remove_room(room_name("moved"), actor(user_name(), true)))), "ok");
  EXPECT_EQ(from->run({"MIGRATE", "127.0.0.1", std::to_string(to->port()), key, "0", "5000"}), "OK");
  EXPECT_EQ(a.log("moved"), "1 message hi#1, 2 removed [2] no room");
  EXPECT_EQ(a.published("moved", a.fence("moved"), 2), "not ours");
  EXPECT_EQ(a.log("moved"), " [0] no room");
  for (redis_process* node : {to, from})
    EXPECT_EQ(node->run({"CLUSTER", "SETSLOT", number, "NODE", cluster.id_of(*to)}), "OK");

  EXPECT_TRUE(*a.run(a.data().beat("a~1", true)));
  EXPECT_TRUE(*b.run(b.data().begin_recovery("a~1", "b~1", 1000)));
  EXPECT_FALSE(*a.run(a.data().beat("a~1", false)));
  EXPECT_EQ(a.run(a.data().move_partitions({1, 2}, "", "a~1"))->size(), 2U);
  EXPECT_TRUE(b.run(b.data().finish_recovery("a~1")));
  EXPECT_EQ(b.run(b.data().lives())->size(), 0U);
}

}  // namespace roombus::test
