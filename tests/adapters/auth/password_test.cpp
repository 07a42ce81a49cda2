#include <gtest/gtest.h>

#include "adapters/auth/password_table.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::auth {
namespace {

TEST(password_hash, what_it_makes_it_knows) {
  test::fake_random random;
  for (const auto scheme : {password_scheme::argon2id, password_scheme::scrypt}) {
    const auto made = password_hash::make("pässword", scheme, random);
    ASSERT_TRUE(made);
    const auto read = password_hash::parse(made->str());
    ASSERT_TRUE(read) << made->str();
    EXPECT_EQ(read->str(), made->str());
    EXPECT_TRUE(read->matches("pässword"));
    for (const char* wrong : {"", "passw\xc3\xb6rd", "pässword ", "PÄSSWORD"})
      EXPECT_FALSE(read->matches(wrong)) << wrong;
    const auto again = password_hash::make("pässword", scheme, random);
    EXPECT_NE(again->str(), made->str()) << "the salt is new each time";
  }
}

TEST(password_hash, knows_hashes_of_others) {
  // made by Python's hashlib and by the argon2 program
  for (const char* text : {"$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$5eJHz+r0WlGIVtbszqsCUiq6CMxJnB1YJDpacs0jSZQ",
                           "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$lnizTRNgy0D3lJD4Xlm+A2aXibz3GSvOOHAXUwm1P0Y"}) {
    const auto read = password_hash::parse(text);
    ASSERT_TRUE(read) << text;
    EXPECT_TRUE(read->matches("correct horse")) << text;
    EXPECT_FALSE(read->matches("correct horsf")) << text;
  }
}

TEST(password_hash, refuses_other_forms_and_unbounded_costs) {
  const std::string tail = "$c2FsdHNhbHQ$AAECAwQFBgcICQoLDA0ODw";
  ASSERT_TRUE(password_hash::parse("$argon2id$v=19$m=64,t=1,p=1" + tail));
  ASSERT_TRUE(password_hash::parse("$scrypt$ln=4,r=8,p=1" + tail));
  for (const std::string& text : {std::string(),
                                  std::string("secret"),
                                  std::string("$1$salt$hash"),
                                  "$argon2i$v=19$m=64,t=1,p=1" + tail,
                                  "$argon2id$v=16$m=64,t=1,p=1" + tail,
                                  "$argon2id$m=64,t=1,p=1" + tail,
                                  "$argon2id$v=19$t=1,m=64,p=1" + tail,
                                  "$argon2id$v=19$m=9999999999,t=1,p=1" + tail,
                                  "$argon2id$v=19$m=262145,t=1,p=1" + tail,
                                  "$argon2id$v=19$m=64,t=17,p=1" + tail,
                                  "$argon2id$v=19$m=64,t=0,p=1" + tail,
                                  "$argon2id$v=19$m=064,t=1,p=1" + tail,
                                  "$argon2id$v=19$m=64,t=1,p=1,x=1" + tail,
                                  "$argon2id$v=19$m=4,t=1,p=1" + tail,
                                  "$scrypt$ln=21,r=8,p=1" + tail,
                                  "$scrypt$ln=64,r=8,p=1" + tail,
                                  "$scrypt$ln=4,r=8,p=17" + tail,
                                  "$scrypt$ln=4,r=8,p=1" + tail + "$",
                                  std::string("$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$"),
                                  std::string("$scrypt$ln=4,r=8,p=1$$AAECAwQFBgcICQoLDA0ODw"),
                                  "x$scrypt$ln=4,r=8,p=1" + tail,
                                  "$scrypt$ln=4,r=8,p=1" + tail + "==",
                                  "$scrypt$ln=4,r=8,p=1" + tail + " "}) {
    EXPECT_FALSE(password_hash::parse(text)) << text;
  }
}

TEST(password_table, reads_users_and_tells_where_it_is_wrong) {
  const std::string hash = "$scrypt$ln=4,r=8,p=1$c2FsdHNhbHQ$AAECAwQFBgcICQoLDA0ODw";
  password_table good;
  EXPECT_EQ(good.read("# users\n\nalice:" + hash + "\r\nb ö b:" + hash), "");
  EXPECT_EQ(good.size(), 2U);
  struct row {
    std::string text;
    const char* where;
  };
  for (const row& r :
       {row{"alice", "line 1"}, row{"\n:" + hash, "line 2"}, row{"alice:" + hash + "\nalice:" + hash, "line 2"},
        row{"alice:password", "line 1"}, row{"al{ice:" + hash, "line 1"}, row{"al\xffice:" + hash, "line 1"},
        row{"alice: " + hash, "line 1"}}) {
    password_table table;
    EXPECT_EQ(table.read(r.text).find(r.where), 0U) << r.text;
  }
}

TEST(password_table, verifies_known_users_only) {
  test::fake_random random;
  const auto hash = password_hash::make("right", password_scheme::scrypt, random);
  password_table table;
  ASSERT_EQ(table.read("alice:" + hash->str() + "\n"), "");
  EXPECT_TRUE(table.verify("alice", "right"));
  EXPECT_FALSE(table.verify("alice", "wrong"));
  EXPECT_FALSE(table.verify("mallory", "right")) << "is checked against alice's hash, in vain";
  EXPECT_FALSE(table.verify("Alice", "right"));
  EXPECT_FALSE(password_table().verify("alice", "right"));
}

}  // namespace
}  // namespace roombus::auth
