#include "adapters/mosquitto/child_process.hpp"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>
#include <utility>

namespace roombus::mosquitto {

namespace {

constexpr std::size_t max_line = 1000;

/// Between fork and exec: only calls that are safe in a child of a process with threads.
[[noreturn]] void become(const char* program, char* const* arguments, int stderr_fd, const passwd* account,
                         pid_t parent) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setpgid(0, 0);
  const int null = open("/dev/null", O_RDWR);
  if (null >= 0) {
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
  }
  dup2(stderr_fd, STDERR_FILENO);
  // Boost.Asio opens sockets without close-on-exec: a child that kept them would keep our clients' connections alive
  if (close_range(3, UINT_MAX, 0) != 0) {
    for (int fd = 3; fd < 65536; ++fd)
      close(fd);
  }
  // before PR_SET_PDEATHSIG: a change of user clears it
  if (account != nullptr &&
      (setgroups(0, nullptr) != 0 || setgid(account->pw_gid) != 0 || setuid(account->pw_uid) != 0)) {
    _exit(126);
  }
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(125);  // the parent died before it could be noticed
  execv(program, arguments);
  const char text[] = "the program cannot be run\n";
  (void)!write(STDERR_FILENO, text, sizeof text - 1);
  _exit(127);
}

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

struct child_process::state {
  std::mutex lock;
  pid_t pid = -1;   // guarded; -1 once reaped
  scheduler* loop;  // guarded; null once the owner is gone
  handlers on;      // core's thread only
  std::thread watcher;

  void post(const std::shared_ptr<state>& self, std::function<void(const handlers&)> fn) {
    const std::lock_guard guard(lock);
    if (loop == nullptr) return;
    loop->post([self, run = std::move(fn)] {
      {
        const std::lock_guard again(self->lock);
        if (self->loop == nullptr) return;
      }
      run(self->on);
    });
  }

  static void watch(const std::shared_ptr<state>& self, pid_t child, int fd) {
    std::string line;
    char buffer[4096];
    for (;;) {
      const ssize_t n = read(fd, buffer, sizeof buffer);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      for (ssize_t i = 0; i < n; ++i) {
        if (buffer[i] != '\n') {
          if (line.size() < max_line) line += buffer[i];
          continue;
        }
        self->post(self, [text = std::exchange(line, {})](const handlers& on) {
          if (const auto call = on.on_line) call(text);
        });
      }
    }
    close(fd);
    siginfo_t info;
    while (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
    }
    int status = 0;
    {
      const std::lock_guard guard(self->lock);  // nobody signals a pid that is free for others
      waitpid(child, &status, 0);
      self->pid = -1;
    }
    self->post(self, [how = describe_end(status)](const handlers& on) {
      if (const auto call = on.on_exit) call(how);  // a copy: the callback may destroy the process and its handlers
    });
  }
};

child_process::child_process(std::shared_ptr<state> s) : state_(std::move(s)) {}

std::unique_ptr<child_process> child_process::start(const command& c, scheduler& loop, handlers h) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return nullptr;
  std::vector<std::string> words = c.arguments;
  words.insert(words.begin(), c.program);
  std::vector<char*> arguments;
  for (std::string& w : words)
    arguments.push_back(w.data());
  arguments.push_back(nullptr);
  const passwd* account = geteuid() == 0 && !c.user.empty() ? getpwnam(c.user.c_str()) : nullptr;

  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become(c.program.c_str(), arguments.data(), ends[1], account, parent);
  close(ends[1]);
  if (child < 0) {
    close(ends[0]);
    return nullptr;
  }
  auto s = std::make_shared<state>();
  s->pid = child;
  s->loop = &loop;
  s->on = std::move(h);
  s->watcher = std::thread([s, child, fd = ends[0]] { state::watch(s, child, fd); });
  return std::unique_ptr<child_process>(new child_process(std::move(s)));
}

child_process::~child_process() {
  {
    const std::lock_guard guard(state_->lock);
    state_->loop = nullptr;
    if (state_->pid > 0) kill(state_->pid, SIGKILL);
  }
  state_->watcher.join();  // bounded: a killed child ends, and with it its stderr
  state_->on = handlers();
}

void child_process::signal(int number) {
  const std::lock_guard guard(state_->lock);
  if (state_->pid > 0) kill(state_->pid, number);
}

pid_t child_process::pid() const {
  const std::lock_guard guard(state_->lock);
  return state_->pid;
}

}  // namespace roombus::mosquitto
