#include "adapters/mosquitto/private_directory.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace roombus::mosquitto {
namespace {

namespace fs = std::filesystem;

class private_directory_test : public ::testing::Test {
 protected:
  private_directory_test() : parent("/tmp/roombus-private-XXXXXX") {
    EXPECT_NE(mkdtemp(parent.data()), nullptr);
    if (const char* before = std::getenv("TMPDIR")) tmpdir = before;
    setenv("TMPDIR", parent.c_str(), 1);
  }
  ~private_directory_test() override {
    if (tmpdir.empty()) {
      unsetenv("TMPDIR");
    } else {
      setenv("TMPDIR", tmpdir.c_str(), 1);
    }
    fs::remove_all(parent);
  }

  static std::string read(const std::string& path) {
    std::ostringstream all;
    all << std::ifstream(path).rdbuf();
    return all.str();
  }

  std::string parent;
  std::string tmpdir;
};

TEST_F(private_directory_test, files_are_for_the_owner_only_and_go_with_it) {
  std::string path;
  {
    const private_directory made("nobody");
    path = made.path();
    ASSERT_TRUE(path.starts_with(parent));
    EXPECT_TRUE(made.write("a", "one"));
    EXPECT_TRUE(made.write("a", "two"));
    EXPECT_EQ(read(made.file("a")), "two");
    EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all);
    EXPECT_EQ(fs::status(made.file("a")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_FALSE(fs::exists(made.file("a.new")));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(private_directory_test, links_that_the_account_put_there_are_not_followed) {
  const std::string victim = parent + "/victim";
  std::ofstream(victim) << "precious";
  const private_directory made("nobody");
  fs::create_symlink(victim, made.file("a.new"));
  fs::create_symlink(victim, made.file("a"));
  EXPECT_TRUE(made.write("a", "new"));
  EXPECT_EQ(read(made.file("a")), "new");
  EXPECT_FALSE(fs::is_symlink(made.file("a")));
  EXPECT_EQ(read(victim), "precious");
}

TEST_F(private_directory_test, what_a_killed_process_left_is_removed_by_the_next) {
  const private_directory living("nobody");
  const pid_t child = fork();
  if (child == 0) {
    const private_directory made("nobody");
    const bool written = made.write("secret", "s");
    _exit(written ? 0 : 1);  // without destructors, as if killed
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  const auto folders = [this] {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(parent))
      count += entry.is_directory() ? 1 : 0;
    return count;
  };
  fs::create_directory(parent + "/roombus-mosquitto-other");  // not made by us: no lock in it
  fs::create_directory_symlink(living.path(), parent + "/roombus-mosquitto-link");
  EXPECT_EQ(folders(), 4U);  // the link counts
  const private_directory next("nobody");
  EXPECT_EQ(folders(), 4U);
  EXPECT_TRUE(fs::exists(living.path()));
  EXPECT_TRUE(fs::exists(next.path()));
  EXPECT_TRUE(fs::exists(parent + "/roombus-mosquitto-other"));
}

}  // namespace
}  // namespace roombus::mosquitto
