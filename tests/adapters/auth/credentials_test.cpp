#include "adapters/auth/credentials.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "adapters/auth/credential_authenticators.hpp"
#include "adapters/auth/password_hash.hpp"
#include "tests/adapters/auth/test_keys.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::auth {
namespace {

using namespace std::string_literals;

/// Time stands still, timers run by hand; what other threads post is waited for.
class waiting_scheduler final : public scheduler {
 public:
  timer_handle after(std::chrono::milliseconds delay, std::function<void()> fn) override {
    return timers.after(delay, std::move(fn));
  }
  void post(std::function<void()> fn) override {
    {
      const std::lock_guard guard(lock_);
      posted_.push_back(std::move(fn));
    }
    wake_.notify_one();
  }
  /// Runs the next posted function, waiting for it.
  void run_next() {
    std::unique_lock guard(lock_);
    ASSERT_TRUE(wake_.wait_for(guard, std::chrono::seconds(20), [&] { return !posted_.empty(); }));
    auto fn = std::move(posted_.front());
    posted_.erase(posted_.begin());
    guard.unlock();
    fn();
  }

  test::fake_scheduler timers;

 private:
  std::mutex lock_;
  std::condition_variable wake_;
  std::vector<std::function<void()>> posted_;
};

class credentials_test : public ::testing::Test {
 protected:
  credentials_test() : folder("/tmp/roombus-auth-XXXXXX") {
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    time.wall = 1'700'000'000'000;
  }
  ~credentials_test() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& content) {
    const std::string path = folder + "/" + name;
    const std::string fresh = path + ".new";
    std::ofstream(fresh, std::ios::binary) << content;
    std::filesystem::rename(fresh, path);  // another inode, so the change is seen whatever the clock
    return path;
  }
  static std::string hash_of(const std::string& password) {
    test::fake_random random;
    return password_hash::make(password, password_scheme::scrypt, random)->str();
  }

  credentials& make(credential_options options) {
    made = std::make_unique<credentials>(std::move(options), credentials::environment{time, timers, log, metrics});
    const std::string error = made->load();
    EXPECT_EQ(error, "");
    return *made;
  }
  result<login> password(const std::string& user, const std::string& with, const std::string& from = "10.0.0.1") {
    auto asked = made->check_password(user, with, from);
    while (!asked.done())
      timers.run_next();
    return asked.take();
  }
  result<login> token(const std::string& text) { return made->check_token(text, "10.0.0.1").take(); }
  static std::string token_with(const std::string& claims, const std::string& secret = test::secret) {
    return test::sign(test::hmac_key(secret), test::unsigned_token(R"({"alg":"HS256"})", claims));
  }

  std::string folder;
  test::fake_clock time;
  waiting_scheduler timers;
  test::recording_log log;
  metrics_registry metrics;
  std::unique_ptr<credentials> made;
};

credential_options with_secret() {
  credential_options options;
  options.jwt.sources.secret = test::secret;
  return options;
}

TEST_F(credentials_test, nothing_configured_finds_nothing) {
  make({});
  EXPECT_EQ(token("x").error().code(), errc::no_login);
  EXPECT_EQ(password("alice", "x").error().code(), errc::no_login);
}

TEST_F(credentials_test, a_token_tells_user_claims_rights_and_end) {
  make(with_secret());
  const auto who = token(token_with(
      R"({"sub":"alice","exp":1700000100,"team":"x","roombus":{"join":["a","b"],"publish":["a"],"admin":true}})"));
  ASSERT_TRUE(who);
  EXPECT_EQ(who->user.str(), "alice");
  EXPECT_EQ(*who->claims.find("team"), value("x"));
  EXPECT_EQ(who->rights.join, (std::vector{room_name("a"), room_name("b")}));
  EXPECT_EQ(who->rights.publish, std::vector{room_name("a")});
  EXPECT_TRUE(who->rights.admin);
  EXPECT_EQ(who->expires_at_ms, 1'700'000'130'000);
  EXPECT_EQ(*who->auth_data.find("expiresAt"), value(1'700'000'130'000));
}

TEST_F(credentials_test, wrong_tokens_and_names_are_not_allowed_and_never_logged) {
  make(with_secret());
  for (const std::string claims :
       {R"({"exp":1700000100})", R"({"sub":7,"exp":1700000100})", R"({"sub":"","exp":1700000100})",
        R"({"sub":"a:b","exp":1700000100})", R"({"sub":"a{b}","exp":1700000100})",
        R"({"sub":"a\u0000b","exp":1700000100})", R"({"sub":"a\nb","exp":1700000100})",
        R"({"sub":"a\u007fb","exp":1700000100})", R"({"sub":null,"exp":1700000100})",
        R"({"sub":["alice"],"exp":1700000100})", R"({"Sub":"alice","exp":1700000100})",
        R"({"sub":"alice","exp":1700000100,"roombus":{"joins":["a"]}})",
        R"({"sub":"alice","exp":1700000100,"roombus":{"join":"a"}})",
        R"({"sub":"alice","exp":1700000100,"roombus":{"publish":[1]}})",
        R"({"sub":"alice","exp":1700000100,"roombus":{"admin":"yes"}})",
        R"({"sub":"alice","exp":1700000100,"roombus":true})", R"({"sub":"alice","exp":1})"}) {
    EXPECT_EQ(token(token_with(claims)).error().code(), errc::not_allowed) << claims;
  }
  const std::string long_name = R"({"exp":1700000100,"sub":")" + std::string(257, 'x') + "\"}";
  EXPECT_EQ(token(token_with(long_name)).error().code(), errc::not_allowed);
  for (const auto& line : log.lines)
    EXPECT_EQ(line.find("eyJ"), std::string::npos) << line;
  EXPECT_NE(metrics.render().find("roombus_login_wrong_tokens_total 18"), std::string::npos) << metrics.render();
}

TEST_F(credentials_test, names_are_taken_byte_for_byte) {
  make(with_secret());
  for (const std::string name : {"Alice", "alice ", "ａlice", "аlice", "a\u0301lice", "al\u202eice", "\u200balice"}) {
    const auto who = token(token_with(R"({"exp":1700000100,"sub":")" + name + "\"}"));
    ASSERT_TRUE(who) << name;
    EXPECT_EQ(who->user.str(), name);
    EXPECT_NE(who->user.str(), "alice");
  }
  EXPECT_EQ(token(token_with(R"({"exp":1700000100,"sub":"\u0061lice"})"))->user.str(), "alice");
}

TEST_F(credentials_test, another_claim_can_name_the_user) {
  auto options = with_secret();
  options.jwt.user_claim = "preferred_username";
  make(std::move(options));
  EXPECT_EQ(token(token_with(R"({"sub":"7","preferred_username":"alice","exp":1700000100})"))->user.str(), "alice");
  EXPECT_FALSE(token(token_with(R"({"sub":"7","exp":1700000100})")));
}

TEST_F(credentials_test, keys_rotate_with_their_file_and_bad_files_change_nothing) {
  const auto jwks = [](const std::string& secret, const std::string& kid) {
    return R"({"keys":[{"kty":"oct","kid":")" + kid + R"(","k":")" + encode_base64url(secret) + "\"}]}";
  };
  const auto signed_by = [](const std::string& secret, const std::string& kid) {
    return test::sign(test::hmac_key(secret), test::unsigned_token(R"({"alg":"HS256","kid":")" + kid + "\"}",
                                                                   R"({"sub":"alice","exp":1700000100})"));
  };
  const std::string one(32, '1');
  const std::string two(32, '2');
  credential_options options;
  options.jwt.sources.jwks_file = write("jwks.json", jwks(one, "k1"));
  auto& c = make(std::move(options));
  EXPECT_TRUE(token(signed_by(one, "k1")));
  EXPECT_FALSE(token(signed_by(two, "k2")));

  write("jwks.json", jwks(two, "k2"));
  EXPECT_TRUE(token(signed_by(one, "k1"))) << "not looked at yet";
  timers.timers.advance(std::chrono::seconds(5));
  EXPECT_FALSE(token(signed_by(one, "k1")));
  EXPECT_TRUE(token(signed_by(two, "k2")));

  for (const std::string& bad : {""s, "{"s, R"({"keys":[]})"s, jwks("short", "k3")}) {
    write("jwks.json", bad);
    timers.timers.advance(std::chrono::seconds(5));
    EXPECT_TRUE(token(signed_by(two, "k2"))) << bad;
    EXPECT_EQ(log.lines.back().find("jwt_keys_kept"), 0U) << log.lines.back();
  }
  const auto lines = log.lines.size();
  timers.timers.advance(std::chrono::seconds(30));
  EXPECT_EQ(log.lines.size(), lines) << "a bad file is told once";
  std::filesystem::remove(folder + "/jwks.json");
  c.reload();
  EXPECT_TRUE(token(signed_by(two, "k2")));
  write("jwks.json", jwks(one, "k1"));
  c.reload();
  EXPECT_TRUE(token(signed_by(one, "k1")));
}

TEST_F(credentials_test, all_sources_add_up) {
  credential_options options;
  options.jwt.sources.secret = test::secret;
  options.jwt.sources.secret_file = write("secret", std::string(40, 's') + "\n");
  options.jwt.sources.public_key_file = write("rsa.pem", test::rsa().public_pem);
  make(std::move(options));
  const std::string claims = R"({"sub":"alice","exp":1700000100})";
  EXPECT_TRUE(token(token_with(claims)));
  EXPECT_TRUE(token(token_with(claims, std::string(40, 's'))));
  const auto rsa = *signing_key::from_pem(test::rsa().private_pem).key;
  EXPECT_TRUE(token(test::sign(rsa, test::unsigned_token(R"({"alg":"RS256"})", claims))));
}

TEST_F(credentials_test, bad_files_at_start_are_told) {
  const auto error_of = [&](credential_options options) {
    credentials c(std::move(options), credentials::environment{time, timers, log, metrics});
    return c.load();
  };
  credential_options options;
  options.jwt.sources.secret = "short";
  EXPECT_NE(error_of(options).find("auth.jwt.secret"), std::string::npos);
  options = {};
  options.jwt.sources.jwks_file = folder + "/missing";
  EXPECT_NE(error_of(options).find("missing"), std::string::npos);
  options = {};
  options.jwt.sources.public_key_file = write("private.pem", test::rsa().private_pem);
  EXPECT_NE(error_of(options).find("private"), std::string::npos);
  options = {};
  options.jwt.sources.secret_file = folder;
  EXPECT_NE(error_of(options), "") << "a folder";
  options = {};
  options.password.file = write("passwords", "alice:secret\n");
  EXPECT_NE(error_of(options).find("line 1"), std::string::npos);
}

class passwords_test : public credentials_test {
 protected:
  passwords_test() {
    options.password.file = write("passwords", "alice:" + hash_of("right") + "\n");
    options.password.max_failures = 3;
  }
  credential_options options;
};

TEST_F(passwords_test, right_wrong_and_unknown) {
  make(options);
  EXPECT_EQ(password("alice", "right")->user.str(), "alice");
  EXPECT_EQ(password("alice", "wrong").error().code(), errc::not_allowed);
  EXPECT_EQ(password("mallory", "right").error().code(), errc::not_allowed);
  EXPECT_FALSE(password("alice", "right")->expires_at_ms);
  for (const auto& line : log.lines) {
    for (const char* word : {"right", "alice", "mallory"})
      EXPECT_EQ(line.find(word), std::string::npos) << line;
  }
}

TEST_F(passwords_test, an_address_with_failures_is_limited_even_with_the_right_one) {
  make(options);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(password("alice", "wrong").error().code(), errc::not_allowed);
  EXPECT_EQ(password("alice", "right").error().code(), errc::rate_limited);
  EXPECT_EQ(password("mallory", "x").error().code(), errc::rate_limited);
  EXPECT_TRUE(password("alice", "right", "10.0.0.2"));
  time.advance(60'000);
  EXPECT_TRUE(password("alice", "right"));
}

TEST_F(passwords_test, names_and_passwords_that_cannot_be_are_failures_too) {
  make(options);
  EXPECT_EQ(password("alice", std::string(1025, 'x')).error().code(), errc::not_allowed);
  EXPECT_EQ(password("a:b", "x").error().code(), errc::not_allowed);
  EXPECT_EQ(password("", "x").error().code(), errc::not_allowed);
  EXPECT_EQ(password("alice", "right").error().code(), errc::rate_limited);
}

TEST_F(passwords_test, a_burst_cannot_overtake_the_count_of_failures) {
  options.password.workers = 1;
  make(options);
  std::vector<task<result<login>>> asked;
  for (int i = 0; i < 20; ++i)
    asked.push_back(made->check_password("alice", "wrong", "10.0.0.1"));
  std::size_t wrong = 0;
  for (auto& a : asked) {
    while (!a.done())
      timers.run_next();
    if (a.take().error().code() == errc::not_allowed) ++wrong;
  }
  EXPECT_EQ(wrong, 3U);
}

TEST_F(passwords_test, the_queue_is_bounded) {
  options.password.workers = 1;
  options.password.max_queue = 2;
  options.password.max_failures = 100;
  make(options);
  std::vector<task<result<login>>> asked;
  for (int i = 0; i < 20; ++i)
    asked.push_back(made->check_password("alice", "right", "10.0.0.1"));
  std::size_t limited = 0;
  for (auto& a : asked) {
    while (!a.done())
      timers.run_next();
    const auto answer = a.take();
    if (!answer) {
      EXPECT_EQ(answer.error().code(), errc::rate_limited);
      ++limited;
    }
  }
  EXPECT_GE(limited, 10U) << "one runs, two wait, and a check takes longer than twenty calls";
  EXPECT_LT(limited, 20U);
}

TEST_F(passwords_test, unknown_users_cost_what_known_ones_cost) {
  options.password.max_failures = 1'000;
  make(options);
  const auto cost = [&](const std::string& user) {
    std::vector<std::int64_t> all;
    for (int i = 0; i < 5; ++i) {
      const auto before = std::chrono::steady_clock::now();
      EXPECT_FALSE(password(user, "wrong"));
      all.push_back((std::chrono::steady_clock::now() - before) / std::chrono::microseconds(1));
    }
    return *std::min_element(all.begin(), all.end());
  };
  const auto known = cost("alice");
  const auto unknown = cost("mallory");
  EXPECT_GT(unknown, known / 3) << known;
  EXPECT_LT(unknown, known * 3) << known;
}

TEST_F(passwords_test, the_file_is_read_again_and_a_bad_one_changes_nothing) {
  options.password.max_failures = 100;
  make(options);
  write("passwords", "bob:" + hash_of("other") + "\n");
  timers.timers.advance(std::chrono::seconds(5));
  EXPECT_FALSE(password("alice", "right"));
  EXPECT_TRUE(password("bob", "other"));
  write("passwords", "nonsense\n");
  made->reload();
  EXPECT_TRUE(password("bob", "other"));
  EXPECT_EQ(log.lines.back().find("passwords_kept"), 0U);
}

TEST_F(passwords_test, authenticators_ask_for_what_was_shown) {
  options.jwt.sources.secret = test::secret;
  make(options);
  token_authenticator by_token(*made);
  password_authenticator by_password(*made);
  const auto ask = [&](authenticator& a, handshake shown) {
    auto asked = a.authenticate(connection_id("c"), std::move(shown));
    while (!asked.done())
      timers.run_next();
    return asked.take();
  };
  handshake shown;
  EXPECT_EQ(ask(by_token, shown).error().code(), errc::no_login);
  EXPECT_EQ(ask(by_password, shown).error().code(), errc::no_login);
  shown.auth = value(value_map{{"token", value(token_with(R"({"sub":"alice","exp":1700000100})"))}});
  EXPECT_TRUE(ask(by_token, shown));
  EXPECT_EQ(ask(by_password, shown).error().code(), errc::no_login);
  shown.auth = value(value_map{{"token", value("x")}});
  EXPECT_EQ(ask(by_token, shown).error().code(), errc::not_allowed);
  shown.auth = value(value_map{{"user", value("alice")}, {"password", value("right")}});
  EXPECT_EQ(ask(by_token, shown).error().code(), errc::no_login);
  EXPECT_TRUE(ask(by_password, shown));
}

}  // namespace
}  // namespace roombus::auth
