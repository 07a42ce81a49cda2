// A full disk, a failing disk, a process that is killed: nothing acked is lost.

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <deque>
#include <map>
#include <random>
#include <sstream>

#include "core/ports/store_condition.hpp"
#include "tests/adapters/sqlite/sqlite_driver.hpp"

namespace roombus::test {

namespace {

class sqlite_faults : public sqlite_test {
 protected:
  /// Ids of all kept messages of a room, oldest first.
  std::vector<std::uint64_t> ids(const std::string& room) {
    std::vector<std::uint64_t> out;
    for (std::uint64_t reader = 0;;) {
      auto page = run(data().read_history(room_name(room), as(""), after(reader, 500)));
      if (!page || page->messages.empty()) return out;
      for (auto it = page->messages.rbegin(); it != page->messages.rend(); ++it) {
        const value decoded = cbor::materialize(*it);
        out.push_back(*decoded.if_map()->find("id")->floor_to_uint());
      }
      reader = out.back();
    }
  }
  static std::vector<std::uint64_t> up_to(std::uint64_t last) {
    std::vector<std::uint64_t> out;
    for (std::uint64_t id = 1; id <= last; ++id)
      out.push_back(id);
    return out;
  }
  /// Names that are long on purpose.
  static std::vector<std::string> names_of_bytes(int count, std::size_t bytes) {
    std::vector<std::string> out;
    for (int i = 0; i < count; ++i)
      out.push_back(std::to_string(i) + std::string(bytes, 'n'));
    return out;
  }
  std::string append_big() { return append("den", "", std::string(20000, 'x')); }
};

TEST_F(sqlite_faults, a_full_disk_refuses_changes_keeps_what_was_acked_and_goes_on_when_there_is_room) {
  sqlite_options small;
  small.max_file_bytes = 1024 * 1024;
  driver = std::make_unique<sqlite_driver>(small);
  room_settings settings;
  settings.owner = user_name("olga");
  ASSERT_EQ(add_room("den", settings), "ok");
  ASSERT_EQ(add_room("filler"), "ok");
  enter("den", "mia", "m");
  connect("olga", "o");
  for (int i = 0; i < 10; ++i)
    ASSERT_NE(append("filler", "", std::string(20000, 'y')), "unavailable[]");
  std::uint64_t acked = 0;
  std::string answer;
  while ((answer = append_big()) != "unavailable[]") {
    ASSERT_EQ(answer, std::to_string(++acked));
    ASSERT_LT(acked, 1000u);
  }
  EXPECT_GT(acked, 10u);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(append_big(), "unavailable[]");
  EXPECT_EQ(edit("den", "", "blacklist", true, names_of_bytes(60, 5000), 100), "unavailable[]");
  EXPECT_EQ(list("den", "blacklist"), "[]");
  EXPECT_EQ(list("den", "userlist"), R"(["mia"])");
  EXPECT_EQ(ids("den"), up_to(acked));
  EXPECT_NE(driver->log.text().find("store_write_failed"), std::string::npos);
  // leaving never fails
  ASSERT_TRUE(leave("den", "mia", "m", 4444).has_value());
  EXPECT_EQ(read("den", "", room_field::user_seen, "mia"), R"({"joined":false,"timestamp":4444})");

  ASSERT_TRUE(run(data().remove_room(room_name("filler"), as(""))).has_value());
  EXPECT_EQ(append_big(), std::to_string(acked + 1));
  EXPECT_NE(driver->log.text().find("store_write_recovered"), std::string::npos);
  ASSERT_EQ(driver->reopen(), "");
  EXPECT_EQ(ids("den"), up_to(acked + 1));
  EXPECT_EQ(read("den", "", room_field::user_seen, "mia"), R"({"joined":false,"timestamp":4444})");
}

// Writes beyond a size fail, as long as it lives.
class file_size_limit {
 public:
  explicit file_size_limit(rlim_t bytes) {
    former_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &former_);
    rlimit now = former_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  file_size_limit(const file_size_limit&) = delete;
  file_size_limit& operator=(const file_size_limit&) = delete;
  ~file_size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &former_);
    std::signal(SIGXFSZ, former_handler_);
  }

 private:
  rlimit former_{};
  void (*former_handler_)(int) = nullptr;
};

TEST_F(sqlite_faults, a_failing_disk_fails_a_whole_batch_and_gives_its_ids_back) {
  ASSERT_EQ(add_room("den"), "ok");
  ASSERT_EQ(add_room("other"), "ok");
  append_many("den", 1, 3);
  const value_map message = body(std::string(5000, 'x'));
  append_options with("key");
  const append_options plain;
  {
    const file_size_limit limit(1);
    std::deque<task<result<appended>>> pending;
    pending.push_back(data().append(append_of("den", "", message, with)));
    for (int i = 0; i < 100; ++i)
      pending.push_back(data().append(append_of(i % 2 == 0 ? "den" : "other", "", message, plain)));
    for (auto& one : pending)
      EXPECT_EQ(outcome(run(std::move(one))), "unavailable[]");
    EXPECT_EQ(history("den", "", recent(1)), "3=m3 [1,3]");
    EXPECT_EQ(connect("new user", "n"), "unavailable[]");
    EXPECT_EQ(add_room("third"), "unavailable[]");
    EXPECT_EQ(add_room("third"), "unavailable[]");
  }
  EXPECT_EQ(append("den", "", "m4", with), "4");
  EXPECT_EQ(append("den", "", "m4", with), "4 again");
  EXPECT_EQ(append("other", "", "m1"), "1");
  EXPECT_EQ(connect("new user", "n"), "1");
  EXPECT_EQ(add_room("third"), "ok");
  ASSERT_EQ(driver->reopen(), "");
  EXPECT_EQ(history("den", "", recent(9)), "4=m4 3=m3 2=m2 1=m1 [1,4]");
  EXPECT_EQ(history("other", "", recent(9)), "1=m1 [1,1]");
  EXPECT_EQ(shown(run(data().list_rooms("", 9))), R"(["den","other","third"])");
}

TEST_F(sqlite_faults, a_disk_that_works_again_is_noticed_without_a_change) {
  ASSERT_EQ(add_room("den"), "ok");
  const auto& condition = dynamic_cast<const store_condition&>(data());
  EXPECT_EQ(condition.trouble(), "");
  {
    const file_size_limit limit(1);
    EXPECT_EQ(append("den", "", std::string(5000, 'x')), "unavailable[]");
    EXPECT_NE(condition.trouble(), "");
    EXPECT_EQ(driver->log.text().find("store_write_recovered"), std::string::npos);
  }
  EXPECT_TRUE(driver->run_until([&] { return condition.trouble().empty(); }));
  EXPECT_NE(driver->log.text().find("store_write_recovered"), std::string::npos);
  EXPECT_EQ(append("den", "", "m1"), "1");
}

TEST_F(sqlite_faults, more_than_may_wait_is_refused_at_once) {
  sqlite_options options;
  options.max_pending = 10;
  driver = std::make_unique<sqlite_driver>(options);
  ASSERT_EQ(add_room("den"), "ok");
  const value_map message = body("x");
  const append_options plain;
  std::deque<task<result<appended>>> pending;
  for (int i = 0; i < 30; ++i)
    pending.push_back(data().append(append_of("den", "", message, plain)));
  int good = 0;
  for (auto& one : pending)
    good += run(std::move(one)).has_value() ? 1 : 0;
  EXPECT_EQ(good, 10);
  EXPECT_EQ(append("den", "", "x"), "11");
}

TEST_F(sqlite_faults, many_changes_share_a_commit) {
  ASSERT_EQ(add_room("den"), "ok");
  const value_map message = body("x");
  const append_options plain;
  std::deque<task<result<appended>>> pending;
  for (int i = 0; i < 2000; ++i)
    pending.push_back(data().append(append_of("den", "", message, plain)));
  for (auto& one : pending)
    ASSERT_TRUE(run(std::move(one)).has_value());
  const std::string rendered = driver->metrics.render();
  const auto number = [&](const std::string& name) {
    const auto at = rendered.find("\n" + name + " ");
    return at == std::string::npos ? -1.0 : std::stod(rendered.substr(at + name.size() + 2));
  };
  EXPECT_EQ(number("roombus_store_changes_total"), 2001);
  EXPECT_GT(number("roombus_store_commits_total"), 1);
  EXPECT_LT(number("roombus_store_commits_total"), 1000);
}

// The child appends as fast as it can, many at once in two rooms, and writes each acked id to the pipe.
[[noreturn]] void append_for_ever(const std::string& path, int out) {
  fake_clock time;
  posting_scheduler turns;
  log_collector log;
  metrics_registry metrics;
  sqlite_options options;
  options.path = path;
  options.sync = sync_mode::normal;  // a killed process loses nothing that the system has
  auto opened = open_sqlite_store(options, time, turns, log, metrics);
  if (!opened.data) ::_exit(3);
  const value_map message = store_operations::body("x");
  const append_options plain;
  struct sender {
    static task<void> send(store& data, const value_map& message, std::string room, int out) {
      for (;;) {
        append_request request = store_operations::append_of(room, "", message, append_options());
        auto done = co_await data.append(std::move(request));
        if (!done) ::_exit(4);
        char line[40];
        const int n =
            std::snprintf(line, sizeof line, "%s %llu\n", room.c_str(), static_cast<unsigned long long>(done->id));
        if (::write(out, line, static_cast<std::size_t>(n)) != n) ::_exit(5);
      }
    }
  };
  for (int i = 0; i < 8; ++i)
    sender::send(*opened.data, message, i % 2 == 0 ? "den" : "other", out).detach();
  turns.run_until([] { return false; }, std::chrono::seconds(60));
  ::_exit(6);
}

TEST_F(sqlite_faults, a_killed_process_loses_nothing_that_was_acked) {
  room_settings settings;
  settings.history_max_size = 1'000'000;
  ASSERT_EQ(add_room("den", settings), "ok");
  ASSERT_EQ(add_room("other", settings), "ok");
  const unsigned seed = 7;
  std::mt19937 random(seed);
  std::map<std::string, std::uint64_t> last_acked{{"den", 0}, {"other", 0}};
  for (int round = 0; round < 12; ++round) {
    driver->close();
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      append_for_ever(driver->options.path, ends[1]);
    }
    ::close(ends[1]);
    // the kill comes after so many bytes of answers: at any moment of the child's work
    const std::size_t enough = 200 + random() % 20000;
    std::string text;
    char buffer[4096];
    bool killed = false;
    for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(n));
      if (killed || text.size() < enough) continue;
      ::kill(child, SIGKILL);
      killed = true;
    }
    ::close(ends[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status) << " in round " << round;

    std::istringstream lines(text);
    std::string room;
    std::uint64_t id = 0;
    while (lines >> room >> id) {
      ASSERT_EQ(id, last_acked[room] + 1) << "round " << round << ", seed " << seed;
      last_acked[room] = id;
    }
    ASSERT_EQ(driver->open(), "");
    for (auto& [name, acked] : last_acked) {
      const auto kept = ids(name);
      ASSERT_GE(kept.size(), acked) << name << " in round " << round << ", seed " << seed;
      ASSERT_EQ(kept, up_to(kept.size())) << name << " in round " << round << ", seed " << seed;
      acked = kept.size();  // what was stored and not acked counts
    }
  }
  EXPECT_GT(last_acked["den"], 100u);
}

}  // namespace

}  // namespace roombus::test
