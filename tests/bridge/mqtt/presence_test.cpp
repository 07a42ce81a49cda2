#include "bridge/mqtt/presence.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace roombus::mqtt {
namespace {

/// One step of a life: at a time something happens, and this comes of it.
struct step {
  std::int64_t at;
  enum class what { online, retained, offline, request, down, up, tick, ended } input;
  presence_change expected = presence_change::none;
};
using enum step::what;
constexpr presence_change connects = presence_change::connect;
constexpr presence_change disconnects = presence_change::disconnect;

struct life_case {
  const char* name;
  std::vector<step> steps;
};

presence_change run(presence& p, const step& s) {
  switch (s.input) {
    case online:
      return p.on_sign(sign::online, s.at);
    case retained:
      return p.on_sign(sign::online_retained, s.at);
    case offline:
      return p.on_sign(sign::offline, s.at);
    case request:
      return p.on_sign(sign::request, s.at);
    case down:
      p.on_link_down();
      return presence_change::none;
    case up:
      p.on_link_up(s.at);
      return presence_change::none;
    case tick:
      return p.on_tick(s.at);
    case ended:
      p.on_ended();
      return presence_change::none;
  }
  return presence_change::none;
}

// grace 2000, idle 120000, reconnect 60000
TEST(presence, lives) {
  const life_case cases[] = {
      {"birth_connects_once", {{0, online, connects}, {5, online}, {10'000'000, tick}}},
      {"request_connects_once", {{0, request, connects}, {5, request}}},
      {"offline_counts_after_the_grace",
       {{0, online, connects}, {10, offline}, {2009, tick}, {2010, tick, disconnects}}},
      {"later_offline_does_not_prolong",
       {{0, online, connects}, {10, offline}, {1000, offline}, {2010, tick, disconnects}}},
      {"takeover_shows_the_old_will_first", {{0, online, connects}, {10, offline}, {20, online}, {999'999, tick}}},
      {"request_follows_offline", {{0, online, connects}, {10, offline}, {1500, request}, {2010, tick}, {5000, tick}}},
      {"after_offline_a_birth_is_needed_again",
       {{0, online, connects}, {10, offline}, {1500, request}, {121'499, tick}, {121'500, tick, disconnects}}},
      {"offline_of_the_absent_is_nothing", {{0, offline}, {5000, tick}, {6000, request, connects}}},
      {"unborn_idles_out", {{0, request, connects}, {119'999, tick}, {120'000, tick, disconnects}}},
      {"request_keeps_the_unborn",
       {{0, request, connects}, {100'000, request}, {219'999, tick}, {220'000, tick, disconnects}}},
      {"born_never_idles_out", {{0, request, connects}, {10, online}, {10'000'000, tick}}},
      {"comes_back_after_the_end",
       {{0, online, connects}, {0, offline}, {2000, tick, disconnects}, {3000, request, connects}}},
      {"link_loss_keeps_everybody", {{0, request, connects}, {10, down}, {10'000'000, tick}}},
      {"must_show_itself_after_link_loss",
       {{0, online, connects}, {10, down}, {500'000, up}, {559'999, tick}, {560'000, tick, disconnects}}},
      {"request_shows_it", {{0, online, connects}, {10, down}, {500'000, up}, {500'001, request}, {9'000'000, tick}}},
      {"shows_itself_before_the_link_counts_as_up",
       {{0, online, connects}, {10, down}, {499'999, request}, {500'000, up}, {9'000'000, tick}}},
      {"showing_itself_counts_for_one_loss",
       {{0, online, connects}, {10, down}, {20, request}, {30, up}, {40, down}, {50, up}, {60'050, tick, disconnects}}},
      {"birth_shows_it", {{0, online, connects}, {10, down}, {500'000, up}, {500'001, online}, {9'000'000, tick}}},
      {"kept_birth_does_not_show_it",
       {{0, online, connects}, {10, down}, {500'000, up}, {500'001, retained}, {560'000, tick, disconnects}}},
      {"kept_birth_connects_on_probation", {{0, retained, connects}, {59'999, tick}, {60'000, tick, disconnects}}},
      {"kept_birth_confirmed", {{0, retained, connects}, {100, request}, {9'000'000, tick}}},
      {"kept_will_ends_what_died_meanwhile",
       {{0, online, connects}, {10, down}, {500, up}, {501, offline}, {2501, tick, disconnects}}},
      {"farewell_before_link_loss_counts",
       {{0, online, connects}, {10, offline}, {20, down}, {2010, tick, disconnects}}},
      {"probation_waits_for_the_link",
       {{0, retained, connects}, {10, down}, {500'000, tick}, {500'000, up}, {560'000, tick, disconnects}}},
      {"ended_otherwise", {{0, online, connects}, {10, offline}, {20, ended}, {5000, tick}, {5001, request, connects}}},
      {"link_up_without_a_loss_is_nothing", {{0, online, connects}, {10, up}, {9'000'000, tick}}},
  };
  const presence_times times;
  for (const life_case& c : cases) {
    presence p(times);
    for (const step& s : c.steps)
      EXPECT_EQ(run(p, s), s.expected) << c.name << " at " << s.at;
  }
}

TEST(presence, nobody_is_known_to_be_there_while_the_link_is_down) {
  presence_times times;
  presence shown(times);
  (void)shown.on_sign(sign::online, 0);
  EXPECT_FALSE(shown.is_doubtful());
  shown.on_link_down();
  EXPECT_TRUE(shown.is_doubtful());
  shown.on_link_up(10);
  EXPECT_TRUE(shown.is_doubtful()) << "it has to show itself";
  (void)shown.on_sign(sign::online, 20);
  EXPECT_FALSE(shown.is_doubtful());
  presence attested(times);
  (void)attested.on_attested();
  attested.on_link_down();
  EXPECT_FALSE(attested.is_doubtful()) << "the broker's plugin will say";
}

TEST(presence, deadline_is_the_earliest) {
  const presence_times times;
  presence p(times);
  EXPECT_FALSE(p.deadline());
  (void)p.on_sign(sign::request, 0);
  EXPECT_EQ(p.deadline(), 120'000);
  (void)p.on_sign(sign::offline, 10);
  EXPECT_EQ(p.deadline(), 2010);
  (void)p.on_sign(sign::online, 20);
  EXPECT_FALSE(p.deadline());
  p.on_link_down();
  p.on_link_up(100);
  EXPECT_EQ(p.deadline(), 60'100);
}

}  // namespace
}  // namespace roombus::mqtt
