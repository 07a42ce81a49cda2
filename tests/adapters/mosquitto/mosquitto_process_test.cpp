#include "adapters/mosquitto/mosquitto_process.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "adapters/mosquitto/child_process.hpp"
#include "tests/support/live_loop.hpp"

namespace roombus::mosquitto {

namespace {

using namespace std::chrono_literals;

/// The process is gone, or dead and only not reaped by whoever inherited it.
bool is_dead(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(in, line)) return true;
  return line.substr(line.rfind(')') + 2, 1) == "Z";
}

class MosquittoProcess : public ::testing::Test {
 protected:
  MosquittoProcess() {
    options.device_port = 0;
    options.dev = true;
  }
  ~MosquittoProcess() override {
    broker.reset();
    if (HasFailure()) std::cerr << log.text();
  }

  void start() {
    broker = std::make_unique<mosquitto_process>(options, live.loop, random, log, metrics);
    process_handlers h;
    h.on_ready = [this](const broker_address& a) {
      ++ready;
      address = a;
    };
    h.on_down = [this](std::string_view) { ++down; };
    h.on_failed = [this](std::string_view reason) { failed = std::string(reason); };
    broker->start(std::move(h));
    ASSERT_TRUE(live.run_until([this] { return ready > 0 || !failed.empty(); }));
  }

  /// -h -p and login of a mosquitto_pub or mosquitto_sub.
  [[nodiscard]] std::string as_device(const std::string& user) const {
    return " -h 127.0.0.1 -p " + std::to_string(address.device_port) + " -u " + user + " ";
  }
  [[nodiscard]] std::string as_bridge() const {
    return " -h 127.0.0.1 -p " + address.bridge_uri.substr(address.bridge_uri.rfind(':') + 1) + " -u " +
           address.username + " -P " + address.password + " ";
  }

  /// Topics of the first three messages that `subscriber` gets while `publish` runs again and again.
  std::string first_topics(const std::string& subscriber, const std::string& publish) {
    return test::run_program(live, "timeout 20 mosquitto_sub -F %t -C 3 -q 1 " + subscriber +
                                       " & P=$!; while kill -0 $P 2>/dev/null; do " + publish + " done; wait $P")
        .output;
  }
  static std::string publish(const std::string& who, const std::string& topic) {
    return "mosquitto_pub -V 5 -q 1 -m x" + who + "-t '" + topic + "' >/dev/null 2>&1; ";
  }

  test::live_loop live;
  system_random random;
  test::log_collector log;
  metrics_registry metrics;
  process_options options;
  std::unique_ptr<mosquitto_process> broker;
  broker_address address;
  int ready = 0;
  int down = 0;
  std::string failed;
};

}  // namespace

TEST_F(MosquittoProcess, is_ready_on_a_free_port_and_stops) {
  start();
  ASSERT_EQ(failed, "");
  EXPECT_NE(address.device_port, 0);
  EXPECT_EQ(test::run_program(live, "mosquitto_pub -q 1 -t roombus/u/a/c/status -m x" + as_device("a")).status, 0);
  const pid_t pid = broker->pid();
  EXPECT_EQ(getpgid(pid), pid) << "a Ctrl-C at the terminal must not reach it";
  bool stopped = false;
  broker->stop([&] { stopped = true; });
  ASSERT_TRUE(live.run_until([&] { return stopped; }));
  EXPECT_NE(kill(pid, 0), 0);
  EXPECT_EQ(down, 0);
}

TEST_F(MosquittoProcess, devices_write_only_below_their_user) {
  start();
  const std::string bob = as_device("bob -i b1");
  std::string all;
  for (const char* topic :
       {"roombus/u/alice/b1/call/x", "roombus/u/alice/sub1/send/r", "roombus/u/alice/sub1/status",
        "roombus/u/bob/b1/reply/1", "roombus/u/bob/b1/event/roomMessage", "roombus/u/bob/b1/room/r/roomMessage",
        "roombus/r/kitchen/json/roomMessage", "roombus/bus/all", "roombus/admin/call/bob/b1/x",
        "roombus/hook/call/onConnect", "elsewhere", "roombus/u/bob/status", "roombus/u/bob/b1/status/x"}) {
    all += publish(bob, topic);
  }
  all += publish(bob, "roombus/u/bob/other/call/roomJoin");
  EXPECT_EQ(first_topics("-t '#' -t '$SYS/#'" + as_bridge(), all),
            "roombus/u/bob/other/call/roomJoin\nroombus/u/bob/other/call/roomJoin\n"
            "roombus/u/bob/other/call/roomJoin\n");
}

TEST_F(MosquittoProcess, devices_read_only_below_their_user) {
  start();
  std::string all;
  for (const char* topic : {"roombus/u/alice/sub1/reply/1", "roombus/u/alice/sub1/event/x",
                            "roombus/u/alice/b1/reply/1", "roombus/r/kitchen/json/roomMessage", "roombus/bus/all",
                            "roombus/admin/reply/bob/b1/1", "roombus/hook/call/x", "elsewhere"}) {
    all += publish(as_bridge(), topic);
  }
  all += publish(as_device("alice"), "roombus/u/alice/sub1/call/x");
  all += publish(as_bridge(), "roombus/u/bob/b1/reply/1");
  // one filter per run: a message that matches several may be delivered once for each
  for (const char* filter : {"#", "roombus/#", "roombus/u/+/+/#", "+/u/+/+/+/+"}) {
    EXPECT_EQ(first_topics("-i b1 -t '" + std::string(filter) + "'" + as_device("bob"), all),
              "roombus/u/bob/b1/reply/1\nroombus/u/bob/b1/reply/1\nroombus/u/bob/b1/reply/1\n")
        << filter;
  }
}

TEST_F(MosquittoProcess, names_with_wildcards_and_no_name_get_nothing) {
  start();
  const std::string all =
      publish(as_device("+"), "roombus/u/+/c/status") + publish(as_device("+"), "roombus/u/alice/c/status") +
      publish(as_device("'#'"), "roombus/u/alice/c/status") +
      publish(" -h 127.0.0.1 -p " + std::to_string(address.device_port) + " ", "roombus/u//c/status") +
      publish(as_device("roombus-bridge"), "roombus/u/alice/c/status") +
      publish(as_device("good"), "roombus/u/good/c/status");
  EXPECT_EQ(first_topics("-t '#'" + as_bridge(), all),
            "roombus/u/good/c/status\nroombus/u/good/c/status\nroombus/u/good/c/status\n");
}

TEST_F(MosquittoProcess, system_topics_are_closed) {
  start();
  // $SYS/broker/version is retained: who may read it gets it at once
  const auto result = test::run_program(live, "mosquitto_sub -t '$SYS/#' -C 1 -W 1" + as_device("bob"));
  EXPECT_EQ(result.output, "");
  EXPECT_EQ(result.status, 27) << "the time of mosquitto_sub must be over";
}

TEST_F(MosquittoProcess, the_name_of_the_bridge_is_a_secret_where_any_name_gets_in) {
  start();
  const std::string first = address.username;
  EXPECT_GT(first.size(), 64u);
  EXPECT_EQ(log.text().find(first), std::string::npos);
  broker.reset();
  ready = 0;
  start();
  EXPECT_NE(address.username, first);
}

TEST_F(MosquittoProcess, a_client_that_was_away_gets_what_came_meanwhile) {
  const std::string path = std::filesystem::temp_directory_path() / ("roombus-users-" + std::to_string(getpid()));
  std::ofstream(path) << render_password("bob", "pw", random);
  for (const bool dev : {true, false}) {
    options.dev = dev;
    options.users_file = path;
    broker.reset();
    ready = 0;
    start();
    const std::string bob =
        "mosquitto_sub -V 5 -i b1 -c -x 60 -q 1 -t roombus/u/bob/b1/reply/1 -C 1 -W 20" + as_device("bob -P pw");
    const std::string leave =
        "mosquitto_sub -E -V 5 -i b1 -c -x 60 -q 1 -t roombus/u/bob/b1/reply/1" + as_device("bob -P pw");
    EXPECT_EQ(test::run_program(live, leave).status, 0);
    EXPECT_EQ(test::run_program(live, "mosquitto_pub -q 1 -m kept -t roombus/u/bob/b1/reply/1" + as_bridge()).status,
              0);
    EXPECT_EQ(test::run_program(live, bob).output, "kept\n") << "dev: " << dev;
  }
  std::filesystem::remove(path);
}

TEST_F(MosquittoProcess, the_bridge_listener_wants_its_password) {
  const std::string path = std::filesystem::temp_directory_path() / ("roombus-users-" + std::to_string(getpid()));
  std::ofstream(path) << render_password("bob", "pw", random);
  options.dev = false;
  options.users_file = path;
  start();
  std::filesystem::remove(path);
  const std::string port = address.bridge_uri.substr(address.bridge_uri.rfind(':') + 1);
  EXPECT_EQ(test::run_program(live, "mosquitto_pub -t a -m x" + as_bridge()).status, 0);
  const std::string wrong = "mosquitto_pub -t a -m x -p " + port;
  EXPECT_NE(test::run_program(live, wrong + " 2>/dev/null").status, 0);
  EXPECT_NE(test::run_program(live, wrong + " -u roombus-bridge -P guess 2>/dev/null").status, 0);
}

TEST_F(MosquittoProcess, without_login_method_everybody_is_refused) {
  options.dev = false;
  start();
  ASSERT_EQ(failed, "");
  const std::string base =
      "mosquitto_pub -t roombus/u/a/c/status -m x 2>/dev/null -p " + std::to_string(address.device_port);
  EXPECT_NE(test::run_program(live, base).status, 0);
  EXPECT_NE(test::run_program(live, base + " -u a").status, 0);
  EXPECT_NE(test::run_program(live, base + " -u a -P b").status, 0);
  EXPECT_NE(test::run_program(live, base + " -u '' -P ''").status, 0);
}

TEST_F(MosquittoProcess, a_users_file_binds_user_and_client) {
  const std::string path = std::filesystem::temp_directory_path() / ("roombus-users-" + std::to_string(getpid()));
  std::ofstream(path) << render_password("alice", "pw", random) << render_password("bob", "pw", random);
  options.dev = false;
  options.users_file = path;
  start();
  std::filesystem::remove(path);
  ASSERT_EQ(failed, "");
  const std::string alice = as_device("alice -P pw -i c1");
  const std::string all = publish(as_device("alice -P wrong -i c1"), "roombus/u/alice/c1/status") +
                          publish(as_device("bob -P pw -i c1"), "roombus/u/alice/c1/status") +
                          publish(alice, "roombus/u/alice/c2/status") + publish(alice, "roombus/u/alice/c1/send/r");
  EXPECT_EQ(first_topics("-t '#'" + as_bridge(), all),
            "roombus/u/alice/c1/send/r\nroombus/u/alice/c1/send/r\nroombus/u/alice/c1/send/r\n");
}

TEST_F(MosquittoProcess, a_users_file_with_an_unsafe_name_is_refused) {
  const std::string path = std::filesystem::temp_directory_path() / ("roombus-users-" + std::to_string(getpid()));
  std::ofstream(path) << render_password("alice/sub1", "pw", random);
  options.dev = false;
  options.users_file = path;
  start();
  std::filesystem::remove(path);
  EXPECT_NE(failed.find("alice/sub1"), std::string::npos) << failed;
}

TEST_F(MosquittoProcess, a_users_file_with_the_name_of_the_bridge_is_refused) {
  const std::string path = std::filesystem::temp_directory_path() / ("roombus-users-" + std::to_string(getpid()));
  std::ofstream(path) << render_password("bob", "pw", random) << render_password("roombus-bridge", "pw", random);
  options.dev = false;
  options.users_file = path;
  start();
  std::filesystem::remove(path);
  EXPECT_NE(failed.find("'roombus-bridge' is taken"), std::string::npos) << failed;
}

TEST_F(MosquittoProcess, a_child_that_dies_is_started_again_on_the_same_port) {
  start();
  const std::uint16_t port = address.device_port;
  for (int round = 1; round <= 2; ++round) {
    const pid_t before = broker->pid();
    kill(before, SIGKILL);
    ASSERT_TRUE(live.run_until([&] { return ready == round + 1; }));
    EXPECT_EQ(down, round);
    EXPECT_EQ(address.device_port, port);
    EXPECT_NE(broker->pid(), before);
  }
  EXPECT_EQ(test::run_program(live, "mosquitto_pub -q 1 -t x -m x" + as_bridge()).status, 0);
  EXPECT_NE(metrics.render().find("roombus_broker_restarts_total 2"), std::string::npos);
}

TEST_F(MosquittoProcess, a_child_that_hangs_is_killed_at_stop) {
  start();
  const pid_t pid = broker->pid();
  kill(pid, SIGSTOP);
  bool stopped = false;
  broker->stop([&] { stopped = true; });
  ASSERT_TRUE(live.run_until([&] { return stopped; }, 4s));
  EXPECT_NE(kill(pid, 0), 0);
}

TEST_F(MosquittoProcess, the_child_goes_with_the_object) {
  start();
  const pid_t pid = broker->pid();
  broker.reset();
  EXPECT_NE(kill(pid, 0), 0);
}

TEST_F(MosquittoProcess, stop_without_child_still_answers) {
  broker = std::make_unique<mosquitto_process>(options, live.loop, random, log, metrics);
  bool stopped = false;
  broker->stop([&] { stopped = true; });
  EXPECT_TRUE(live.run_until([&] { return stopped; }));
}

TEST_F(MosquittoProcess, a_missing_program_is_told) {
  options.program = "no-such-broker";
  start();
  EXPECT_NE(failed.find("no-such-broker"), std::string::npos);
}

TEST_F(MosquittoProcess, a_port_in_use_is_told) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof a;
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&a), length), 0);
  ASSERT_EQ(listen(fd, 1), 0);
  getsockname(fd, reinterpret_cast<sockaddr*>(&a), &length);
  options.device_port = ntohs(a.sin_port);
  start();
  close(fd);
  EXPECT_NE(failed.find("Address already in use"), std::string::npos) << failed;
}

TEST(ChildProcess, never_outlives_its_parent) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t middle = fork();
  if (middle == 0) {
    event_loop loop;
    child_process::command c;
    c.program = "/bin/sleep";
    c.arguments = {"60"};
    const auto child = child_process::start(c, loop, {});
    const pid_t pid = child->pid();
    (void)!write(ends[1], &pid, sizeof pid);
    kill(getpid(), SIGKILL);
  }
  pid_t pid = 0;
  ASSERT_EQ(read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  waitpid(middle, nullptr, 0);
  test::live_loop live;
  std::function<void()> poll;
  timer_handle timer;
  poll = [&] { timer = live.loop.after(5ms, poll); };
  poll();
  EXPECT_TRUE(live.run_until([&] { return is_dead(pid); }, 10s));
  kill(pid, SIGKILL);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace roombus::mosquitto
