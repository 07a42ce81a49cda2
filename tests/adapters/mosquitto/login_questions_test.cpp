// Logins that a bridge is asked about, without a broker: what is remembered, for how long, and how much of it.

#include "adapters/mosquitto/plugin/login_questions.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace roombus::plugin {
namespace {

using outcome = login_questions::answer::outcome;
using verdict = login_questions::verdict;

class login_questions_test : public ::testing::Test {
 protected:
  static login_question_options options() {
    login_question_options o;
    o.max_open = 4;
    o.max_entries = 6;
    o.max_per_second = 3;
    o.max_failures = 2;
    return o;
  }

  outcome judge(const std::string& password, const std::string& user = "ann", const std::string& client = "c1",
                const std::string& address = "192.0.2.1", bool may_ask = true) {
    const login_questions::answer a = questions.judge({user, client, password, address}, now, may_ask);
    if (a.what == outcome::ask) asked.push_back(a.id);
    limits = a.limits;
    return a.what;
  }
  /// The verdict about the last question.
  void settle(verdict v, const payload::login_limits& with = {}) { questions.settle(asked.back(), v, with, now); }

  login_questions questions{options(), {1, 2, 3}};
  std::vector<std::string> asked;
  payload::login_limits limits;
  std::int64_t now = 1'000'000;
};

TEST_F(login_questions_test, one_verdict_lets_in_once) {
  EXPECT_EQ(judge("right"), outcome::ask);
  EXPECT_EQ(judge("right"), outcome::busy) << "the question is open";
  payload::login_limits some;
  some.expires_at_ms = 5;
  settle(verdict::accepted, some);
  EXPECT_EQ(judge("right"), outcome::accepted);
  EXPECT_EQ(limits, some);
  EXPECT_EQ(questions.size(), 0U);
  EXPECT_EQ(judge("right"), outcome::ask) << "used up";
}

TEST_F(login_questions_test, a_verdict_is_about_exactly_what_was_shown) {
  EXPECT_EQ(judge("right"), outcome::ask);
  settle(verdict::accepted);
  EXPECT_NE(judge("Right"), outcome::accepted);
  EXPECT_NE(judge("right", "bob"), outcome::accepted);
  now += 1000;
  EXPECT_NE(judge("right", "ann", "c2"), outcome::accepted);
  EXPECT_NE(judge("right", "ann", "c1", "192.0.2.2"), outcome::accepted) << "the hook may look at the address";
  EXPECT_NE(judge("c1right", "ann", ""), outcome::accepted) << "no sliding between the parts";
  EXPECT_EQ(judge("right"), outcome::accepted);
}

TEST_F(login_questions_test, a_rejection_is_told_for_a_while_then_asked_about_again) {
  EXPECT_EQ(judge("wrong"), outcome::ask);
  settle(verdict::rejected);
  EXPECT_EQ(judge("wrong"), outcome::rejected);
  now += 4'999;
  EXPECT_EQ(judge("wrong"), outcome::rejected);
  now += 1;
  EXPECT_EQ(judge("wrong"), outcome::ask);
}

TEST_F(login_questions_test, an_accepted_login_has_to_come_in_time) {
  EXPECT_EQ(judge("right"), outcome::ask);
  settle(verdict::accepted);
  now += 30'000;
  EXPECT_EQ(judge("right"), outcome::ask);
  settle(verdict::accepted);
  now += 29'999;
  EXPECT_EQ(judge("right"), outcome::accepted);
}

TEST_F(login_questions_test, verdicts_that_nobody_asked_for_are_ignored) {
  questions.settle("", verdict::accepted, {}, now);
  questions.settle("1", verdict::accepted, {}, now);
  EXPECT_EQ(judge("right"), outcome::ask);
  now += 10'000;
  settle(verdict::accepted);
  EXPECT_EQ(judge("right"), outcome::ask) << "too late";
  settle(verdict::rejected);
  settle(verdict::accepted);
  EXPECT_EQ(judge("right"), outcome::rejected) << "the first one counts";
}

TEST_F(login_questions_test, a_question_of_another_start_has_another_name) {
  login_questions other(options(), {4, 5, 6});
  EXPECT_EQ(judge("right"), outcome::ask);
  EXPECT_EQ(asked.back().size(), 32U);
  EXPECT_NE(other.judge({"ann", "c1", "right", "192.0.2.1"}, now, true).id, asked.back());
}

TEST_F(login_questions_test, without_an_answer_it_is_asked_again) {
  EXPECT_EQ(judge("right"), outcome::ask);
  settle(verdict::unavailable);
  EXPECT_EQ(judge("right"), outcome::ask);
  questions.forget_open();
  EXPECT_EQ(judge("right"), outcome::ask) << "the bridge has begun anew";
  EXPECT_EQ(questions.open(), 1U);
}

TEST_F(login_questions_test, nobody_to_ask_and_nothing_to_ask_about) {
  EXPECT_EQ(judge("right", "ann", "c1", "192.0.2.1", false), outcome::busy);
  EXPECT_EQ(judge(""), outcome::rejected) << "no password";
  EXPECT_EQ(judge(std::string(16'385, 'x')), outcome::rejected);
  EXPECT_EQ(questions.size(), 0U);
  EXPECT_EQ(judge(std::string(16'384, 'x')), outcome::ask);
}

TEST_F(login_questions_test, too_many_rejections_put_off_the_whole_address) {
  EXPECT_EQ(judge("right", "bob"), outcome::ask);
  settle(verdict::accepted);
  for (const char* password : {"1", "2"}) {
    EXPECT_EQ(judge(password), outcome::ask);
    settle(verdict::rejected);
  }
  EXPECT_EQ(judge("right", "bob"), outcome::busy) << "else guesses that are asked about at once would pay";
  EXPECT_EQ(judge("1"), outcome::busy);
  EXPECT_EQ(judge("1", "ann", "c1", "192.0.2.2"), outcome::ask) << "another address";
  now += 60'000;
  EXPECT_EQ(judge("1"), outcome::ask);
}

TEST_F(login_questions_test, a_flood_is_put_off) {
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(judge(std::to_string(i)), outcome::ask);
  EXPECT_EQ(judge("3"), outcome::busy) << "too many of one address in a second";
  EXPECT_EQ(judge("4", "ann", "c1", "192.0.2.2"), outcome::ask);
  EXPECT_EQ(judge("5", "ann", "c1", "192.0.2.2"), outcome::busy) << "too many open";
  EXPECT_EQ(questions.open(), 4U);
  now += 10'000;
  questions.tick(now);
  EXPECT_EQ(questions.size(), 0U);
  EXPECT_EQ(judge("6"), outcome::ask);
}

TEST_F(login_questions_test, of_too_many_verdicts_the_oldest_goes) {
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(judge(std::to_string(i)), outcome::ask);
    settle(verdict::accepted);
    now += 1'000;
  }
  EXPECT_EQ(questions.size(), 6U);
  EXPECT_EQ(judge("1"), outcome::accepted);
  EXPECT_EQ(judge("0"), outcome::ask);
}

}  // namespace
}  // namespace roombus::plugin
