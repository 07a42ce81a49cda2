#include "adapters/socketio/login_gate.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/fakes.hpp"

namespace roombus::socketio {
namespace {

using std::chrono::milliseconds;

class login_gate_test : public ::testing::Test {
 protected:
  struct login {
    std::shared_ptr<login_place> place;
    std::string outcome = "waits";
  };

  static task<void> watch(login& of, completion<std::optional<errc>> turn) {
    const std::optional<errc> refused = co_await turn;
    of.outcome = refused ? (*refused == errc::rate_limited ? "rateLimited" : "unavailable") : "runs";
  }
  /// A login that was just begun.
  std::unique_ptr<login> enter(login_gate& gate, const std::string& address) {
    auto made = std::make_unique<login>();
    made->place = gate.enter(address);
    watch(*made, made->place->turn()).detach();
    return made;
  }
  static login_bounds bounds(std::size_t running, std::size_t per_address, std::size_t waiting = 100,
                             std::size_t waiting_per_address = 50) {
    login_bounds out;
    out.running = running;
    out.running_per_address = per_address;
    out.waiting = waiting;
    out.waiting_per_address = waiting_per_address;
    return out;
  }

  test::fake_scheduler timers;
};

TEST_F(login_gate_test, as_many_run_as_may_and_the_next_one_when_a_place_is_left) {
  login_gate gate(bounds(2, 0), timers);
  auto one = enter(gate, "192.0.2.1");
  auto two = enter(gate, "192.0.2.2");
  auto three = enter(gate, "192.0.2.3");
  EXPECT_EQ(one->outcome, "runs") << "at once";
  EXPECT_EQ(two->outcome, "runs");
  EXPECT_EQ(three->outcome, "waits");
  EXPECT_EQ(gate.reader()().running, 2U);
  EXPECT_EQ(gate.reader()().waiting, 1U);
  one->place.reset();
  EXPECT_EQ(three->outcome, "waits") << "who lets go is not called back";
  timers.run_posted();
  EXPECT_EQ(three->outcome, "runs");
  EXPECT_EQ(timers.pending(), 0U);
}

TEST_F(login_gate_test, an_address_has_its_bound_and_others_pass_it) {
  login_gate gate(bounds(10, 2), timers);
  std::vector<std::unique_ptr<login>> many;
  for (int i = 0; i < 5; ++i)
    many.push_back(enter(gate, "2001:db8::" + std::to_string(i + 1)));
  EXPECT_EQ(many[1]->outcome, "runs");
  EXPECT_EQ(many[2]->outcome, "waits") << "one /64 is one address";
  auto other = enter(gate, "192.0.2.1");
  EXPECT_EQ(other->outcome, "runs");
  many[0]->place.reset();
  timers.run_posted();
  EXPECT_EQ(many[2]->outcome, "runs");
  EXPECT_EQ(many[3]->outcome, "waits");
}

TEST_F(login_gate_test, addresses_take_turns) {
  login_gate gate(bounds(1, 0), timers);
  auto running = enter(gate, "192.0.2.1");
  std::vector<std::unique_ptr<login>> many;
  for (int i = 0; i < 20; ++i)
    many.push_back(enter(gate, "192.0.2.1"));
  auto honest = enter(gate, "192.0.2.2");
  running->place.reset();
  timers.run_posted();
  EXPECT_EQ(many[0]->outcome, "runs");
  many[0]->place.reset();
  timers.run_posted();
  EXPECT_EQ(honest->outcome, "runs") << "not behind all of the other address";
  EXPECT_EQ(many[1]->outcome, "waits");
}

TEST_F(login_gate_test, those_who_wait_are_bounded) {
  login_gate gate(bounds(1, 0, 3, 2), timers);
  auto running = enter(gate, "192.0.2.1");
  auto one = enter(gate, "192.0.2.1");
  auto two = enter(gate, "192.0.2.1");
  auto three = enter(gate, "192.0.2.1");
  EXPECT_EQ(three->outcome, "rateLimited");
  auto other = enter(gate, "192.0.2.2");
  EXPECT_EQ(other->outcome, "waits");
  auto last = enter(gate, "192.0.2.3");
  EXPECT_EQ(last->outcome, "unavailable");
  three->place.reset();
  last->place.reset();
  EXPECT_EQ(gate.reader()().running, 1U) << "who was refused has no place to leave";
  EXPECT_EQ(gate.reader()().waiting, 3U);
}

TEST_F(login_gate_test, waiting_has_an_end) {
  login_gate gate(bounds(1, 0), timers);
  auto running = enter(gate, "192.0.2.1");
  auto waits = enter(gate, "192.0.2.1");
  timers.advance(milliseconds(29'999));
  EXPECT_EQ(waits->outcome, "waits");
  timers.advance(milliseconds(1));
  EXPECT_EQ(waits->outcome, "unavailable");
  EXPECT_EQ(gate.reader()().waiting, 0U);
}

TEST_F(login_gate_test, who_goes_while_it_waits_leaves_the_line) {
  login_gate gate(bounds(1, 1), timers);
  auto running = enter(gate, "192.0.2.1");
  auto one = enter(gate, "192.0.2.1");
  auto two = enter(gate, "192.0.2.2");
  auto three = enter(gate, "192.0.2.3");
  one->place->withdraw();
  EXPECT_EQ(one->outcome, "unavailable");
  two->place.reset();
  running->place->withdraw();
  EXPECT_EQ(running->outcome, "runs") << "what is under way is not touched";
  running->place.reset();
  timers.run_posted();
  EXPECT_EQ(three->outcome, "runs");
  EXPECT_EQ(gate.reader()().waiting, 0U);
  three->place.reset();
  EXPECT_EQ(gate.reader()().running, 0U);
}

TEST_F(login_gate_test, places_may_outlive_the_gate) {
  std::unique_ptr<login> running;
  std::function<login_gate::figures()> read;
  {
    login_gate gate(bounds(1, 0), timers);
    running = enter(gate, "192.0.2.1");
    read = gate.reader();
  }
  EXPECT_EQ(read().running, 1U);
  running->place.reset();
  EXPECT_EQ(read().running, 0U);
}

/// Against a naive model: never more than may, and nobody waits while there is a place for it.
TEST_F(login_gate_test, keeps_its_bounds_whoever_comes_and_goes) {
  login_gate gate(bounds(5, 2, 12, 4), timers);
  std::vector<std::pair<std::string, std::unique_ptr<login>>> all;
  std::uint32_t seed = 1;
  const auto next = [&seed](std::uint32_t below) {
    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % below;
  };
  for (int step = 0; step < 20'000; ++step) {
    if (next(2) == 0 || all.empty()) {
      const std::string address = "192.0.2." + std::to_string(next(6));
      all.emplace_back(address, enter(gate, address));
    } else {
      const auto at = all.begin() + next(static_cast<std::uint32_t>(all.size()));
      if (next(3) == 0) at->second->place->withdraw();
      at->second->place.reset();
      all.erase(at);
    }
    timers.run_posted();
    std::erase_if(all, [](const auto& l) { return l.second->outcome != "runs" && l.second->outcome != "waits"; });
    std::size_t running = 0;
    std::map<std::string, std::pair<std::size_t, std::size_t>> by;  // runs, waits
    for (const auto& [address, l] : all) {
      const bool runs = l->outcome == "runs";
      running += runs ? 1 : 0;
      ++(runs ? by[address].first : by[address].second);
    }
    ASSERT_EQ(gate.reader()().running, running);
    ASSERT_EQ(gate.reader()().waiting, all.size() - running);
    ASSERT_LE(running, 5U);
    for (const auto& [address, counts] : by) {
      ASSERT_LE(counts.first, 2U) << address;
      ASSERT_LE(counts.second, 4U) << address;
      ASSERT_FALSE(counts.second > 0 && counts.first < 2 && running < 5) << address << " waits for nothing";
    }
  }
}

}  // namespace
}  // namespace roombus::socketio
