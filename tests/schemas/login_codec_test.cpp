#include "schemas/codec/login_codec.hpp"

#include <gtest/gtest.h>

#include <string>

namespace roombus::payload {
namespace {

std::optional<std::vector<room_name>> rooms(std::initializer_list<const char*> names) {
  std::vector<room_name> out;
  for (const char* name : names)
    out.emplace_back(name);
  return out;
}

login_limits limits(std::optional<std::vector<room_name>> join, std::optional<std::vector<room_name>> publish,
                    bool admin = false, std::optional<std::int64_t> until = std::nullopt) {
  login_limits out;
  out.rights.join = std::move(join);
  out.rights.publish = std::move(publish);
  out.rights.admin = admin;
  out.expires_at_ms = until;
  return out;
}

TEST(login_word, says_all_limits_without_blanks) {
  const std::pair<login_limits, const char*> cases[] = {
      {limits({}, {}), "-"},
      {limits({}, {}, true), "admin"},
      {limits({}, {}, false, 5), "until=5"},
      {limits(rooms({}), {}), "join="},
      {limits({}, rooms({"a"})), "publish=a"},
      {limits(rooms({"a", "b c", "=;,%\n"}), rooms({}), true, 7),
       "until=7;admin;join=a,b%20c,%3D%3B%2C%25%0A;publish="},
      {limits(rooms({"küche"}), {}), "join=k%C3%BCche"},
  };
  for (const auto& [given, word] : cases) {
    EXPECT_EQ(login_word(given), word);
    EXPECT_EQ(read_login_word(word), given) << word;
  }
  EXPECT_EQ(login_word(limits(rooms({"", "a", ""}), {})), "join=a");
}

TEST(login_word, in_any_other_form_is_not_understood) {
  for (const char* word : {"",
                           "x",
                           "joins=a",
                           "admin=",
                           "admin=1",
                           "admin;admin",
                           "until=",
                           "until=1x",
                           "until=1;until=2",
                           "join",
                           "join=%",
                           "join=%4",
                           "join=%41",
                           "join=%zz",
                           "join=%3d",
                           "join=a,",
                           "publish=a;join=b",
                           ";",
                           "-;admin",
                           "join=a b",
                           "ADMIN"}) {
    EXPECT_EQ(read_login_word(word), std::nullopt) << word;
  }
}

}  // namespace
}  // namespace roombus::payload
