#include "adapters/auth/dev_authenticator.hpp"

#include <gtest/gtest.h>

#include "adapters/auth/reject_all_authenticator.hpp"
#include "tests/support/fakes.hpp"

namespace roombus {
namespace {

struct dev_case {
  const char* name;
  value_map query;
  value auth;
  const char* address;
  const char* outcome;  // user name, or the code of the error
};
const std::vector<dev_case> cases = {
    {"query_user", {{"user", value("alice")}}, value(), "127.0.0.1", "alice"},
    {"query_user_name", {{"userName", value("alice")}}, value(), "::1", "alice"},
    {"auth_user", {}, value(value_map{{"user", value("alice")}}), "127.8.9.1", "alice"},
    {"mapped_loopback", {{"user", value("alice")}}, value(), "::ffff:127.0.0.1", "alice"},
    {"query_wins", {{"user", value("alice")}}, value(value_map{{"user", value("bob")}}), "127.0.0.1", "alice"},
    {"no_name", {}, value(), "127.0.0.1", "noLogin"},
    {"empty_name", {{"user", value("")}}, value(), "127.0.0.1", "noLogin"},
    {"name_is_no_text", {}, value(value_map{{"user", value(1)}}), "127.0.0.1", "noLogin"},
    {"from_outside", {{"user", value("alice")}}, value(), "10.0.0.1", "notAllowed"},
    {"no_address", {{"user", value("alice")}}, value(), "", "notAllowed"},
    {"looks_like_loopback", {{"user", value("alice")}}, value(), "127.evil.example", "notAllowed"},
};

TEST(dev_authenticator, believes_names_from_the_loopback) {
  test::recording_log log;
  dev_authenticator auth(network_list::loopback(), log);
  EXPECT_EQ(log.lines.size(), 1U);
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    handshake shown;
    shown.query = c.query;
    shown.auth = c.auth;
    shown.address = c.address;
    auto done = auth.authenticate(connection_id("x"), std::move(shown));
    const auto who = done.take();
    EXPECT_EQ(who ? who->user.str() : std::string(who.error().code_name()), c.outcome);
  }
}

TEST(dev_authenticator, refuses_pages_of_other_sites) {
  test::recording_log log;
  dev_authenticator auth(network_list::loopback(), log);
  const std::pair<const char*, const char*> pages[] = {{"http://localhost:3000", "alice"},
                                                       {"http://127.0.0.1:8000", "alice"},
                                                       {"http://[::1]:8000", "alice"},
                                                       {"https://chat.lan:8443", "alice"},
                                                       {"http://evil.example", "notAllowed"},
                                                       {"http://localhost.evil.example", "notAllowed"},
                                                       {"null", "notAllowed"}};
  for (const auto& [origin, outcome] : pages) {
    handshake shown;
    shown.query.set("user", value("alice"));
    shown.headers = {{"host", value("chat.lan:8000")}, {"origin", value(origin)}};
    shown.address = "127.0.0.1";
    auto done = auth.authenticate(connection_id("x"), std::move(shown));
    const auto who = done.take();
    EXPECT_EQ(who ? who->user.str() : std::string(who.error().code_name()), outcome) << origin;
  }
}

TEST(reject_all_authenticator, lets_nobody_in) {
  reject_all_authenticator auth;
  handshake shown;
  shown.query.set("user", value("alice"));
  shown.address = "127.0.0.1";
  auto done = auth.authenticate(connection_id("x"), std::move(shown));
  EXPECT_EQ(done.take().error().code(), errc::no_login);
}

}  // namespace
}  // namespace roombus
