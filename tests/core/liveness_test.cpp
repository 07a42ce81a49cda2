#include "core/cluster/liveness.hpp"

#include <gtest/gtest.h>

#include <list>

#include "tests/support/cluster_fakes.hpp"

namespace roombus::test {
namespace {

using names = std::vector<std::string>;
using namespace std::chrono_literals;

/// One instance, noting what it is told.
struct watcher final : liveness_owner {
  task<result<void>> recover_dead(std::string dead) override {
    recovered.push_back(std::move(dead));
    if (takes_long) co_await over;
    if (cannot_recover) co_return chat_error(errc::unavailable);
    co_return result<void>{};
  }
  void members_changed() override { ++changes; }
  void fallen() override { ++falls; }
  void tell_dead(const std::string& incarnation) override { told.push_back(incarnation); }
  task<bool> renamed() override {
    ++rises;
    co_return reachable;
  }

  names recovered;
  names told;
  bool cannot_recover = false;
  bool takes_long = false;  ///< until `over`
  completion<bool> over;
  int changes = 0;
  int falls = 0;
  int rises = 0;
  bool reachable = true;
};

class liveness_test : public ::testing::Test {
 protected:
  liveness_test() {
    options.heartbeat_rate = 100ms;
    options.heartbeat_timeout = 300ms;
  }
  /// One more instance, started.
  struct member {
    member(liveness_test& t, const std::string& instance)
        : life(seen, instance, liveness::environment{t.data, t.time, t.random, t.timers, t.log, t.options}) {}
    watcher seen;
    liveness life;
  };
  member& add(const std::string& instance) {
    member& added = members.emplace_back(*this, instance);
    auto started = added.life.start();
    EXPECT_TRUE(started.done());
    EXPECT_TRUE(started.take().has_value());
    return added;
  }

  chat_options options;
  fake_clock time;
  fake_random random;
  fake_scheduler timers{time};
  recording_log log;
  fake_cluster_store data;
  std::list<member> members;
};

TEST_F(liveness_test, those_who_beat_are_seen_and_stay) {
  auto& [a, one] = add("one");
  auto& [b, two] = add("two");
  timers.advance(2s);
  EXPECT_TRUE(one.is_living(two.incarnation()));
  EXPECT_TRUE(two.is_living(one.incarnation()));
  EXPECT_EQ(a.recovered, names{});
  EXPECT_EQ(a.falls + b.falls, 0);
}

TEST_F(liveness_test, one_that_falls_silent_is_recovered_once_whoever_notices) {
  auto& [a, one] = add("one");
  auto& [b, two] = add("two");
  auto& [c, three] = add("three");
  timers.advance(500ms);
  const std::string dead = three.incarnation();
  three.stop();
  timers.advance(200ms);
  EXPECT_TRUE(one.is_living(dead)) << "not yet";
  timers.advance(400ms);
  EXPECT_FALSE(one.is_living(dead));
  EXPECT_FALSE(two.is_living(dead));
  EXPECT_EQ(a.recovered.size() + b.recovered.size(), 1U);
  EXPECT_FALSE(data.lives_by_name.contains(dead));
}

TEST_F(liveness_test, a_recovery_that_fails_is_tried_again) {
  auto& [a, one] = add("one");
  data.lives_by_name["gone~1"] = {"gone~1", "7", false};
  a.cannot_recover = true;
  timers.advance(600ms);
  EXPECT_GE(a.recovered.size(), 1U);
  EXPECT_TRUE(data.lives_by_name.contains("gone~1"));
  a.cannot_recover = false;
  data.lives_by_name["gone~1"].dead = false;  // its lease is over
  timers.advance(600ms);
  EXPECT_FALSE(data.lives_by_name.contains("gone~1"));
}

TEST_F(liveness_test, an_earlier_life_of_the_same_instance_is_recovered_at_the_start) {
  data.lives_by_name["one~00"] = {"one~00", "7", false};
  data.lives_by_name["one-two~00"] = {"one-two~00", "8", false};
  auto& [a, one] = add("one");
  EXPECT_EQ(a.recovered, names{"one~00"});
  EXPECT_TRUE(one.is_living("one-two~00")) << "another instance with a similar name";
}

TEST_F(liveness_test, one_that_cannot_show_itself_serves_nobody_until_it_has_a_new_name) {
  auto& [a, one] = add("one");
  const std::string before = one.incarnation();
  data.away = true;
  timers.advance(250ms);
  EXPECT_FALSE(one.is_fallen());
  timers.advance(200ms);
  EXPECT_TRUE(one.is_fallen());
  EXPECT_EQ(a.falls, 1);
  timers.advance(3s);
  EXPECT_TRUE(one.is_fallen());
  data.away = false;
  timers.advance(1s);
  EXPECT_FALSE(one.is_fallen());
  EXPECT_EQ(a.falls, 1);
  EXPECT_NE(one.incarnation(), before);
  EXPECT_EQ(a.recovered, names{before}) << "what its former name served";
  EXPECT_FALSE(data.lives_by_name.contains(before));
}

TEST_F(liveness_test, one_that_the_others_cannot_reach_does_not_come_back) {
  auto& [a, one] = add("one");
  a.reachable = false;
  time.advance(10'000);
  EXPECT_TRUE(one.is_fallen());
  timers.advance(3s);
  EXPECT_TRUE(one.is_fallen());
  EXPECT_FALSE(data.lives_by_name.contains(one.incarnation())) << "nobody waits for it";
  a.reachable = true;
  timers.advance(1s);
  EXPECT_FALSE(one.is_fallen());
}

TEST_F(liveness_test, a_pause_of_the_whole_process_is_found_out_before_anything_else) {
  auto& [a, one] = add("one");
  time.advance(10'000);  // no timer ran
  EXPECT_TRUE(one.is_fallen());
  EXPECT_EQ(a.falls, 1);
}

TEST_F(liveness_test, one_that_was_taken_for_dead_hears_of_it_with_its_next_heartbeat) {
  auto& [a, one] = add("one");
  data.lives_by_name[one.incarnation()].dead = true;
  timers.advance(150ms);
  EXPECT_EQ(a.falls, 1);
}

TEST_F(liveness_test, one_that_did_not_confirm_is_recovered_when_it_says_that_it_serves_nobody) {
  auto& [a, one] = add("one");
  auto& [b, two] = add("two");
  timers.advance(150ms);
  const std::string dead = two.incarnation();
  one.declare_dead(dead);
  EXPECT_FALSE(one.is_living(dead));
  EXPECT_EQ(a.told, names{dead});
  timers.run_posted();
  EXPECT_EQ(a.recovered, names{}) << "it may still serve";
  one.has_fallen(dead);
  timers.run_posted();
  EXPECT_EQ(a.recovered, names{dead});
  timers.advance(100ms);
  EXPECT_EQ(b.falls, 1) << "the store told it, too";
}

TEST_F(liveness_test, one_that_did_not_confirm_and_says_nothing_is_recovered_when_it_must_have_noticed) {
  auto& [a, one] = add("one");
  auto& [b, two] = add("two");
  timers.advance(150ms);
  const std::string dead = two.incarnation();
  two.stop();
  one.declare_dead(dead);
  timers.advance(250ms);
  EXPECT_EQ(a.recovered, names{});
  timers.advance(200ms);
  EXPECT_EQ(a.recovered, names{dead});
}

TEST_F(liveness_test, the_time_to_notice_begins_when_the_store_knows) {
  auto& [a, one] = add("one");
  auto& [b, two] = add("two");
  timers.advance(150ms);
  const std::string dead = two.incarnation();
  two.stop();
  data.refuses_recovery = true;
  one.declare_dead(dead);
  timers.advance(900ms);
  EXPECT_EQ(a.recovered, names{}) << "it can still show itself";
  data.refuses_recovery = false;
  timers.advance(250ms);
  EXPECT_EQ(a.recovered, names{});
  timers.advance(300ms);
  EXPECT_EQ(a.recovered, names{dead});
}

TEST_F(liveness_test, a_long_recovery_stays_ours_as_long_as_we_say_so) {
  auto& [a, one] = add("one");
  a.takes_long = true;
  data.lives_by_name["gone~1"] = {"gone~1", "7", false};
  timers.advance(600ms);
  ASSERT_EQ(a.recovered, names{"gone~1"});
  const std::string asked = one.incarnation() + " recovers gone~1";
  EXPECT_EQ(data.take(), names{asked});
  EXPECT_TRUE(one.keep_recovery("gone~1").take());
  EXPECT_EQ(data.take(), names{}) << "a moment ago";
  timers.advance(20s);
  EXPECT_TRUE(one.keep_recovery("gone~1").take());
  EXPECT_EQ(data.take(), names{asked});
  timers.advance(20s);
  data.recovering["gone~1"] = "two~1";
  EXPECT_FALSE(one.keep_recovery("gone~1").take()) << "somebody else is at it";
  a.over.complete(true);
}

TEST_F(liveness_test, one_that_fell_by_itself_is_recovered_at_once) {
  auto& [a, one] = add("one");
  auto& [b, two] = add("two");
  timers.advance(150ms);
  const std::string fell = two.incarnation();
  two.stop();
  one.has_fallen(fell);
  timers.run_posted();
  EXPECT_EQ(a.recovered, names{fell});
  EXPECT_FALSE(one.is_living(fell));
}

}  // namespace
}  // namespace roombus::test
