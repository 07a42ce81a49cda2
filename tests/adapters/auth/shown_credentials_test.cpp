#include "adapters/auth/shown_credentials.hpp"

#include <gtest/gtest.h>

#include "schemas/codec/base64.hpp"

namespace roombus::auth {
namespace {

handshake with_header(const std::string& text) {
  handshake h;
  h.headers.set("authorization", value(text));
  return h;
}

std::string basic(const std::string& pair) {
  std::string out = "Basic ";
  append_base64(out, pair);
  return out;
}

TEST(shown_credentials, tokens_come_from_auth_query_and_header_in_this_order) {
  handshake h = with_header("bEaReR  from-header");
  EXPECT_EQ(find_token(h).value, "from-header");
  h.query.set("token", value("from-query"));
  EXPECT_EQ(find_token(h).value, "from-query");
  h.auth = value(value_map{{"token", value("from-auth")}});
  EXPECT_EQ(find_token(h).value, "from-auth");
  h.auth = value(value_map{{"token", value("")}});
  EXPECT_EQ(find_token(h).value, "from-query") << "an empty text is nothing";
  h.auth = value(value_map{{"token", value(7)}});
  EXPECT_TRUE(find_token(h).present);
  EXPECT_FALSE(find_token(h).value) << "something else than a text is wrong, and hides nothing";
}

TEST(shown_credentials, without_a_token_there_is_none) {
  EXPECT_FALSE(find_token({}).present);
  for (const char* text : {"", "Bearer", "Bearer ", "Bearerx y", "Basic Zm9v", "x Bearer y"})
    EXPECT_FALSE(find_token(with_header(text)).present) << text;
}

TEST(shown_credentials, passwords_come_from_auth_and_header_never_from_the_query) {
  handshake h = with_header(basic("bob:from:header"));
  ASSERT_TRUE(find_password(h).value);
  EXPECT_EQ(find_password(h).value->user, "bob");
  EXPECT_EQ(find_password(h).value->password, "from:header");
  h.auth = value(value_map{{"user", value("alice")}, {"password", value("from-auth")}});
  EXPECT_EQ(find_password(h).value->user, "alice");
  h.auth = value(value_map{{"user", value("alice")}});
  EXPECT_EQ(find_password(h).value->user, "bob") << "a name alone is no password login";
  handshake query;
  query.query.set("user", value("alice"));
  query.query.set("password", value("secret"));
  EXPECT_FALSE(find_password(query).present);
}

TEST(shown_credentials, passwords_of_a_wrong_form_are_present_and_wrong) {
  std::vector<handshake> given{with_header("Basic !"), with_header("Basic Zm9v"), with_header(basic("a\xff:b"))};
  handshake h;
  h.auth = value(value_map{{"password", value("x")}});
  given.push_back(h);
  h.auth = value(value_map{{"user", value(7)}, {"password", value("x")}});
  given.push_back(h);
  h.auth = value(value_map{{"user", value("alice")}, {"password", value(7)}});
  given.push_back(h);
  for (const auto& shown : given) {
    EXPECT_TRUE(find_password(shown).present);
    EXPECT_FALSE(find_password(shown).value);
  }
}

}  // namespace
}  // namespace roombus::auth
