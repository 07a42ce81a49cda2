#include "bridge/server/admin_keys.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace roombus::server {
namespace {

/// A file that goes with the test.
class key_file {
 public:
  explicit key_file(const std::string& text) : name(::testing::TempDir() + "roombus-keys-" + std::to_string(++count_)) {
    std::ofstream(name, std::ios::binary) << text;
  }
  ~key_file() { std::remove(name.c_str()); }
  const std::string name;

 private:
  static inline int count_ = 0;
};

std::string problems(config::admin_section& admin) {
  std::string out;
  for (const admin_key_problem& p : read_admin_keys(admin))
    out += p.path + ": " + p.reason + "\n";
  return out;
}

TEST(admin_keys, keys_and_files_are_read_with_their_levels) {
  const key_file rooms("# two keys\nfirst\r\n\nsecond\n");
  config::admin_section admin;
  admin.key = "everything";
  admin.rooms_key_file = rooms.name;
  admin.read_key = "reader";
  EXPECT_EQ(problems(admin), "");
  EXPECT_EQ(admin.keys.size(), 4u);
  EXPECT_EQ(admin.keys.level_of("everything"), api_access::all);
  EXPECT_EQ(admin.keys.level_of("first"), api_access::rooms);
  EXPECT_EQ(admin.keys.level_of("second"), api_access::rooms);
  EXPECT_EQ(admin.keys.level_of("reader"), api_access::read);
  EXPECT_FALSE(admin.keys.level_of("# two keys"));
}

TEST(admin_keys, a_file_that_is_no_key_file_is_an_error) {
  const key_file empty("# nothing\n\n");
  const key_file wrong("good\nnot good\n");
  config::admin_section admin;
  admin.key_file = "/does/not/exist";
  admin.rooms_key_file = empty.name;
  admin.read_key_file = wrong.name;
  EXPECT_EQ(problems(admin),
            "admin.key_file: expected a readable file, got \"/does/not/exist\"\n"
            "admin.rooms_key_file: expected a key in " +
                empty.name +
                "\n"
                "admin.read_key_file: line 2 of " +
                wrong.name + " is no key: expected 1 to 256 printable ASCII characters without blanks\n");
}

TEST(admin_keys, development_gets_a_key_only_when_there_is_none) {
  config settings;
  EXPECT_FALSE(add_dev_key(settings, "made"));
  EXPECT_TRUE(settings.admin.keys.empty());
  settings.auth.dev = true;
  EXPECT_TRUE(add_dev_key(settings, "made"));
  EXPECT_EQ(settings.admin.keys.level_of("made"), api_access::all);
  EXPECT_FALSE(add_dev_key(settings, "other"));
  EXPECT_FALSE(settings.admin.keys.level_of("other"));
}

}  // namespace
}  // namespace roombus::server
