// The plugin without a broker: logins, grants, leases, takeovers and what bridges are told.

#include "adapters/mosquitto/plugin/broker_guard.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "adapters/mosquitto/mosquitto_configuration.hpp"
#include "core/ports/environment.hpp"
#include "tests/adapters/auth/test_keys.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::plugin {
namespace {

using strings = std::vector<std::string>;
using login = broker_guard::login;

class guard_test : public ::testing::Test, public broker_actions {
 protected:
  explicit guard_test(bool dev = true) : guard(options(dev), "inc", *this, time, log) {
    EXPECT_EQ(guard.load_bridges(mosquitto::render_password("bridge", "secret", random)), "");
    EXPECT_EQ(guard.authenticate(&bridge_key, "bridge", "secret", "b1"), login::accepted);
  }

  static guard_options options(bool dev) {
    guard_options o;
    o.dev = dev;
    o.guesses = {10, 60'000};
    o.max_connections = 4;
    o.max_rooms = 2;
    o.admins = {"operator"};
    return o;
  }

  void publish(const std::string& topic, std::string payload) override {
    said.push_back(topic.substr(std::string("roombus/bus/plugin/").size()) + ": " + std::move(payload));
  }
  void kick(const std::string& client) override { kicked.push_back(client); }

  strings take() { return std::exchange(said, {}); }

  /// A message of bridge `i`, life `l`; answers the plugin's last word.
  std::string control(std::uint64_t sequence, const std::string& lines, const std::string& incarnation = "inc",
                      const std::string& who = "i l") {
    said.clear();
    EXPECT_TRUE(guard.control(
        &bridge_key, "roombus 1 " + who + " " + incarnation + " " + std::to_string(sequence) + " 1000" + lines, now));
    return said.empty() ? "" : said.back();
  }
  void hello() { ASSERT_TRUE(control(1, "\nhello", "-").starts_with("answer/i: state inc 1 ")); }
  void connect(const void* k, const std::string& user, const std::string& client) {
    ASSERT_EQ(guard.authenticate(k, user, "", client), login::accepted);
  }
  [[nodiscard]] bool reads(const void* k, const std::string& user, const std::string& client,
                           const std::string& room) const {
    return guard.may_read(k, user, client, "roombus/r/" + room + "/json/roomMessage", now);
  }

  test::fake_random random;
  strings said;
  strings kicked;
  test::fake_clock time;
  test::recording_log log;
  broker_guard guard;
  std::int64_t now = 1'000'000;
  char bridge_key = 0;
  char a = 0;
  char b = 0;
  char c = 0;
  char d = 0;
  char e = 0;
};

TEST_F(guard_test, nothing_of_a_room_is_read_without_a_grant) {
  hello();
  connect(&a, "alice", "c1");
  EXPECT_FALSE(reads(&a, "alice", "c1", "den"));
  EXPECT_EQ(control(2, "\ngrant alice c1 2 - den"), "answer/i: ack inc 2 ok");
  EXPECT_TRUE(reads(&a, "alice", "c1", "den"));
  EXPECT_FALSE(reads(&a, "alice", "c1", "den2"));
  EXPECT_FALSE(reads(&a, "alice", "c1", "Den"));
  EXPECT_EQ(control(3, "\nrevoke alice c1 2 - den"), "answer/i: ack inc 3 ok");
  EXPECT_FALSE(reads(&a, "alice", "c1", "den"));
}

TEST_F(guard_test, grants_end_with_the_connection) {
  hello();
  connect(&a, "alice", "c1");
  control(2, "\ngrant alice c1 2 - den");
  guard.disconnected(&a, 7);
  EXPECT_EQ(guard.grants(), 0U);
  connect(&a, "alice", "c1");
  EXPECT_FALSE(reads(&a, "alice", "c1", "den"));
  control(3, "\ngrant alice c1 2 - den");
  EXPECT_FALSE(reads(&a, "alice", "c1", "den")) << "a grant for an earlier life";
  control(4, "\ngrant bob c1 3 - den");
  EXPECT_FALSE(reads(&a, "alice", "c1", "den")) << "a grant for another user";
}

TEST_F(guard_test, a_silent_bridge_ends_all_grants) {
  hello();
  connect(&a, "alice", "c1");
  control(2, "\ngrant alice c1 2 - den");
  now += 999;
  EXPECT_TRUE(reads(&a, "alice", "c1", "den"));
  now += 1;
  EXPECT_FALSE(reads(&a, "alice", "c1", "den")) << "also before the next tick";
  guard.tick(now);
  EXPECT_EQ(guard.grants(), 0U);
  EXPECT_EQ(control(3, "\ngrant alice c1 2 - other"), "answer/i: ack inc 3 lapsed");
  EXPECT_FALSE(reads(&a, "alice", "c1", "other")) << "nothing before everything";
  EXPECT_EQ(control(4, "\nsync\ngrant alice c1 2 - den"), "answer/i: ack inc 4 ok");
  EXPECT_TRUE(reads(&a, "alice", "c1", "den"));
}

TEST_F(guard_test, every_message_renews) {
  hello();
  connect(&a, "alice", "c1");
  control(2, "\ngrant alice c1 2 - den");
  for (std::uint64_t i = 3; i < 10; ++i) {
    now += 900;
    EXPECT_EQ(control(i, ""), "answer/i: ack inc " + std::to_string(i) + " ok");
    EXPECT_TRUE(reads(&a, "alice", "c1", "den"));
  }
}

TEST_F(guard_test, old_and_foreign_messages_change_nothing) {
  connect(&a, "alice", "c1");
  EXPECT_EQ(control(1, "\ngrant alice c1 2 - den"), "answer/i: ack inc 1 stale") << "no hello yet";
  hello();
  EXPECT_EQ(control(2, "\ngrant alice c1 2 - den", "other"), "answer/i: ack inc 2 stale") << "another incarnation";
  EXPECT_EQ(control(2, "\ngrant alice c1 2 - den", "inc", "i other"), "answer/i: ack inc 2 stale") << "another life";
  EXPECT_EQ(control(1, "\ngrant alice c1 2 - den"), "answer/i: ack inc 1 old");
  EXPECT_FALSE(reads(&a, "alice", "c1", "den"));
}

TEST_F(guard_test, a_restarted_bridge_starts_without_grants_and_learns_who_is_there) {
  hello();
  connect(&a, "alice", "c1");
  control(2, "\ngrant alice c1 2 - den");
  EXPECT_EQ(control(1, "\nhello", "-", "i again"), "answer/i: state inc 1 1 last\n2 alice c1");
  EXPECT_FALSE(reads(&a, "alice", "c1", "den"));
}

TEST_F(guard_test, a_bridge_that_is_alone_ends_what_others_granted) {
  hello();
  connect(&a, "alice", "c1");
  control(2, "\ngrant alice c1 2 - den");
  control(1, "\nhello", "-", "j l");
  EXPECT_TRUE(reads(&a, "alice", "c1", "den")) << "several bridges may be at work";
  control(2, "\nhello\nalone", "-", "j l");
  EXPECT_FALSE(reads(&a, "alice", "c1", "den"));
}

TEST_F(guard_test, what_one_of_several_bridges_granted_goes_on_without_it) {
  control(1, "\nhello\namong", "-");
  connect(&a, "alice", "c1");
  control(2, "\ngrant alice c1 2 - den\ngrant alice c1 2 - hall");
  now += 600;
  control(1, "\nhello\namong", "-", "j l");
  now += 500;  // the first one's lease is over
  guard.tick(now);
  EXPECT_TRUE(reads(&a, "alice", "c1", "den"));
  control(2, "\nreset alice c1 2\ngrant alice c1 2 - den", "inc", "j l");
  EXPECT_TRUE(reads(&a, "alice", "c1", "den"));
  EXPECT_FALSE(reads(&a, "alice", "c1", "hall")) << "who goes on with it knows best";
  control(3, "\nhello\namong", "-", "j again");
  EXPECT_TRUE(reads(&a, "alice", "c1", "den")) << "its own earlier life, too";
  now += 5'000;
  guard.tick(now);
  EXPECT_FALSE(reads(&a, "alice", "c1", "den")) << "nobody renews";
  control(4, "\nhello\namong", "-", "j more");
  EXPECT_FALSE(reads(&a, "alice", "c1", "den"));
}

TEST_F(guard_test, any_bridge_may_shut_out_whoever_is_there) {
  hello();
  const std::string other = "j m";
  control(1, "\nhello", "-", other);
  connect(&a, "alice", "c1");
  control(2, "\ngrant alice c1 2 - den\ngrant alice c1 2 - hall");
  EXPECT_EQ(control(2, "\nrevoke bob c1 0 - den", "inc", other), "answer/j: ack inc 2 ok");
  EXPECT_TRUE(reads(&a, "alice", "c1", "den")) << "another user";
  EXPECT_EQ(control(3, "\nrevoke alice c1 0 - den", "inc", other), "answer/j: ack inc 3 ok");
  EXPECT_FALSE(reads(&a, "alice", "c1", "den"));
  EXPECT_TRUE(reads(&a, "alice", "c1", "hall"));
  EXPECT_EQ(control(3, "\nrevoke alice c1 0 - hall", "inc", other), "answer/j: ack inc 3 old");
  EXPECT_FALSE(reads(&a, "alice", "c1", "hall")) << "also where nothing else of the message counts";
}

// who is put out may come back before the last of those who tell of it has done so
TEST_F(guard_test, a_removal_that_is_told_late_takes_nothing_that_was_granted_since) {
  hello();
  const std::string other = "j m";
  control(1, "\nhello", "-", other);
  connect(&a, "alice", "c1");
  std::uint64_t sequence = 1;
  const auto granted_then_shut_out = [&](const std::string& granted, const std::string& removed) {
    ++sequence;
    control(sequence, "\ngrant alice c1 2 " + granted + " den");
    EXPECT_TRUE(reads(&a, "alice", "c1", "den"));
    control(sequence, "\nrevoke alice c1 0 " + removed + " den", "inc", other);
    return reads(&a, "alice", "c1", "den");
  };
  EXPECT_FALSE(granted_then_shut_out("e1.4", "e1.5"));
  EXPECT_TRUE(granted_then_shut_out("e1.5", "e1.5")) << "the bridge knew of it";
  EXPECT_TRUE(granted_then_shut_out("e1.5", "e1.3"));
  EXPECT_FALSE(granted_then_shut_out("e1.9", "e1.10")) << "numbers, not texts";
  EXPECT_TRUE(granted_then_shut_out("e2.1", "e1.3")) << "the room was made anew meanwhile";
  EXPECT_FALSE(granted_then_shut_out("-", "e1.3")) << "nobody knows";
  EXPECT_FALSE(granted_then_shut_out("e1.5", "-"));
  EXPECT_TRUE(granted_then_shut_out("e1.5", "e1.3"));
  control(sequence + 1, "\nrevoke alice c1 2 - den");
  EXPECT_FALSE(reads(&a, "alice", "c1", "den")) << "its own bridge knows best";
}

TEST_F(guard_test, a_takeover_is_told_in_order_and_passes_no_grants_on) {
  hello();
  connect(&a, "alice", "c1");
  control(2, "\ngrant alice c1 2 - den");
  take();
  connect(&b, "alice", "c1");
  EXPECT_FALSE(reads(&a, "alice", "c1", "den"));
  EXPECT_FALSE(reads(&b, "alice", "c1", "den"));
  guard.disconnected(&a, -1);
  EXPECT_EQ(take(), (strings{"events: connected inc 2 3 alice c1", "events: disconnected inc 3 2 alice c1 -1"}));
  EXPECT_EQ(control(3, "\nhello"), "answer/i: state inc 3 3 last\n3 alice c1");
}

TEST_F(guard_test, after_a_failed_takeover_the_first_lives_on_as_a_new_life) {
  hello();
  connect(&a, "alice", "c1");
  control(2, "\ngrant alice c1 2 - den");
  connect(&b, "alice", "c1");
  take();
  guard.disconnected(&b, 1);
  EXPECT_EQ(take(), (strings{"events: disconnected inc 3 3 alice c1 1", "events: connected inc 4 4 alice c1"}));
  EXPECT_FALSE(reads(&a, "alice", "c1", "den"));
  control(3, "\ngrant alice c1 4 - den");
  EXPECT_TRUE(reads(&a, "alice", "c1", "den"));
}

TEST_F(guard_test, nobody_takes_the_client_id_of_another_user) {
  connect(&a, "alice", "c1");
  EXPECT_EQ(guard.authenticate(&b, "eve", "", "c1"), login::client_id_taken);
  EXPECT_EQ(guard.authenticate(&b, "eve", "", "b1"), login::client_id_taken) << "the bridge's";
}

TEST_F(guard_test, a_reload_asks_again_and_is_no_connect) {
  hello();
  connect(&a, "alice", "c1");
  control(2, "\ngrant alice c1 2 - den");
  take();
  connect(&a, "alice", "c1");
  EXPECT_EQ(take(), strings{});
  EXPECT_TRUE(reads(&a, "alice", "c1", "den"));
}

TEST_F(guard_test, ends_of_unknown_connections_are_no_events) {
  guard.disconnected(&c, 0);
  guard.disconnected(nullptr, 0);
  connect(&a, "alice", "c1");
  guard.disconnected(&a, 0);
  take();
  guard.disconnected(&a, 0);
  EXPECT_EQ(take(), strings{});
}

TEST_F(guard_test, kicks_hit_the_named_life_only) {
  hello();
  connect(&a, "alice", "c1");
  control(2, "\nkick alice c1 1");
  control(3, "\nkick bob c1 2");
  control(4, "\nkick bridge b1 1");
  EXPECT_EQ(kicked, strings{});
  EXPECT_EQ(control(5, "\nkick alice c1 2"), "answer/i: ack inc 5 ok");
  EXPECT_EQ(kicked, strings{"c1"});
}

TEST_F(guard_test, only_a_bridge_controls) {
  connect(&a, "alice", "c1");
  EXPECT_FALSE(guard.control(&a, "roombus 1 i l - 1 1000\nhello", now));
  EXPECT_FALSE(guard.control(&d, "roombus 1 i l - 1 1000\nhello", now));
}

TEST_F(guard_test, malformed_control_messages_are_not_taken) {
  hello();
  for (const char* text : {"",
                           "roombus",
                           "roombus 2 i l inc 2 1000",
                           "roombus 1 i l inc 2",
                           "roombus 1 i l inc x 1000",
                           "roombus 1 i l inc 2 -1",
                           "roombus 1 i/j l inc 2 1000",
                           "roombus  1 i l inc 2 1000",
                           "roombus 1 i l inc 2 1000\n\n",
                           "roombus 1 i l inc 2 1000\nfoo",
                           "roombus 1 i l inc 2 1000\ngrant alice c1 2 den",
                           "roombus 1 i l inc 2 1000\ngrant alice c1 2 - a/b",
                           "roombus 1 i l inc 2 1000\ngrant alice c1 2 - +",
                           "roombus 1 i l inc 2 1000\ngrant a/b c1 2 - den",
                           "roombus 1 i l inc 2 1000\ngrant alice c1 99999999999999999999 - den",
                           "roombus 1 i l inc 2 1000\ngrant alice c1 2 e den",
                           "roombus 1 i l inc 2 1000\ngrant alice c1 2 .1 den",
                           "roombus 1 i l inc 2 1000\nrevoke alice c1 0 e.x den",
                           "roombus 1 i l inc 2 1000\nkick alice c1 2 x",
                           "roombus 1 i l inc 2 1000\nhello alone"}) {
    EXPECT_FALSE(guard.control(&bridge_key, text, now)) << text;
  }
}

TEST_F(guard_test, its_state_is_bounded) {
  hello();
  connect(&a, "alice", "c1");
  EXPECT_EQ(control(2, "\ngrant alice c1 2 - r1\ngrant alice c1 2 - r2"), "answer/i: ack inc 2 ok");
  EXPECT_EQ(control(3, "\ngrant alice c1 2 - r3"), "answer/i: ack inc 3 full");
  EXPECT_EQ(control(4, "\ngrant alice c1 2 - r2"), "answer/i: ack inc 4 ok") << "known already";
  EXPECT_EQ(guard.grants(), 2U);
  connect(&b, "bob", "c2");
  connect(&c, "carol", "c3");
  EXPECT_EQ(guard.authenticate(&d, "dave", "", "c4"), login::full);
  for (int i = 0; i < 100; ++i)
    (void)guard.control(&bridge_key, "roombus 1 x" + std::to_string(i) + " l - 1 1000\nhello", now);
  EXPECT_EQ(said.back(), "answer/x99: ack inc 1 full");
}

TEST_F(guard_test, devices_do_not_keep_out_those_who_serve_them) {
  connect(&a, "alice", "c1");
  connect(&b, "bob", "c2");
  connect(&c, "carol", "c3");
  guard.disconnected(&bridge_key, 0);
  connect(&d, "dave", "c4");
  EXPECT_EQ(guard.authenticate(&e, "erin", "", "c5"), login::full);
  EXPECT_EQ(guard.authenticate(&bridge_key, "bridge", "secret", "b1"), login::accepted) << "a restart";
  EXPECT_EQ(guard.authenticate(&e, "operator", "", "o1"), login::accepted) << "who may use the server API";
}

TEST_F(guard_test, sessions_that_wait_for_their_client_get_nothing_of_rooms) {
  hello();
  connect(&a, "alice", "c1");
  control(2, "\ngrant alice c1 2 - den");
  guard.disconnected(&a, 0);
  EXPECT_FALSE(reads(&a, "alice", "c1", "den"));
  EXPECT_TRUE(guard.may_read(&a, "alice", "c1", "roombus/u/alice/c1/reply/1", now));
}

class guard_of_own_ids : public guard_test {
 protected:
  static guard_options own() {
    guard_options o = options(true);
    o.ids = client_ids::own;
    return o;
  }
  guard_of_own_ids() : strict(own(), "inc", *this, time, log) {
    EXPECT_EQ(strict.load_bridges(mosquitto::render_password("bridge", "secret", random)), "");
  }
  broker_guard strict;
};

TEST_F(guard_of_own_ids, nobody_keeps_a_client_id_of_another_user) {
  const auto logs_in = [this](const char* user, const char* client, const char* password = "") {
    const login outcome = strict.authenticate(&a, user, password, client, "10.0.0.1");
    strict.disconnected(&a, 0);
    return outcome;
  };
  EXPECT_EQ(guard.authenticate(&b, "mallory", "", "alice~phone"), login::accepted) << "by default who comes first";
  EXPECT_EQ(logs_in("mallory", "alice~phone"), login::bad_name);
  EXPECT_EQ(logs_in("mallory", "alice"), login::bad_name);
  EXPECT_EQ(logs_in("mallory", "phone"), login::bad_name);
  EXPECT_EQ(log.lines, strings(3, "wrong_client_id: from 10.0.0.1: not one of its user's own"));
  EXPECT_EQ(logs_in("alice", "alice~phone"), login::accepted);
  EXPECT_EQ(logs_in("alice", "alice"), login::accepted);
  EXPECT_EQ(logs_in("bridge", "whatever", "secret"), login::accepted) << "bridges choose theirs";
}

class guard_with_passwords : public guard_test {
 protected:
  guard_with_passwords() : guard_test(false) {
    EXPECT_EQ(guard.load_devices("# accounts\n" + mosquitto::render_password("alice", "wonder", random)), "");
  }
};

TEST_F(guard_with_passwords, logins) {
  EXPECT_EQ(guard.authenticate(&a, "alice", "wonder", "c1"), login::accepted);
  EXPECT_EQ(guard.authenticate(&b, "alice", "wrong", "c2"), login::bad_password);
  EXPECT_EQ(guard.authenticate(&b, "alice", "", "c2"), login::bad_password);
  EXPECT_EQ(guard.authenticate(&b, "nobody", "wonder", "c2"), login::bad_password);
  EXPECT_EQ(guard.authenticate(&b, "bridge", "wonder", "c2"), login::bad_password);
  EXPECT_EQ(guard.authenticate(&b, "", "", "c2"), login::bad_name);
  EXPECT_EQ(guard.authenticate(&b, "alice", "wonder", ""), login::bad_name);
  EXPECT_EQ(guard.authenticate(&b, "alice", "wonder", "a/b"), login::bad_name);
  EXPECT_EQ(guard.authenticate(&b, "a/b", "wonder", "c2"), login::bad_name);
}

TEST_F(guard_with_passwords, guesses_are_limited_by_address_and_told) {
  const auto tries = [this](const char* password, const char* from) {
    return guard.authenticate(&a, "alice", password, "c1", from);
  };
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(tries("guess", "10.0.0.1"), login::bad_password);
  EXPECT_EQ(tries("guess", "10.0.0.1"), login::busy);
  EXPECT_EQ(tries("wonder", "10.0.0.1"), login::busy) << "else it could still be guessed";
  EXPECT_EQ(guard.authenticate(&b, "nobody", "guess", "c2", "10.0.0.1"), login::busy) << "whatever the name";
  EXPECT_EQ(log.lines, (strings(10, "wrong_password: from 10.0.0.1")));
  EXPECT_EQ(tries("wonder", "10.0.0.2"), login::accepted);
  EXPECT_EQ(tries("wonder", "10.0.0.1"), login::accepted) << "asked again, as at a reload";
  guard.disconnected(&a, 0);
  time.advance(60'000);
  EXPECT_EQ(tries("wonder", "10.0.0.1"), login::accepted);
}

TEST_F(guard_with_passwords, guesses_at_a_bridges_password_are_limited_and_lock_no_bridge_out) {
  char next = 0;
  const auto tries = [&](const char* password, const char* from) {
    const login outcome = guard.authenticate(&next, "bridge", password, "b2", from);
    guard.disconnected(&next, 0);
    return outcome;
  };
  EXPECT_EQ(tries("secret", "10.0.0.9"), login::accepted) << "a bridge on another machine";
  for (const char* from : {"10.0.0.1", "10.0.0.9", "127.0.0.1"}) {
    for (int i = 0; i < 10; ++i)
      EXPECT_EQ(tries("guess", from), login::bad_password) << from;
    EXPECT_EQ(log.lines, (strings(10, std::string("wrong_bridge_password: from ") + from)));
    log.lines.clear();
  }
  EXPECT_EQ(tries("guess", "10.0.0.1"), login::busy);
  EXPECT_EQ(tries("secret", "10.0.0.1"), login::busy);
  EXPECT_EQ(tries("secret", "10.0.0.2"), login::accepted) << "another address";
  EXPECT_EQ(tries("secret", "10.0.0.9"), login::accepted) << "where it has come from before";
  EXPECT_EQ(tries("secret", "127.0.0.1"), login::accepted) << "the embedded broker, where all come from there";
  EXPECT_EQ(tries("guess", "127.0.0.1"), login::bad_password);
  EXPECT_EQ(log.lines, strings{}) << "a flood does not fill the log";
  EXPECT_EQ(guard.authenticate(&a, "alice", "wonder", "c1", "10.0.0.1"), login::accepted) << "devices count apart";
}

TEST_F(guard_with_passwords, a_file_with_a_fault_lets_nobody_in) {
  for (const char* text : {"alice", "alice:", "alice:plain", "alice:$7$0$AAAA$AAAA", "alice:$6$AAAA$AAAA", "a/b:x"}) {
    EXPECT_NE(guard.load_devices(text), "") << text;
    EXPECT_EQ(guard.authenticate(&a, "alice", "wonder", "c1"), login::bad_password);
  }
}

class guard_with_tokens : public guard_test {
 protected:
  guard_with_tokens() : guard_test(false), logins(options_of_logins(), {}, time, log) {
    EXPECT_EQ(logins.load(), "");
    EXPECT_EQ(guard.load_devices(mosquitto::render_password("alice", "wonder", random)), "");
    guard.use(logins);
    time.wall = wall;
  }

  static device_login_options options_of_logins() {
    device_login_options o;
    o.jwt.sources.secret = test::secret;
    o.jwt.rules.leeway_ms = 0;
    return o;
  }
  static std::string token(const std::string& user, std::int64_t seconds, const std::string& more = "") {
    return test::sign(test::hmac_key(), test::unsigned_token(R"({"alg":"HS256"})",
                                                             R"({"sub":")" + user + R"(","exp":)" +
                                                                 std::to_string(wall / 1000 + seconds) + more + "}"));
  }

  static constexpr std::int64_t wall = 1'700'000'000'000;
  device_logins logins;
};

TEST_F(guard_with_tokens, bridges_hear_what_a_login_is_limited_to) {
  hello();
  take();
  const std::string more = R"(,"roombus":{"join":["den","a b"]})";
  EXPECT_EQ(guard.authenticate(&a, "bob", token("bob", 60, more), "c1"), login::accepted);
  const std::string limits = " until=" + std::to_string(wall + 60'000) + ";join=den,a%20b";
  EXPECT_EQ(take(), strings{"events: connected inc 1 2 bob c1" + limits});
  EXPECT_EQ(guard.authenticate(&b, "alice", "wonder", "c2"), login::accepted);
  EXPECT_EQ(take(), strings{"events: connected inc 2 3 alice c2"});
  const std::string state = control(2, "\nhello");
  EXPECT_NE(state.find("\n2 bob c1" + limits), std::string::npos) << state;
  EXPECT_NE((state + "\n").find("\n3 alice c2\n"), std::string::npos) << state;
}

TEST_F(guard_with_tokens, a_login_that_ends_ends_the_connection) {
  EXPECT_EQ(guard.authenticate(&a, "bob", token("bob", 60), "c1"), login::accepted);
  EXPECT_EQ(guard.authenticate(&b, "carol", token("carol", 61), "c2"), login::accepted);
  EXPECT_EQ(guard.authenticate(&c, "alice", "wonder", "c3"), login::accepted);
  guard.tick(now, wall + 59'999);
  EXPECT_EQ(kicked, strings{});
  guard.tick(now, wall + 60'000);
  EXPECT_EQ(kicked, strings{"c1"});
  guard.tick(now, wall + 60'001);
  EXPECT_EQ(kicked, (strings{"c1", "c1"})) << "until it is gone";
  guard.disconnected(&a, 0);
  guard.tick(now, wall + 100'000);
  EXPECT_EQ(kicked, (strings{"c1", "c1", "c2"}));
}

TEST_F(guard_with_tokens, a_takeover_goes_by_the_new_token) {
  EXPECT_EQ(guard.authenticate(&a, "bob", token("bob", 60), "c1"), login::accepted);
  EXPECT_EQ(guard.authenticate(&b, "bob", token("bob", 600), "c1"), login::accepted);
  guard.tick(now, wall + 60'000);
  EXPECT_EQ(kicked, strings{}) << "the old one is about to end by itself";
  guard.disconnected(&a, -1);
  guard.tick(now, wall + 600'000);
  EXPECT_EQ(kicked, strings{"c1"});
}

TEST_F(guard_with_tokens, after_a_failed_takeover_the_old_token_counts_again) {
  EXPECT_EQ(guard.authenticate(&a, "bob", token("bob", 60), "c1"), login::accepted);
  EXPECT_EQ(guard.authenticate(&b, "bob", token("bob", 600), "c1"), login::accepted);
  guard.disconnected(&b, 1);
  guard.tick(now, wall + 60'000);
  EXPECT_EQ(kicked, strings{"c1"});
}

TEST_F(guard_with_tokens, a_key_that_comes_again_with_another_login_has_its_end) {
  EXPECT_EQ(guard.authenticate(&a, "bob", token("bob", 60), "c1"), login::accepted);
  EXPECT_EQ(guard.authenticate(&a, "carol", token("carol", 600), "c2"), login::accepted) << "its end was never told";
  guard.tick(now, wall + 60'000);
  EXPECT_EQ(kicked, strings{});
  guard.tick(now, wall + 600'000);
  EXPECT_EQ(kicked, strings{"c2"});
}

TEST_F(guard_with_tokens, no_token_makes_a_bridge_and_names_stay_narrow) {
  EXPECT_EQ(guard.authenticate(&a, "bridge", token("bridge", 60), "c1"), login::bad_password);
  EXPECT_EQ(guard.authenticate(&a, "a/b", token("a/b", 60), "c1"), login::bad_name);
  EXPECT_EQ(guard.authenticate(&a, "+", token("+", 60), "c1"), login::bad_name);
  EXPECT_EQ(guard.authenticate(&a, "bob", token("eve", 60), "c1"), login::bad_password);
  EXPECT_EQ(guard.authenticate(&a, "", token("bob", 60), "c1"), login::bad_name);
  EXPECT_EQ(guard.authenticate(&a, "alice", token("alice", 60), "c1"), login::accepted) << "account and token";
}

TEST_F(guard_with_tokens, limits_with_many_rooms_are_told_whole) {
  hello();
  std::string rooms;
  for (int i = 0; i < 300; ++i)
    rooms.append(i == 0 ? "" : ",").append("\"" + std::to_string(i) + std::string(10, ' ') + "\"");
  EXPECT_EQ(guard.authenticate(&a, "bob", token("bob", 60, R"(,"roombus":{"join":[)" + rooms + "]}"), "c1"),
            login::accepted);
  const std::string state = control(2, "\nhello");
  EXPECT_NE(state.find(";join=0%20"), std::string::npos);
  EXPECT_NE(state.find(",299%20"), std::string::npos);
}

TEST_F(guard_test, in_development_the_bridges_name_still_needs_its_password) {
  EXPECT_EQ(guard.authenticate(&a, "bridge", "", "c1"), login::bad_password);
}

/// A second bridge on a connection of its own, and what each wants: parts of the devices.
class shared_guard : public guard_test {
 protected:
  shared_guard() {
    hello();
    EXPECT_EQ(guard.authenticate(&other_key, "bridge", "secret", "b2"), login::accepted);
  }

  static std::string only(std::size_t part) {
    std::string out(64, '0');
    out[part / 4] = "1248"[part % 4];
    return out;
  }
  /// `who` says which parts it wants; it is a stranger to the plugin otherwise, which changes nothing.
  void serves(const void* who, const std::string& parts) {
    EXPECT_TRUE(guard.control(who, "roombus 1 x l - 1 1000\nserves " + parts, now));
  }
  [[nodiscard]] bool gets(const void* who, const std::string& to) const {
    return guard.may_read(who, "bridge", who == &bridge_key ? "b1" : "b2", to, now);
  }

  char other_key = 0;
  std::size_t part = topics::device_part("alice/c1");
  std::string topic = "roombus/u/alice/c1/";
};

TEST_F(shared_guard, a_request_reaches_the_bridge_that_serves_its_device_only) {
  serves(&bridge_key, only(part));
  EXPECT_TRUE(gets(&other_key, topic + "call/listOwnSockets/1")) << "it has not said what it wants";
  serves(&other_key, only((part + 1) % topics::device_parts));
  for (const char* what : {"call/listOwnSockets/1", "call/roomJoin", "send/den", "status"}) {
    EXPECT_TRUE(gets(&bridge_key, topic + what)) << what;
    EXPECT_FALSE(gets(&other_key, topic + what)) << what;
  }
  for (const char* all :
       {"roombus/bus/all", "roombus/u/alice/c1/reply/1", "roombus/u/alice/c1/callx", "roombus/u/alice",
        "roombus/admin/call/root/c/hasRoom/1", "other/u/alice/c1/status", "roombus/r/den/json/x"}) {
    EXPECT_TRUE(gets(&other_key, all)) << all;
  }
}

TEST_F(shared_guard, nobody_misses_what_nobody_serves) {
  const std::string none(64, '0');
  serves(&bridge_key, none);
  serves(&other_key, none);
  EXPECT_TRUE(gets(&bridge_key, topic + "status"));
  EXPECT_TRUE(gets(&other_key, topic + "status"));
  serves(&other_key, only(part));
  EXPECT_FALSE(gets(&bridge_key, topic + "status"));
  serves(&bridge_key, only(part));
  EXPECT_TRUE(gets(&bridge_key, topic + "status")) << "both while it changes hands";
  EXPECT_TRUE(gets(&other_key, topic + "status"));
  serves(&other_key, none);
  EXPECT_FALSE(gets(&other_key, topic + "status"));
}

TEST_F(shared_guard, what_a_bridge_wants_ends_with_its_connection) {
  const std::string none(64, '0');
  serves(&bridge_key, only(part));
  serves(&other_key, none);
  EXPECT_FALSE(gets(&other_key, topic + "status"));
  guard.disconnected(&bridge_key, 0);
  EXPECT_TRUE(gets(&other_key, topic + "status"));
  EXPECT_EQ(guard.authenticate(&bridge_key, "bridge", "secret", "b1"), login::accepted);
  serves(&other_key, only(part));
  EXPECT_TRUE(gets(&bridge_key, topic + "status")) << "a new connection has said nothing";
}

TEST_F(shared_guard, devices_and_unreadable_parts_say_nothing) {
  connect(&a, "alice", "c1");
  EXPECT_FALSE(guard.control(&a, "roombus 1 x l - 1 1000\nserves " + only(part), now));
  for (const std::string& bad :
       {std::string(63, '0'), std::string(65, '0'), std::string(63, '0') + "G", std::string(64, 'A')})
    EXPECT_FALSE(guard.control(&bridge_key, "roombus 1 x l - 1 1000\nserves " + bad, now)) << bad;
}

}  // namespace
}  // namespace roombus::plugin
