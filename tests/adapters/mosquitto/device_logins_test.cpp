// Tokens and passwords inside the broker: the same verdicts as for browsers, what is remembered, and what it may cost.

#include "adapters/mosquitto/plugin/device_logins.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "adapters/auth/password_hash.hpp"
#include "schemas/codec/json.hpp"
#include "tests/adapters/auth/test_keys.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::plugin {
namespace {

using outcome = device_login::outcome;

/// Each look at it takes some time.
class slow_clock final : public clock {
 public:
  [[nodiscard]] std::int64_t now_ms() const override { return wall; }
  [[nodiscard]] std::int64_t steady_ms() const override { return steady += step; }
  std::int64_t wall = 1'700'000'000'000;
  mutable std::int64_t steady = 0;
  std::int64_t step = 0;
};

class device_logins_test : public ::testing::Test {
 protected:
  device_logins_test() : folder("/tmp/roombus-devices-XXXXXX") { EXPECT_NE(mkdtemp(folder.data()), nullptr); }
  ~device_logins_test() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& content) {
    const std::string path = folder + "/" + name;
    const std::string fresh = path + ".new";
    std::ofstream(fresh, std::ios::binary) << content;
    std::filesystem::rename(fresh, path);
    return path;
  }
  /// A line of a password file, as cheap as it may be.
  std::string line(const std::string& user, const std::string& password,
                   auth::password_scheme scheme = auth::password_scheme::scrypt) {
    return user + ":" + auth::password_hash::make(password, scheme, random)->str() + "\n";
  }

  device_logins& make(device_login_options options) {
    made = std::make_unique<device_logins>(std::move(options), secret_key{1, 2, 3}, time, log);
    EXPECT_EQ(made->load(), "");
    return *made;
  }
  device_logins& with_passwords(const std::string& content, std::size_t remembered = 10) {
    device_login_options options;
    options.password_file = write("passwords", content);
    options.max_failures = 3;
    options.remembered_passwords = remembered;
    return make(std::move(options));
  }
  device_logins& with_secret() {
    device_login_options options;
    options.jwt.sources.secret = test::secret;
    return make(std::move(options));
  }
  [[nodiscard]] std::string token(const std::string& claims, const std::string& header = R"({"alg":"HS256"})") const {
    const std::string exp = R"("exp":)" + std::to_string(time.wall / 1000 + 60);
    return test::sign(test::hmac_key(), test::unsigned_token(header, "{" + exp + "," + claims + "}"));
  }
  outcome check(const std::string& user, const std::string& password, const std::string& from = "10.0.0.1") {
    return made->check(user, password, from).what;
  }

  std::string folder;
  test::fake_random random;
  slow_clock time;
  test::recording_log log;
  std::unique_ptr<device_logins> made;
};

TEST_F(device_logins_test, passwords_of_both_schemes) {
  with_passwords(line("ann", "right") + line("bob", "other", auth::password_scheme::argon2id));
  EXPECT_EQ(check("ann", "right"), outcome::accepted);
  EXPECT_EQ(check("bob", "other"), outcome::accepted);
  EXPECT_EQ(check("ann", "other", "10.0.1.1"), outcome::wrong);
  EXPECT_EQ(check("Ann", "right", "10.0.1.1"), outcome::wrong);
  EXPECT_EQ(check("eve", "right", "10.0.1.2"), outcome::wrong);
  EXPECT_EQ(check("ann", "", "10.0.1.2"), outcome::wrong);
  EXPECT_EQ(check("ann", std::string(1025, 'x'), "10.0.1.3"), outcome::wrong);
}

TEST_F(device_logins_test, nothing_configured_is_unknown) {
  device_login_options none;
  EXPECT_FALSE(none.configured());
  make(none);
  EXPECT_EQ(check("ann", "right"), outcome::unknown);
  EXPECT_EQ(check("ann", token(R"("sub":"ann")")), outcome::unknown);
}

TEST_F(device_logins_test, a_token_is_of_the_user_who_shows_it) {
  with_secret();
  EXPECT_EQ(check("ann", token(R"("sub":"ann")")), outcome::accepted);
  EXPECT_EQ(check("bob", token(R"("sub":"ann")")), outcome::wrong);
  EXPECT_EQ(check("Ann", token(R"("sub":"ann")")), outcome::wrong);
  EXPECT_EQ(check("ann", "no token"), outcome::unknown);
  EXPECT_EQ(check("ann", ""), outcome::unknown);
  EXPECT_EQ(check("ann", token(R"("sub":"ann")") + "x"), outcome::wrong);
  EXPECT_EQ(check("ann", test::unsigned_token(R"({"alg":"none"})", R"({"sub":"ann","exp":9999999999})") + "."),
            outcome::wrong);
}

TEST_F(device_logins_test, a_token_limits_the_login) {
  with_secret();
  const device_login found =
      made->check("ann", token(R"("sub":"ann","roombus":{"join":["a"],"publish":[],"admin":true})"), "");
  ASSERT_EQ(found.what, outcome::accepted);
  EXPECT_EQ(payload::login_word(found.limits),
            "until=" + std::to_string(time.wall + 60'000 + 30'000) + ";admin;join=a;publish=");
  EXPECT_EQ(check("ann", token(R"("sub":"ann","roombus":{"joins":["a"]})")), outcome::wrong);
}

TEST_F(device_logins_test, a_token_ends) {
  with_secret();
  const std::string given = token(R"("sub":"ann")");
  time.wall += 89'999;
  EXPECT_EQ(check("ann", given), outcome::accepted);
  time.wall += 1;
  EXPECT_EQ(check("ann", given), outcome::wrong);
}

TEST_F(device_logins_test, a_wrong_token_is_not_tried_as_a_password) {
  device_login_options options;
  options.jwt.sources.secret = test::secret;
  const std::string password = "eyJust.a.password";
  options.password_file = write("passwords", line("ann", password) + line("bob", "right"));
  make(std::move(options));
  EXPECT_EQ(check("ann", password), outcome::wrong);
  EXPECT_EQ(check("bob", "right"), outcome::accepted);
}

TEST_F(device_logins_test, a_right_password_is_remembered_and_nothing_else) {
  with_passwords(line("ann", "right") + line("bob", "other"));
  EXPECT_EQ(check("ann", "right"), outcome::accepted);
  time.step = 2'000;  // a check would use up the allowance: the next one is not made
  EXPECT_EQ(check("bob", "other"), outcome::accepted);
  time.step = 0;
  EXPECT_EQ(check("ann", "right"), outcome::accepted) << "costs nothing";
  EXPECT_EQ(check("bob", "other"), outcome::accepted);
  EXPECT_EQ(check("ann", "wrong"), outcome::busy) << "would have to be checked";
  EXPECT_EQ(check("bob", "right"), outcome::busy);
}

TEST_F(device_logins_test, without_remembering_each_login_is_checked) {
  with_passwords(line("ann", "right"), 0);
  EXPECT_EQ(check("ann", "right"), outcome::accepted);
  time.step = 2'000;
  EXPECT_EQ(check("ann", "right"), outcome::accepted);
  time.step = 0;
  EXPECT_EQ(check("ann", "right"), outcome::busy);
}

TEST_F(device_logins_test, half_of_the_time_goes_into_passwords_at_most) {
  with_passwords(line("ann", "right"), 0);
  time.step = 2'000;
  EXPECT_EQ(check("ann", "right"), outcome::accepted);
  time.step = 0;
  time.steady += 1'990;
  EXPECT_EQ(check("ann", "right"), outcome::busy);
  time.steady += 20;
  EXPECT_EQ(check("ann", "right"), outcome::accepted);
}

TEST_F(device_logins_test, an_allowance_grows_back_however_often_somebody_asks) {
  with_passwords(line("ann", "right"), 0);
  time.step = 2'000;
  EXPECT_EQ(check("ann", "right"), outcome::accepted);
  time.step = 1;
  int asked = 1;
  while (check("ann", "right") == outcome::busy && asked < 5'000)
    ++asked;
  EXPECT_LT(asked, 2'010);
  EXPECT_GT(asked, 900);
}

TEST_F(device_logins_test, failures_of_others_end_no_connection) {
  with_passwords(line("ann", "right"));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(check("ann", "guess"), outcome::wrong);
  EXPECT_EQ(check("ann", "right"), outcome::busy);
  EXPECT_EQ(made->check("ann", "right", "10.0.0.1", true).what, outcome::accepted) << "the broker asks again";
}

TEST_F(device_logins_test, failures_of_an_address_are_limited_also_for_what_is_remembered) {
  with_passwords(line("ann", "right"));
  EXPECT_EQ(check("ann", "right"), outcome::accepted);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(check("ann", "wrong"), outcome::wrong);
  EXPECT_EQ(check("ann", "wrong"), outcome::busy);
  EXPECT_EQ(check("ann", "right"), outcome::busy) << "or the answer would tell";
  EXPECT_EQ(check("ann", "right", "10.0.0.2"), outcome::accepted);
  time.steady += 60'000;
  EXPECT_EQ(check("ann", "right"), outcome::accepted);
}

TEST_F(device_logins_test, a_changed_file_holds_at_the_next_look_for_the_remembered_too) {
  with_passwords(line("ann", "right") + line("bob", "other"));
  EXPECT_EQ(check("ann", "right"), outcome::accepted);
  EXPECT_EQ(check("bob", "other"), outcome::accepted);
  made->tick();  // the first look
  write("passwords", line("ann", "new"));
  time.steady += 4'999;
  made->tick();
  EXPECT_EQ(check("bob", "other"), outcome::accepted);
  time.steady += 1;
  made->tick();
  EXPECT_EQ(check("ann", "right", "10.0.1.1"), outcome::wrong);
  EXPECT_EQ(check("bob", "other", "10.0.1.1"), outcome::wrong);
  EXPECT_EQ(check("ann", "new"), outcome::accepted);
  write("passwords", "ann:plain\n");
  made->reload();
  EXPECT_EQ(check("ann", "new"), outcome::accepted) << "a bad file changes nothing";
}

TEST_F(device_logins_test, what_is_remembered_is_bounded) {
  with_passwords(line("ann", "right") + line("bob", "other"), 1);
  EXPECT_EQ(check("ann", "right"), outcome::accepted);
  EXPECT_EQ(check("bob", "other"), outcome::accepted);
  time.step = 2'000;
  EXPECT_EQ(check("ann", "right"), outcome::accepted) << "checked again";
  time.step = 0;
  EXPECT_EQ(check("bob", "other"), outcome::busy) << "ann took its place";
}

TEST_F(device_logins_test, bad_files_are_told_at_the_start) {
  device_login_options options;
  options.password_file = folder + "/missing";
  EXPECT_NE(device_logins(options, {}, time, log).load().find("missing"), std::string::npos);
  options.password_file = write("passwords", "ann:plain\n");
  EXPECT_NE(device_logins(options, {}, time, log).load().find("line 1"), std::string::npos);
  device_login_options keys;
  keys.jwt.sources.jwks_file = write("jwks", "{");
  EXPECT_NE(device_logins(keys, {}, time, log).load(), "");
}

}  // namespace
}  // namespace roombus::plugin
