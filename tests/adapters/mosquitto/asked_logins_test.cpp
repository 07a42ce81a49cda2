// The plugin without a broker, where bridges are asked about logins that nobody in it can judge.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "adapters/mosquitto/mosquitto_configuration.hpp"
#include "adapters/mosquitto/plugin/broker_guard.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::plugin {
namespace {

using strings = std::vector<std::string>;
using login = broker_guard::login;

class asked_logins_test : public ::testing::Test, public broker_actions {
 protected:
  asked_logins_test() {
    EXPECT_EQ(guard.load_bridges(mosquitto::render_password("bridge", "secret", random)), "");
    EXPECT_EQ(guard.load_devices(mosquitto::render_password("dora", "door", random)), "");
    guard.use(questions);
    EXPECT_EQ(guard.authenticate(&bridge_key, "bridge", "secret", "b1"), login::accepted);
  }

  void publish(const std::string& topic, std::string payload) override { said.push_back(topic + ": " + payload); }
  void publish_now(const std::string& topic, std::string payload) override {
    ASSERT_EQ(topic, "roombus/bus/plugin/asks");
    asked.push_back(std::move(payload));
  }
  void kick(const std::string& client) override { kicked.push_back(client); }

  void control(const std::string& lines, const std::string& incarnation = "inc") {
    EXPECT_TRUE(guard.control(
        &bridge_key, "roombus 1 i l " + incarnation + " " + std::to_string(++sequence) + " 20000" + lines, now));
  }
  login connect(const void* k, const std::string& password, const std::string& user = "ann",
                const std::string& client = "c1") {
    return guard.authenticate(k, user, password, client, "192.0.2.1", now);
  }
  /// The name of the last question.
  std::string id() {
    const std::string line = asked.empty() ? "asks inc - " : asked.back();
    return line.substr(9, line.find(' ', 9) - 9);
  }
  [[nodiscard]] bool is_there(const std::string& user) const {
    std::string all;
    for (const std::string& line : said)
      all += line + "\n";
    return all.find(" " + user + " ") != std::string::npos;
  }

  test::fake_random random;
  strings said;
  strings asked;
  strings kicked;
  login_questions questions{{}, {7, 7, 7}};
  test::fake_clock time;
  test::recording_log log;
  broker_guard guard{{}, "inc", *this, time, log};
  std::int64_t now = 1'000'000;
  std::uint64_t sequence = 0;
  char bridge_key = 0;
  char a = 0;
  char b = 0;
};

TEST_F(asked_logins_test, who_is_accepted_gets_in_with_the_next_connect) {
  control("\nhello", "-");
  EXPECT_EQ(connect(&a, "pw"), login::busy);
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0], "asks inc " + id() + " ann c1 192.0.2.1 cHc=");
  EXPECT_EQ(connect(&a, "pw"), login::busy);
  EXPECT_EQ(asked.size(), 1U) << "asked once";
  control("\nverdict " + id() + " accepted");
  EXPECT_EQ(connect(&a, "pw"), login::accepted);
  EXPECT_TRUE(is_there("ann"));
  EXPECT_EQ(connect(&a, "pw"), login::accepted) << "Mosquitto asks again at a reload";
  EXPECT_EQ(connect(&a, "other"), login::busy) << "what it showed is not known";
  guard.disconnected(&a, 0);
  EXPECT_EQ(connect(&a, "pw"), login::busy) << "and is asked about again when it comes again";
  EXPECT_EQ(asked.size(), 3U);
}

TEST_F(asked_logins_test, who_is_rejected_hears_so_and_the_rest_stays_out) {
  control("\nhello", "-");
  for (const char* word : {"rejected", "unavailable", "accepted nonsense"}) {
    asked.clear();
    EXPECT_EQ(connect(&a, word), login::busy);
    const std::string verdict = word;
    control("\nverdict " + id() + " " + verdict);
    EXPECT_EQ(connect(&a, word), verdict == "unavailable" ? login::busy : login::bad_password) << word;
  }
  EXPECT_FALSE(is_there("ann"));
}

TEST_F(asked_logins_test, a_verdict_may_have_limits) {
  control("\nhello", "-");
  EXPECT_EQ(connect(&a, "pw"), login::busy);
  control("\nverdict " + id() + " accepted until=2000;join=den");
  EXPECT_EQ(connect(&a, "pw"), login::accepted);
  EXPECT_EQ(said.back(), "roombus/bus/plugin/events: connected inc 1 2 ann c1 until=2000;join=den");
  guard.tick(now, 1'999);
  EXPECT_EQ(kicked, strings{});
  guard.tick(now, 2'000);
  EXPECT_EQ(kicked, strings{"c1"});
}

TEST_F(asked_logins_test, a_verdict_counts_though_the_rest_of_its_message_does_not) {
  control("\nhello", "-");
  EXPECT_EQ(connect(&a, "pw"), login::busy);
  control("\nverdict " + id() + " accepted", "another");
  EXPECT_TRUE(said.back().ends_with(" stale"));
  EXPECT_EQ(connect(&a, "pw"), login::accepted);
}

TEST_F(asked_logins_test, only_bridges_judge) {
  control("\nhello", "-");
  EXPECT_EQ(connect(&a, "door", "dora", "d1"), login::accepted);
  EXPECT_EQ(connect(&b, "pw"), login::busy);
  EXPECT_FALSE(guard.control(&a, "roombus 1 i l inc 9 20000\nverdict " + id() + " accepted", now));
  EXPECT_FALSE(guard.control(&b, "roombus 1 i l inc 9 20000\nverdict " + id() + " accepted", now));
  EXPECT_EQ(connect(&b, "pw"), login::busy);
  EXPECT_FALSE(guard.may_read(&a, "dora", "d1", "roombus/bus/plugin/asks", now));
  EXPECT_FALSE(guard.may_subscribe(&a, "dora", "d1", "roombus/bus/plugin/asks"));
}

TEST_F(asked_logins_test, without_a_bridge_at_work_nobody_is_asked) {
  EXPECT_EQ(connect(&a, "pw"), login::busy);
  control("\nhello", "-");
  EXPECT_EQ(asked, strings{});
  now += 20'000;  // its lease is over
  EXPECT_EQ(connect(&a, "pw"), login::busy);
  EXPECT_EQ(asked, strings{});
  control("\nhello");
  EXPECT_EQ(connect(&a, "pw"), login::busy);
  EXPECT_EQ(asked.size(), 1U);
  control("\nhello");
  EXPECT_EQ(connect(&a, "pw"), login::busy);
  EXPECT_EQ(asked.size(), 2U) << "a bridge that begins anew may not have heard the question";
}

TEST_F(asked_logins_test, what_the_broker_can_judge_is_not_asked) {
  control("\nhello", "-");
  EXPECT_EQ(connect(&a, "wrong", "dora", "d1"), login::bad_password) << "an account of the file";
  EXPECT_EQ(connect(&a, "wrong", "bridge", "b2"), login::bad_password);
  EXPECT_EQ(connect(&a, "", "ann"), login::bad_password) << "no password";
  EXPECT_EQ(connect(&a, "pw", "a/b"), login::bad_name);
  EXPECT_EQ(connect(&a, "pw", "ann", "c 1"), login::bad_name);
  EXPECT_EQ(connect(&a, "pw", "ann", "b1"), login::client_id_taken) << "of another user";
  EXPECT_EQ(asked, strings{});
}

TEST_F(asked_logins_test, a_question_disturbs_nobody_who_is_there) {
  control("\nhello", "-");
  EXPECT_EQ(connect(&a, "pw"), login::busy);
  control("\nverdict " + id() + " accepted");
  EXPECT_EQ(connect(&a, "pw"), login::accepted);
  control("\ngrant ann c1 2 - den");
  const auto reads = [&] { return guard.may_read(&a, "ann", "c1", "roombus/r/den/json/roomMessage", now); };
  EXPECT_TRUE(reads());
  EXPECT_EQ(connect(&b, "guess"), login::busy);
  EXPECT_TRUE(reads());
  control("\nverdict " + id() + " rejected");
  EXPECT_EQ(connect(&b, "guess"), login::bad_password);
  EXPECT_TRUE(reads());
  EXPECT_EQ(guard.connections(), 2U);
}

TEST_F(asked_logins_test, malformed_verdicts_are_not_taken) {
  control("\nhello", "-");
  for (const char* line : {"verdict", "verdict 1", "verdict 1 maybe", "verdict 1 rejected -", "verdict 1 accepted - -",
                           "verdict a/b accepted", "verdict  accepted"}) {
    EXPECT_FALSE(guard.control(&bridge_key, std::string("roombus 1 i l inc 99 20000\n") + line, now)) << line;
  }
}

}  // namespace
}  // namespace roombus::plugin
