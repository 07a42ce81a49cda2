#include "adapters/mosquitto/mosquitto_process.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "adapters/mosquitto/child_process.hpp"
#include "adapters/mosquitto/private_directory.hpp"

namespace roombus::mosquitto {

namespace {

using namespace std::chrono_literals;

constexpr auto kill_after = 2s;
constexpr auto first_delay = 100ms;
constexpr auto longest_delay = 10s;
constexpr auto steady_after = 10s;  ///< a child that lived so long starts the back-off anew
constexpr int port_tries = 5;
constexpr const char* account_name = "mosquitto";
constexpr const char* bridge_user = "roombus-bridge";

/// A port that is free at this moment; 0 when there is none.
std::uint16_t free_port(const std::string& address) {
  sockaddr_storage storage{};
  socklen_t length = 0;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    length = sizeof(sockaddr_in6);
  } else {
    if (inet_pton(AF_INET, address.c_str(), &v4->sin_addr) != 1) v4->sin_addr.s_addr = htonl(INADDR_ANY);
    v4->sin_family = AF_INET;
    length = sizeof(sockaddr_in);
  }
  const int fd = socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;
  std::uint16_t port = 0;
  if (bind(fd, reinterpret_cast<sockaddr*>(&storage), length) == 0 &&
      getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) == 0) {
    port = ntohs(storage.ss_family == AF_INET6 ? v6->sin6_port : v4->sin_port);
  }
  close(fd);
  return port;
}

std::optional<std::string> find_program(const std::string& name) {
  const auto runs = [](const std::string& path) {
    struct stat info {};
    return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string::npos) return runs(name) ? std::optional(name) : std::nullopt;
  const char* path = std::getenv("PATH");
  // Debian keeps it in /usr/sbin, which is not in every user's PATH
  std::istringstream folders(std::string(path == nullptr ? "" : path) + ":/usr/sbin:/usr/local/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (folder.empty()) continue;
    std::string candidate = folder + "/" + name;
    if (runs(candidate)) return candidate;
  }
  return std::nullopt;
}

/// The first user name of a password file that is no user level of a topic, or nothing. With `/` in a name the patterns
/// of the access list would open other users' topics (design §3, "Levels").
std::optional<std::string> find_bad_name(const std::string& users) {
  std::istringstream lines(users);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    const std::string name = line.substr(0, line.find(':'));
    const bool good = !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
             std::string_view("_~-.@").find(c) != std::string_view::npos;
    });
    if (!good) return name;
  }
  return std::nullopt;
}

}  // namespace

struct mosquitto_process::impl {
  enum class phase : std::uint8_t { idle, starting, ready, waiting, stopping };

  process_options options;
  scheduler& loop;
  random_source& random;
  log_sink& log;
  counter& restarts;
  process_handlers on;
  phase now = phase::idle;
  broker_address address;
  std::uint16_t bridge_port = 0;
  std::string program;
  private_directory directory{account_name};
  login_files logins;
  timer_handle next_look;  // at the files of logins
  std::unique_ptr<child_process> child;
  timer_handle timer;  // of the start, of the next start, or of the kill
  std::function<void()> stopped;
  std::string last_line;
  std::chrono::milliseconds delay{first_delay};
  std::chrono::steady_clock::time_point ready_since;
  int tries = 0;
  bool port_taken = false;
  bool was_ready = false;

  impl(process_options o, scheduler& l, random_source& r, log_sink& s, metrics_registry& metrics)
      : options(std::move(o)),
        loop(l),
        random(r),
        log(s),
        restarts(metrics.add_counter("roombus_broker_restarts_total", "Times the embedded broker ended by itself.")),
        logins(options.dev || options.plugin.empty() ? std::vector<login_setting>() : std::move(options.logins),
               [this](const std::string& name, const std::string& content) { return directory.write(name, content); }) {
  }

  void fail(const std::string& reason) {
    now = phase::idle;
    timer.cancel();
    log.write(log_level::error, "broker_failed", reason);
    if (const auto call = on.on_failed) call(reason);
  }

  void start() {
    tries = 0;
    was_ready = false;
    delay = first_delay;
    address = broker_address();
    address.device_port = options.device_port;
    address.username = bridge_user;
    // any name gets in with --dev, but this one only whom we tell it
    if (options.dev && options.plugin.empty()) address.username += '-' + random_hex(random, 32);
    address.password = random_hex(random, 32);
    bridge_port = 0;
    watch_logins();
    if (const auto found = find_program(options.program)) {
      program = *found;
      launch();
    } else {
      now = phase::starting;
      loop.post([this, alive = std::weak_ptr<int>(life)] {
        if (alive.lock() && now == phase::starting) fail("no program " + options.program + " in PATH or /usr/sbin");
      });
    }
  }

  /// What went wrong, or nothing.
  std::optional<std::string> write_files() {
    configuration c;
    c.prefix = options.prefix;
    c.bridge_port = bridge_port;
    c.bridge_password_file = directory.file("bridge.passwd");
    c.shared_lists = options.plugin.empty();
    c.device_address = options.device_address;
    c.device_port = address.device_port;
    c.access = options.dev                   ? device_access::dev
               : !options.users_file.empty() ? device_access::password_file
               : logins.empty()              ? device_access::nobody
                                             : device_access::plugin;
    c.device_password_file = directory.file("device.passwd");
    c.device_acl_file = directory.file("device.acl");
    c.persistence_dir = options.persistence_dir;
    c.max_payload = options.max_payload;
    c.plugin = options.plugin;
    c.admins = options.admins;
    c.workers = options.workers;

    std::string users;
    if (c.access == device_access::password_file) {
      std::ifstream in(options.users_file, std::ios::binary);
      std::ostringstream all;
      all << in.rdbuf();
      if (!in) return "cannot read " + options.users_file;
      users = all.str();
      if (const auto name = find_bad_name(users)) {
        return options.users_file + ": user name '" + *name + "' is not 1 to 128 of A-Z a-z 0-9 _ ~ - . @";
      }
      if (("\n" + users).find(std::string("\n") + bridge_user + ":") != std::string::npos) {
        return options.users_file + ": the user name '" + bridge_user + "' is taken";
      }
      if (!users.empty() && users.back() != '\n') users += '\n';
    }
    const std::string bridge_account = render_password(address.username, address.password, random);
    std::string rights = render_device_acl(c.prefix, c.access, options.admins, options.workers);
    if (c.shared_lists) {
      users += bridge_account;
      rights += render_bridge_acl(address.username);
    }
    if (was_ready) {
      logins.refresh(true, log);
    } else if (const std::string problem = logins.write_all(); !problem.empty()) {
      return problem;
    }
    c.login_options = logins.options([this](const std::string& name) { return directory.file(name); });
    if (!c.persistence_dir.empty()) {
      std::error_code error;
      std::filesystem::create_directories(c.persistence_dir, error);
      if (error) return "cannot make " + c.persistence_dir + ": " + error.message();
      directory.give_away(c.persistence_dir);
    }
    const bool written = !directory.path().empty() && directory.write("device.passwd", users) &&
                         directory.write("bridge.passwd", bridge_account) && directory.write("device.acl", rights) &&
                         directory.write("mosquitto.conf", render_configuration(c));
    return written ? std::nullopt : std::optional<std::string>("cannot write its configuration below TMPDIR");
  }

  void watch_logins() {
    if (logins.empty() || options.login_files_interval.count() <= 0) return;
    next_look = loop.after(options.login_files_interval, [this] {
      logins.refresh(false, log);
      watch_logins();
    });
  }

  void launch() {
    now = phase::starting;
    port_taken = false;
    last_line.clear();
    if (bridge_port == 0) bridge_port = free_port("127.0.0.1");
    if (address.device_port == 0) address.device_port = free_port(options.device_address);
    address.bridge_uri = "tcp://127.0.0.1:" + std::to_string(bridge_port);
    if (const auto problem = write_files()) {
      last_line = *problem;
      return ended("not started");
    }
    child_process::command command;
    command.program = program;
    command.arguments = {"-c", directory.file("mosquitto.conf")};
    command.user = account_name;
    child_process::handlers handlers;
    handlers.on_line = [this](const std::string& line) { read_line(line); };
    handlers.on_exit = [this](const std::string& how) {
      child.reset();
      ended(how);
    };
    child = child_process::start(command, loop, std::move(handlers));
    if (!child) return ended("cannot make a process");
    timer = loop.after(options.start_limit, [this] {
      last_line = "not ready in time";
      child->signal(SIGKILL);
    });
  }

  void read_line(const std::string& line) {
    const bool bad = line.starts_with("Error") || line.starts_with("Warning");
    const bool of_plugin = line.starts_with("roombus: ");  // logins, mostly
    log.write(bad ? log_level::warning : of_plugin ? log_level::info : log_level::debug, "broker_says", line);
    if (bad) last_line = line;
    if (line.find("Address already in use") != std::string::npos) port_taken = true;
    // the last line of Mosquitto's start: its listeners are open
    if (now != phase::starting || !line.starts_with("mosquitto version") || !line.ends_with(" running")) return;
    timer.cancel();
    now = phase::ready;
    was_ready = true;
    tries = 0;
    ready_since = std::chrono::steady_clock::now();
    log.write(log_level::info, "broker_ready",
              "devices connect to " + options.device_address + ":" + std::to_string(address.device_port));
    if (const auto call = on.on_ready) call(address);
  }

  void ended(const std::string& how) {
    timer.cancel();
    if (now == phase::stopping) {
      now = phase::idle;
      if (const auto call = std::exchange(stopped, nullptr)) call();
      return;
    }
    const std::string reason = "Mosquitto ended: " + how + (last_line.empty() ? "" : ", " + last_line);
    const bool lost = now == phase::ready;
    if (lost && std::chrono::steady_clock::now() - ready_since >= steady_after) delay = first_delay;
    if (!was_ready) {
      const bool may_choose = port_taken && ++tries < port_tries;
      if (!may_choose) {
        // not from within `start`
        loop.post([this, reason, alive = std::weak_ptr<int>(life)] {
          if (alive.lock() && now == phase::starting) fail(reason);
        });
        return;
      }
      bridge_port = 0;
      address.device_port = options.device_port;
      return launch();
    }
    if (port_taken) bridge_port = 0;
    now = phase::waiting;
    timer = loop.after(delay, [this] { launch(); });
    delay = std::min<std::chrono::milliseconds>(delay * 2, longest_delay);
    log.write(log_level::error, "broker_down", reason);
    if (lost) {
      restarts.add();
      if (const auto call = on.on_down) call(reason);
    }
  }

  void stop(std::function<void()> done) {
    on = process_handlers();
    next_look.cancel();
    if (!child) {
      now = phase::idle;
      timer.cancel();
      loop.post(std::move(done));
      return;
    }
    now = phase::stopping;
    stopped = std::move(done);
    child->signal(SIGTERM);
    timer = loop.after(kill_after, [this] {
      log.write(log_level::warning, "broker_killed", "Mosquitto did not end after SIGTERM");
      if (child) child->signal(SIGKILL);
    });
  }

  std::shared_ptr<int> life = std::make_shared<int>();  // gone: posted work is void
};

mosquitto_process::mosquitto_process(process_options options, scheduler& loop, random_source& random, log_sink& log,
                                     metrics_registry& metrics)
    : impl_(std::make_unique<impl>(std::move(options), loop, random, log, metrics)) {}

mosquitto_process::~mosquitto_process() = default;

void mosquitto_process::start(process_handlers handlers) {
  if (impl_->now != impl::phase::idle) return;
  impl_->on = std::move(handlers);
  impl_->start();
}

void mosquitto_process::stop(std::function<void()> stopped) {
  impl_->stop(std::move(stopped));
}

void mosquitto_process::reload_logins() {
  impl_->logins.refresh(true, impl_->log);
}

int mosquitto_process::pid() const {
  return impl_->child ? impl_->child->pid() : -1;
}

}  // namespace roombus::mosquitto
