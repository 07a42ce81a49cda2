#include "adapters/auth/chain_authenticator.hpp"

#include <gtest/gtest.h>

namespace roombus::auth {
namespace {

struct fixed_authenticator final : authenticator {
  fixed_authenticator(result<login> a, int& count) : answer(std::move(a)), asked(count) {}
  task<result<login>> authenticate(connection_id, handshake) override {
    ++asked;
    co_return answer;
  }
  result<login> answer;
  int& asked;
};

result<login> as(const char* user) {
  login who;
  who.user = user_name(user);
  return who;
}

struct outcome {
  result<login> answer = chat_error(errc::no_login);
  std::vector<int> asked;
};

outcome ask(std::vector<result<login>> answers) {
  outcome out;
  out.asked.resize(answers.size());
  std::vector<std::unique_ptr<authenticator>> methods;
  for (std::size_t i = 0; i < answers.size(); ++i)
    methods.push_back(std::make_unique<fixed_authenticator>(answers[i], out.asked[i]));
  chain_authenticator chain(std::move(methods));
  out.answer = chain.authenticate(connection_id("c"), {}).take();
  return out;
}

const result<login> nothing = chat_error(errc::no_login);

TEST(chain_authenticator, the_first_who_finds_something_decides) {
  const auto out = ask({nothing, as("alice"), as("bob")});
  EXPECT_EQ(out.answer->user.str(), "alice");
  EXPECT_EQ(out.asked, (std::vector<int>{1, 1, 0}));
}

TEST(chain_authenticator, something_wrong_ends_it) {
  for (const auto code : {errc::not_allowed, errc::rate_limited, errc::unavailable}) {
    const auto out = ask({nothing, chat_error(code), as("bob")});
    EXPECT_EQ(out.answer.error().code(), code);
    EXPECT_EQ(out.asked, (std::vector<int>{1, 1, 0}));
  }
}

TEST(chain_authenticator, nothing_found_is_no_login) {
  EXPECT_EQ(ask({nothing, nothing}).answer.error().code(), errc::no_login);
  EXPECT_EQ(ask({}).answer.error().code(), errc::no_login);
}

}  // namespace
}  // namespace roombus::auth
