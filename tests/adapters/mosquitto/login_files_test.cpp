// Copies of keys and passwords for the embedded broker.

#include "adapters/mosquitto/login_files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/support/fakes.hpp"

namespace roombus::mosquitto {
namespace {

class login_files_test : public ::testing::Test {
 protected:
  login_files_test() : folder("/tmp/roombus-login-files-XXXXXX") { EXPECT_NE(mkdtemp(folder.data()), nullptr); }
  ~login_files_test() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, const std::string& content) const {
    const std::string path = folder + "/" + name;
    std::ofstream(path + ".new", std::ios::binary) << content;
    std::filesystem::rename(path + ".new", path);
    return path;
  }
  login_files make(const std::string& path) {
    using kind = login_setting::kind;
    return {{{"jwt_audience", "one two"}, {"password_file", path, kind::file}},
            [this](const std::string& name, const std::string& content) {
              if (full) return false;
              copies[name] = content;
              return true;
            }};
  }

  std::string folder;
  std::map<std::string, std::string> copies;
  bool full = false;
  test::recording_log log;
};

TEST_F(login_files_test, options_name_the_copies) {
  login_files files = make(write("pw", "a"));
  EXPECT_EQ(files.write_all(), "");
  EXPECT_EQ(copies, (std::map<std::string, std::string>{{"password_file", "a"}}));
  EXPECT_EQ(files.options([](const std::string& name) { return "/private/" + name; }),
            "plugin_opt_jwt_audience one two\nplugin_opt_password_file /private/password_file\n");
}

TEST_F(login_files_test, copies_follow_the_originals) {
  const std::string path = write("pw", "a");
  login_files files = make(path);
  EXPECT_EQ(files.write_all(), "");
  copies.clear();
  files.refresh(false, log);
  EXPECT_TRUE(copies.empty()) << "unchanged";
  files.refresh(true, log);
  EXPECT_EQ(copies["password_file"], "a");
  write("pw", "b");
  files.refresh(false, log);
  EXPECT_EQ(copies["password_file"], "b");
  EXPECT_TRUE(log.lines.empty());
  std::filesystem::remove(path);
  files.refresh(false, log);
  EXPECT_EQ(copies["password_file"], "b") << "what cannot be read keeps its copy";
  EXPECT_EQ(log.lines.size(), 1U);
}

TEST_F(login_files_test, what_goes_wrong_at_the_start_is_told) {
  EXPECT_NE(make(folder + "/missing").write_all().find("missing"), std::string::npos);
  full = true;
  EXPECT_NE(make(write("pw", "a")).write_all().find("cannot write"), std::string::npos);
}

}  // namespace
}  // namespace roombus::mosquitto
