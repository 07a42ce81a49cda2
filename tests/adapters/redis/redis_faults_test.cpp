// What clients see while Redis is away, and that nothing is lost or stored twice.

#include "adapters/redis/key_slot.hpp"
#include "adapters/redis/scripts.hpp"
#include "tests/adapters/redis/append_load.hpp"
#include "tests/adapters/redis/lossy_proxy.hpp"
#include "tests/adapters/redis/redis_driver.hpp"

namespace roombus::test {

namespace {

using std::chrono::milliseconds;

redis_options patient(milliseconds timeout) {
  redis_options options;
  options.timeout = timeout;
  return options;
}

/// The short forms of the contract on one Redis of the test's own.
class redis_faults : public store_operations, public ::testing::Test {
 protected:
  void begin(redis_options options = {}, std::vector<std::string> server_options = {}) {
    server = std::make_unique<redis_process>(std::move(server_options));
    driver = std::make_unique<redis_driver>(server->url(), false, std::move(options));
  }
  store& data() override { return driver->data(); }
  bool run_until(const std::function<bool()>& done) override { return driver->run_until(done); }
  /// Lets the loop run for a while.
  void pass(milliseconds time) {
    bool over = false;
    const timer_handle timer = driver->live.loop.after(time, [&over] { over = true; });
    run_until([&over] { return over; });
  }
  [[nodiscard]] std::uint64_t metric(const std::string& name) const {
    const std::string all = driver->metrics.render();
    const std::size_t at = all.rfind("\n" + name + " ");
    return at == std::string::npos ? 0 : std::stoull(all.substr(at + name.size() + 2));
  }
  std::vector<std::string> rooms(std::size_t n) {
    std::vector<std::string> out;
    room_settings settings;
    settings.history_max_size = 1'000'000;
    for (std::size_t i = 0; i < n; ++i) {
      out.push_back("room" + std::to_string(i));
      EXPECT_EQ(add_room(out.back(), settings), "ok");
    }
    return out;
  }

  std::unique_ptr<redis_process> server;
  std::unique_ptr<redis_driver> driver;
};

}  // namespace

TEST_F(redis_faults, a_killed_redis_comes_back_and_nothing_is_lost_or_doubled) {
  begin(patient(milliseconds(1000)));
  append_load appends(*driver, rooms(3));
  survive_kills(appends, *driver, *server);
}

TEST_F(redis_faults, appends_whose_connection_is_cut_are_made_once) {
  begin();
  append_load appends(*driver, rooms(3));
  appends.start(30);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t before = appends.stored;
    ASSERT_TRUE(run_until([&] { return appends.stored > before + 100; }));
    EXPECT_EQ(server->run({"CLIENT", "PAUSE", "10000", "WRITE"}), "OK");
    pass(milliseconds(30));  // what is under way now stays with the server
    EXPECT_NE(server->run({"CLIENT", "KILL", "TYPE", "normal"}), "0");
    EXPECT_EQ(server->run({"CLIENT", "UNPAUSE"}), "OK");
  }
  appends.stop();
  ASSERT_TRUE(run_until([&] { return appends.idle(); }));
  EXPECT_EQ(appends.check(), "");
  EXPECT_EQ(appends.unavailable + appends.unknown + appends.others, 0U);
  EXPECT_GT(metric("roombus_redis_resent_total"), 0U);
}

TEST_F(redis_faults, appends_that_were_made_and_whose_answers_are_lost_are_made_once) {
  begin();
  const std::vector<std::string> all = rooms(3);
  lossy_proxy between(server->port());
  const std::string prefix = driver->options.prefix;
  driver = std::make_unique<redis_driver>("redis://127.0.0.1:" + std::to_string(between.port()));
  driver->options.prefix = prefix;
  driver->open();
  append_load appends(*driver, all);
  appends.start(30);
  for (int round = 1; round <= 10; ++round) {
    const std::uint64_t before = appends.stored;
    ASSERT_TRUE(run_until([&] { return appends.stored > before + 100; }));
    between.lose_next_answer();
    ASSERT_TRUE(run_until([&] { return between.lost() == round; }));
  }
  appends.stop();
  ASSERT_TRUE(run_until([&] { return appends.idle(); }));
  EXPECT_EQ(appends.check(), "");
  EXPECT_EQ(appends.unavailable + appends.unknown + appends.others, 0U);
  EXPECT_GT(metric("roombus_redis_resent_total"), 0U);
}

TEST_F(redis_faults, a_script_that_is_sent_again_changes_and_answers_as_the_first_time) {
  begin();
  ASSERT_EQ(add_room("den"), "ok");
  enter("den", "mia", "m");
  const auto run_script = [&](const redis::script& code, const std::vector<std::string>& words) {
    std::vector<std::string> all{"EVAL", std::string(code.text), "1", driver->room_key("den")};
    all.insert(all.end(), words.begin(), words.end());
    return server->run(all);
  };
  const std::vector<std::string> sent{"mia", "0", "0\xa0", "attempt 1", "1000", "", "0", "0", ""};
  const std::string first = run_script(redis::scripts::room_append, sent);
  EXPECT_EQ(first.substr(0, 7), "ok 1 0 ");
  EXPECT_EQ(run_script(redis::scripts::room_append, sent), first);
  const std::vector<std::string> with_key{"mia", "0", "0\xa0", "attempt 2", "1000", "key", "1000", "10", ""};
  EXPECT_EQ(run_script(redis::scripts::room_append, with_key).substr(0, 7), "ok 2 0 ");
  EXPECT_EQ(run_script(redis::scripts::room_append, with_key).substr(0, 7), "ok 2 0 ");
  std::vector<std::string> by_the_client = with_key;
  by_the_client[3] = "attempt 3";
  EXPECT_EQ(run_script(redis::scripts::room_append, by_the_client).substr(0, 7), "ok 2 1 ");
  EXPECT_EQ(append("den", "mia", "next"), "3");

  const std::vector<std::string> ended{"mia", "m", "9", "1000", "attempt 4", "60000", ""};
  const std::string left = run_script(redis::scripts::room_end, ended);
  EXPECT_EQ(left.substr(left.find(' ', 3)), " 1 1 0 0 0 ");  // changed, user left, none joined, switches off
  EXPECT_EQ(run_script(redis::scripts::room_end, ended), left);
  std::vector<std::string> by_another = ended;
  by_another[4] = "attempt 5";
  const std::string other = run_script(redis::scripts::room_end, by_another);
  EXPECT_EQ(other.substr(other.find(' ', 3)), " 0 0 0 0 0 ");
}

TEST_F(redis_faults, a_join_that_comes_after_its_connection_ended_is_refused) {
  begin();
  ASSERT_EQ(add_room("den"), "ok");
  connect("mia", "m");
  ASSERT_TRUE(run(data().begin_join(join_of("den", "mia", "m"))));
  // another instance ends the connection meanwhile, and it comes back with the same id
  auto here = std::move(driver);
  driver = std::make_unique<redis_driver>(server->url());
  driver->options.prefix = here->options.prefix;
  driver->open();
  EXPECT_TRUE(run(data().disconnect(user_name("mia"), connection_id("m"), 1000))->was_connected);
  connect("mia", "m");
  driver.swap(here);
  EXPECT_EQ(outcome(join("den", "mia", "m")), R"(invalidSocket["m"])");
  EXPECT_EQ(list("den", "userlist"), "[]");
  EXPECT_EQ(outcome(join("den", "mia", "m")), "ok");  // the new connection may
}

TEST_F(redis_faults, an_end_that_failed_half_way_is_finished_and_told_by_whoever_goes_on) {
  begin();
  ASSERT_EQ(add_room("den"), "ok");
  ASSERT_EQ(add_room("yard"), "ok");
  enter("den", "mia", "m");
  ASSERT_EQ(outcome(join("yard", "mia", "m")), "ok");
  // what an instance had done when it was killed: dead in the user, out of one room
  const auto run_script = [&](const redis::script& code, const std::string& key,
                              const std::vector<std::string>& words) {
    std::vector<std::string> all{"EVAL", std::string(code.text), "1", "{" + driver->options.prefix + ":" + key + "}"};
    all.insert(all.end(), words.begin(), words.end());
    return server->run(all);
  };
  const std::string closed =
      run_script(redis::scripts::user_close, "u:mia", {"m", "their attempt", "they", "1000", "10000"});
  ASSERT_EQ(closed.substr(0, 7), "ok 1 0 ");
  const std::string life = closed.substr(7, closed.find(' ', 7) - 7);
  EXPECT_EQ(run_script(redis::scripts::room_end, "r:den", {"mia", "m", life, "1000", "their attempt", "60000", ""})
                .substr(0, 2),
            "ok");
  EXPECT_EQ(run(data().instance_connections("i1"))->size(), 1U);
  // they may still be at it
  EXPECT_EQ(outcome(run(data().disconnect(user_name("mia"), connection_id("m"), 5000))), "unavailable[]");
  const auto ended = run(data().disconnect(user_name("mia"), connection_id("m"), 11'000));
  ASSERT_TRUE(ended);
  EXPECT_TRUE(ended->was_connected);
  ASSERT_EQ(ended->rooms.size(), 2U);
  EXPECT_TRUE(ended->rooms[0].user_left && ended->rooms[1].user_left);
  EXPECT_EQ(run(data().instance_connections("i1"))->size(), 0U);
  EXPECT_FALSE(run(data().disconnect(user_name("mia"), connection_id("m"), 30'000))->was_connected);
}

TEST_F(redis_faults, what_may_have_been_done_and_must_not_be_repeated_is_a_timeout) {
  begin(patient(milliseconds(500)));
  ASSERT_EQ(add_room("den"), "ok");
  server->freeze();
  auto editing = data().edit_list(room_name("den"), as(""), "blacklist", true, names({"mia"}), 10);
  auto reading = data().find_room(room_name("den"));
  bool much_later = false;
  const timer_handle later = driver->live.loop.after(milliseconds(2000), [&] { much_later = true; });
  EXPECT_EQ(change_text(run(std::move(editing))), "timeout[]");
  EXPECT_EQ(outcome(run(std::move(reading))), "unavailable[]");
  EXPECT_FALSE(much_later);
  server->thaw();
  ASSERT_TRUE(run_until([&] { return outcome(run(data().find_room(room_name("den")))) == "ok"; }));
  EXPECT_EQ(list("den", "blacklist"), R"(["mia"])");
}

TEST_F(redis_faults, a_stopped_redis_is_waited_for_no_longer_than_said) {
  begin(patient(milliseconds(500)));
  append_load appends(*driver, rooms(2));
  appends.start(10);
  ASSERT_TRUE(run_until([&] { return appends.stored > 100; }));
  server->freeze();
  bool much_later = false;
  const timer_handle later = driver->live.loop.after(milliseconds(2000), [&] { much_later = true; });
  const std::uint64_t before = appends.unavailable + appends.unknown;
  ASSERT_TRUE(run_until([&] { return much_later || appends.unavailable + appends.unknown >= before + 10; }));
  EXPECT_FALSE(much_later);
  pass(milliseconds(1000));
  server->thaw();
  const std::uint64_t stored = appends.stored;
  ASSERT_TRUE(run_until([&] { return appends.stored > stored + 100; }));
  appends.stop();
  ASSERT_TRUE(run_until([&] { return appends.idle(); }));
  EXPECT_EQ(appends.check(), "");
  EXPECT_EQ(appends.others, 0U);
}

TEST_F(redis_faults, scripts_that_were_flushed_are_loaded_again) {
  begin();
  append_load appends(*driver, rooms(2));
  appends.start(20);
  for (int round = 0; round < 5; ++round) {
    const std::uint64_t before = appends.stored;
    ASSERT_TRUE(run_until([&] { return appends.stored > before + 50; }));
    EXPECT_EQ(server->run({"SCRIPT", "FLUSH"}), "OK");
  }
  const std::uint64_t before = appends.stored;
  ASSERT_TRUE(run_until([&] { return appends.stored > before + 50; }));
  appends.stop();
  ASSERT_TRUE(run_until([&] { return appends.idle(); }));
  EXPECT_EQ(appends.check(), "");
  EXPECT_EQ(appends.unavailable + appends.unknown + appends.others, 0U);
  EXPECT_GE(metric("roombus_redis_script_loads_total"), 1U);
}

TEST_F(redis_faults, more_than_the_queue_holds_is_unavailable_at_once) {
  redis_options options = patient(milliseconds(2000));
  options.max_requests = 50;
  begin(options);
  ASSERT_EQ(add_room("den"), "ok");
  server->freeze();
  std::vector<task<result<void>>> asked;
  for (int i = 0; i < 60; ++i)
    asked.push_back(data().find_room(room_name("den")));
  for (int i = 50; i < 60; ++i)
    EXPECT_EQ(outcome(run(std::move(asked[static_cast<std::size_t>(i)]))), "unavailable[]");
  server->thaw();
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(outcome(run(std::move(asked[static_cast<std::size_t>(i)]))), "ok");
}

TEST_F(redis_faults, requests_wait_for_a_redis_that_starts_within_their_time) {
  begin(patient(milliseconds(10'000)));
  ASSERT_EQ(add_room("den"), "ok");
  server->kill();
  auto waiting = data().find_room(room_name("den"));
  pass(milliseconds(200));
  EXPECT_FALSE(waiting.done());
  server->start();
  EXPECT_EQ(outcome(run(std::move(waiting))), "ok");
}

TEST_F(redis_faults, a_user_with_a_password_and_a_database_are_used) {
  begin();
  EXPECT_EQ(server->run({"ACL", "SETUSER", "ann", "on", ">s@cret", "~*", "+@all"}), "OK");
  EXPECT_EQ(server->run({"CONFIG", "SET", "requirepass", "other"}), "OK");
  driver = std::make_unique<redis_driver>("redis://ann:s%40cret@" + server->address() + "/3");
  EXPECT_EQ(add_room("den"), "ok");
  driver = std::make_unique<redis_driver>("redis://:other@" + server->address() + "/3");
  EXPECT_EQ(add_room("den"), "ok");
  driver = std::make_unique<redis_driver>("redis://ann:wrong@" + server->address(), false, patient(milliseconds(300)));
  EXPECT_EQ(add_room("den"), "unavailable[]");
  EXPECT_NE(driver->log.text().find("WRONGPASS"), std::string::npos) << driver->log.text();
}

TEST_F(redis_faults, a_write_that_no_replica_has_is_a_timeout) {
  redis_options options;
  options.replicas = true;
  options.replica_timeout = milliseconds(200);
  begin(options);
  EXPECT_EQ(add_room("den"), "timeout[]");
  EXPECT_EQ(outcome(run(data().find_room(room_name("den")))), R"(noRoom["den"])");  // reads need none
  redis_process replica({"--replicaof", "127.0.0.1 " + std::to_string(server->port())});
  ASSERT_TRUE(replica.follows());
  // the first confirmations of a new replica take longer
  int tries = 0;
  EXPECT_TRUE(run_until([&] { return add_room("yard" + std::to_string(++tries)) == "ok"; }));
}

TEST_F(redis_faults, rooms_last_over_a_restart_of_everything) {
  begin();
  room_settings settings;
  settings.history_max_size = 100;
  ASSERT_EQ(add_room("den", settings), "ok");
  enter("den", "mia", "m");
  EXPECT_EQ(append("den", "mia", "one", append_options("k")), "1");
  server->kill();
  server->start();
  driver->open();
  EXPECT_EQ(append("den", "mia", "again", append_options("k")), "1 again");
  EXPECT_EQ(append("den", "mia", "two"), "2");
  EXPECT_EQ(history("den", "mia", recent(9)), "2=two 1=one [1,2]");
  EXPECT_EQ(list("den", "userlist"), R"(["mia"])");
}

namespace {

class redis_cluster_faults : public redis_faults {
 protected:
  void begin_cluster(bool replicas, redis_options options) {
    cluster = std::make_unique<redis_cluster_processes>(3, replicas);
    driver = std::make_unique<redis_driver>(cluster->urls(), true, std::move(options));
  }
  std::unique_ptr<redis_cluster_processes> cluster;
};

}  // namespace

TEST_F(redis_cluster_faults, slots_move_under_load) {
  begin_cluster(false, {});
  const std::vector<std::string> all = rooms(4);
  append_load appends(*driver, all);
  appends.start(20);
  for (int round = 0; round < 3; ++round) {
    const std::string key = driver->room_key(all[static_cast<std::size_t>(round)]);
    const std::uint16_t slot = redis::key_slot(key);
    redis_process* from = cluster->master_of(slot);
    ASSERT_NE(from, nullptr);
    redis_process* to = nullptr;
    for (auto& node : cluster->nodes) {
      if (node.get() != from) to = node.get();
    }
    const std::string number = std::to_string(slot);
    const std::uint64_t before = appends.stored;
    ASSERT_TRUE(run_until([&] { return appends.stored > before + 100; }));
    EXPECT_EQ(to->run({"CLUSTER", "SETSLOT", number, "IMPORTING", cluster->id_of(*from)}), "OK");
    EXPECT_EQ(from->run({"CLUSTER", "SETSLOT", number, "MIGRATING", cluster->id_of(*to)}), "OK");
    ASSERT_TRUE(run_until([&] { return appends.stored > before + 200; }));
    EXPECT_EQ(from->run({"MIGRATE", "127.0.0.1", std::to_string(to->port()), key, "0", "5000"}), "OK");
    // now the source answers ASK
    ASSERT_TRUE(run_until([&] { return appends.stored > before + 300; }));
    EXPECT_EQ(add_room("elsewhere" + std::to_string(round)), "ok");
    EXPECT_EQ(to->run({"CLUSTER", "SETSLOT", number, "NODE", cluster->id_of(*to)}), "OK");
    EXPECT_EQ(from->run({"CLUSTER", "SETSLOT", number, "NODE", cluster->id_of(*to)}), "OK");
    // and now MOVED
    ASSERT_TRUE(run_until([&] { return appends.stored > before + 400; }));
  }
  appends.stop();
  ASSERT_TRUE(run_until([&] { return appends.idle(); }));
  EXPECT_EQ(appends.check(), "");
  EXPECT_EQ(appends.unavailable + appends.unknown + appends.others, 0U);
  EXPECT_GT(metric("roombus_redis_redirections_total"), 3U);
}

TEST_F(redis_cluster_faults, a_replica_takes_over_from_a_killed_master) {
  redis_options options = patient(milliseconds(10'000));
  options.replicas = true;
  begin_cluster(true, options);
  const std::vector<std::string> all = rooms(6);
  append_load appends(*driver, all);
  appends.start(30);
  ASSERT_TRUE(run_until([&] { return appends.stored > 300; }));
  redis_process* master = cluster->master_of(redis::key_slot(driver->room_key(all.front())));
  ASSERT_NE(master, nullptr);
  master->kill();
  auto waiting = data().find_room(room_name(all.front()));
  ASSERT_TRUE(run_until([&] { return waiting.done(); })) << driver->log.text();
  EXPECT_EQ(outcome(waiting.take()), "ok");
  master->start();  // as the replica of who took over; until then WAIT finds none
  ASSERT_TRUE(master->follows());
  const std::uint64_t before = appends.stored;
  ASSERT_TRUE(run_until([&] { return appends.stored > before + 300; })) << driver->log.text();
  appends.stop();
  ASSERT_TRUE(run_until([&] { return appends.idle(); }));
  EXPECT_EQ(appends.check(), "");
  EXPECT_EQ(appends.unavailable + appends.others, 0U);
}

TEST_F(redis_cluster_faults, a_cluster_without_all_its_slots_is_unavailable_and_comes_back) {
  begin_cluster(false, patient(milliseconds(500)));
  const std::vector<std::string> all = rooms(6);
  redis_process* master = cluster->master_of(redis::key_slot(driver->room_key(all.front())));
  ASSERT_NE(master, nullptr);
  master->kill();
  // one may have reached it before its end was noticed: its outcome is unknown
  ASSERT_TRUE(run_until([&] { return append(all.front(), "", "x") == "unavailable[]"; }));
  master->start();
  ASSERT_TRUE(run_until([&] { return append(all.front(), "", "y") == "1"; }));
  EXPECT_EQ(history(all.front(), "", recent(9)), "1=y [1,1]");
}

}  // namespace roombus::test
