// Files that cannot be used: the start fails and says why.

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "adapters/sqlite/database.hpp"
#include "tests/adapters/sqlite/sqlite_driver.hpp"

namespace roombus::test {

namespace {

using ::testing::Test;

class sqlite_start : public Test {
 protected:
  std::string open_error(const std::string& path) {
    sqlite_options options;
    options.path = path;
    options.lock_wait_ms = 0;
    return open_sqlite_store(options, time, turns, log, metrics).error;
  }
  /// The text between the quoted path and the end.
  std::string reason(const std::string& path) {
    const std::string error = open_error(path);
    const std::string head = "store.path: \"" + path + "\": ";
    EXPECT_EQ(error.substr(0, head.size()), head);
    return error.substr(std::min(error.size(), head.size()));
  }
  /// A good file with one room.
  std::string make_file() {
    sqlite_driver made;
    store_operations_on on(made);
    EXPECT_EQ(on.add_room("den"), "ok");
    made.close();
    const std::string path = folder.file("rooms.db");
    std::filesystem::copy_file(made.options.path, path);
    return path;
  }
  struct store_operations_on final : store_operations {
    explicit store_operations_on(sqlite_driver& d) : driver(d) {}
    store& data() override { return driver.data(); }
    bool run_until(const std::function<bool()>& done) override { return driver.run_until(done); }
    sqlite_driver& driver;
  };

  temp_folder folder;
  fake_clock time;
  posting_scheduler turns;
  log_collector log;
  metrics_registry metrics;
};

TEST_F(sqlite_start, a_missing_directory) {
  EXPECT_EQ(reason(folder.file("none/rooms.db")), "the directory " + folder.file("none") + " does not exist");
  EXPECT_FALSE(std::filesystem::exists(folder.file("none")));
}

TEST_F(sqlite_start, a_directory_instead_of_a_file) {
  EXPECT_EQ(reason(folder.path().string()), "is a directory");
  std::ofstream(folder.file("plain")) << "x";
  EXPECT_EQ(reason(folder.file("plain") + "/rooms.db"), folder.file("plain") + " is not a directory");
}

TEST_F(sqlite_start, no_name) {
  EXPECT_EQ(open_error(""), "store.path: \"\": expected a file name");
}

TEST_F(sqlite_start, a_file_that_is_no_database) {
  std::ofstream(folder.file("notes.txt")) << std::string(5000, 'x');
  EXPECT_EQ(reason(folder.file("notes.txt")), "is not a database of roombus");
}

TEST_F(sqlite_start, a_database_of_another_program) {
  {
    sqlite::database other(folder.file("other.db"));
    other.run("CREATE TABLE notes(text)");
  }
  EXPECT_EQ(reason(folder.file("other.db")), "is a database of another program");
}

TEST_F(sqlite_start, a_file_of_a_newer_version) {
  const std::string path = make_file();
  {
    sqlite::database file(path);
    file.run("PRAGMA user_version = 99");
  }
  EXPECT_EQ(reason(path), "was written by a newer version of roombus (schema 99; this one knows up to 1)");
}

TEST_F(sqlite_start, a_damaged_file) {
  sqlite_driver made;
  store_operations_on on(made);
  ASSERT_EQ(on.add_room("den"), "ok");
  on.append_many("den", 1, 500);
  made.close();
  {
    std::fstream file(made.options.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8192);
    file << std::string(16384, '\x5a');
  }
  const std::string why = made.open();
  EXPECT_NE(why.find("is damaged: "), std::string::npos) << why;
}

TEST_F(sqlite_start, a_file_cut_short) {
  sqlite_driver made;
  store_operations_on on(made);
  ASSERT_EQ(on.add_room("den"), "ok");
  on.append_many("den", 1, 500);
  made.close();
  std::filesystem::resize_file(made.options.path, std::filesystem::file_size(made.options.path) / 2);
  const std::string why = made.open();
  EXPECT_NE(why.find("is damaged: "), std::string::npos) << why;
}

TEST_F(sqlite_start, a_file_in_use) {
  sqlite_driver user;
  EXPECT_EQ(reason(user.options.path), "is locked by another process; only one roombus can use a file");
  user.close();
  EXPECT_EQ(open_error(user.options.path), "");
}

// Runs `body` in a process of its own and answers what it wrote.
std::string in_child(const std::function<std::string()>& body) {
  int ends[2];
  if (::pipe(ends) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    const std::string text = body();
    const auto written = ::write(ends[1], text.data(), text.size());
    ::_exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::string out;
  char buffer[512];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<std::size_t>(n));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  return out;
}

TEST_F(sqlite_start, a_file_in_use_by_another_process) {
  sqlite_driver user;
  EXPECT_EQ(in_child([&] { return reason(user.options.path); }),
            "is locked by another process; only one roombus can use a file");
}

TEST_F(sqlite_start, a_read_only_file_or_directory) {
  const std::string path = make_file();
  ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0555), 0);
  const auto as_nobody = [&](const std::string& file) {
    // the rights of files mean nothing to root
    return in_child([&] {
      if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) return std::string("cannot be nobody");
      return reason(file);
    });
  };
  EXPECT_EQ(as_nobody(path), "is read-only (Permission denied)");
  const std::string no_place = "the directory " + folder.path().string() +
                               " is read-only (Permission denied); more files belong beside this one";
  EXPECT_EQ(as_nobody(folder.file("new.db")), no_place);
  ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
  EXPECT_EQ(as_nobody(path), no_place);
  ASSERT_EQ(::chmod(path.c_str(), 0222), 0);
  EXPECT_EQ(as_nobody(path), "cannot be read (Permission denied)");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
}

TEST_F(sqlite_start, only_the_owner_can_read_the_file) {
  sqlite_driver made;
  struct stat info {};
  ASSERT_EQ(::stat(made.options.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

}  // namespace

}  // namespace roombus::test
