#include "tests/adapters/redis/redis_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <stdexcept>

#include <hiredis/hiredis.h>

namespace roombus::test {

namespace {

using context = std::unique_ptr<redisContext, void (*)(redisContext*)>;
using answer = std::unique_ptr<redisReply, void (*)(void*)>;

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&where), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size) != 0) {
    ::close(fd);
    throw std::runtime_error("no free port");
  }
  ::close(fd);
  return ntohs(where.sin_port);
}

/// Asks again every few ms; false after 20 s.
bool wait_for(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 10);
  }
  return true;
}

context connect_to(std::uint16_t port) {
  const timeval limit{2, 0};
  context c(redisConnectWithTimeout("127.0.0.1", port, limit), redisFree);
  if (c && c->err == 0) redisSetTimeout(c.get(), limit);
  return c;
}

std::string shown(const redisReply& r) {
  switch (r.type) {
    case REDIS_REPLY_INTEGER:
      return std::to_string(r.integer);
    case REDIS_REPLY_NIL:
      return "nil";
    case REDIS_REPLY_ERROR:
      return "error: " + std::string(r.str, r.len);
    case REDIS_REPLY_ARRAY: {
      std::string out;
      for (std::size_t i = 0; i < r.elements; ++i)
        out += (i == 0 ? "" : " ") + shown(*r.element[i]);
      return out;
    }
    default:
      return {r.str, r.len};
  }
}

}  // namespace

redis_process::redis_process(std::vector<std::string> more_options, std::optional<redis_tls> tls)
    : more_(std::move(more_options)), tls_(std::move(tls)) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = free_port();
    if (tls_) tls_port_ = free_port();
    bus_port_ = free_port();
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      kill();  // somebody else took the port
    }
  }
  throw std::runtime_error("redis-server does not start");
}

redis_process::~redis_process() {
  kill();
}

void redis_process::start() {
  std::vector<std::string> words{"redis-server",
                                 "--port",
                                 std::to_string(port_),
                                 "--bind",
                                 "127.0.0.1",
                                 "--dir",
                                 folder_.path(),
                                 "--appendonly",
                                 "yes",
                                 "--appendfsync",
                                 "always",
                                 "--save",
                                 "",
                                 "--daemonize",
                                 "no",
                                 "--repl-diskless-sync-delay",
                                 "0",
                                 "--logfile",
                                 folder_.file("log")};
  words.insert(words.end(), more_.begin(), more_.end());
  if (tls_) {
    words.insert(words.end(), {"--tls-port", std::to_string(tls_port_), "--tls-cert-file", tls_->own.cert,
                               "--tls-key-file", tls_->own.key, "--tls-ca-cert-file", tls_->ca_file,
                               "--tls-auth-clients", tls_->asks_clients ? "yes" : "no"});
  }
  for (const std::string& word : more_) {
    if (word == "--cluster-enabled" && tls_) words.insert(words.end(), {"--tls-cluster", "yes"});
    if (word == "--cluster-enabled" && tls_ && !tls_->name.empty()) {
      words.insert(words.end(),
                   {"--cluster-announce-hostname", tls_->name, "--cluster-preferred-endpoint-type", "hostname"});
    }
    if (word == "--cluster-enabled") words.insert(words.end(), {"--cluster-port", std::to_string(bus_port_)});
  }
  std::vector<char*> argv;
  for (std::string& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int null = ::open("/dev/null", O_RDWR);
    ::dup2(null, 1);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  const bool up = wait_for([this] {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      pid_ = 0;
      return true;
    }
    return answers();
  });
  if (!up || pid_ == 0) throw std::runtime_error("redis-server did not start");
}

bool redis_process::answers() const {
  const std::string pong = run({"PING"});
  return pong == "PONG" || pong.starts_with("error: NOAUTH");
}

void redis_process::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void redis_process::freeze() {
  ::kill(pid_, SIGSTOP);
}

void redis_process::thaw() {
  ::kill(pid_, SIGCONT);
}

bool redis_process::follows() const {
  return wait_for([this] { return run({"INFO", "replication"}).find("master_link_status:up") != std::string::npos; });
}

std::string redis_process::run(const std::vector<std::string>& words) const {
  const context c = connect_to(port_);
  if (!c || c->err != 0) return "error: cannot connect";
  std::vector<const char*> argv;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    argv.push_back(word.data());
    sizes.push_back(word.size());
  }
  const answer r(
      static_cast<redisReply*>(redisCommandArgv(c.get(), static_cast<int>(argv.size()), argv.data(), sizes.data())),
      freeReplyObject);
  return r ? shown(*r) : "error: no answer";
}

redis_cluster_processes::redis_cluster_processes(std::size_t masters, bool replicas, std::optional<redis_tls> tls)
    : masters_(masters) {
  const std::size_t count = replicas ? masters * 2 : masters;
  for (std::size_t i = 0; i < count; ++i) {
    nodes.push_back(std::make_unique<redis_process>(
        std::vector<std::string>{"--cluster-enabled", "yes", "--cluster-node-timeout", "1000",
                                 "--repl-ping-replica-period", "1", "--repl-diskless-sync", "yes",
                                 "--repl-diskless-sync-delay", "0", "--cluster-allow-replica-migration", "no"},
        tls));
  }
  for (std::size_t i = 0; i < count; ++i)
    nodes[i]->run({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
  const std::size_t share = 16384 / masters;
  for (std::size_t i = 0; i < masters; ++i) {
    nodes[i]->run({"CLUSTER", "ADDSLOTSRANGE", std::to_string(i * share),
                   std::to_string(i + 1 == masters ? 16383 : (i + 1) * share - 1)});
  }
  for (std::size_t i = 1; i < count; ++i) {
    const std::string port = std::to_string(nodes[i]->port());
    const std::string info = nodes[i]->run({"CONFIG", "GET", "cluster-port"});
    nodes[0]->run({"CLUSTER", "MEET", "127.0.0.1", port, info.substr(info.rfind(' ') + 1)});
  }
  wait_until_stable(count);
  for (std::size_t i = masters; i < count; ++i) {
    const std::string master = id_of(*nodes[i - masters]);
    if (!wait_for([&] { return nodes[i]->run({"CLUSTER", "REPLICATE", master}) == "OK"; })) {
      throw std::runtime_error("no replica");
    }
  }
  for (std::size_t i = masters; i < count; ++i) {
    if (!nodes[i]->follows()) {
      throw std::runtime_error("a replica does not follow");
    }
  }
  // every node must know who replicates whom before a master may fail
  if (replicas && !wait_for([&] {
        for (const auto& node : nodes) {
          const std::string all = node->run({"CLUSTER", "NODES"});
          std::size_t slaves = 0;
          for (std::size_t at = 0; (at = all.find("slave ", at)) != std::string::npos; ++at)
            ++slaves;
          if (slaves != masters) return false;
        }
        return true;
      })) {
    throw std::runtime_error("replicas are not known");
  }
}

void redis_cluster_processes::wait_until_stable(std::size_t known_nodes) {
  const bool stable = wait_for([&] {
    for (const auto& node : nodes) {
      const std::string info = node->run({"CLUSTER", "INFO"});
      if (info.find("cluster_state:ok") == std::string::npos) return false;
      if (info.find("cluster_known_nodes:" + std::to_string(known_nodes)) == std::string::npos) return false;
      if (node->run({"CLUSTER", "SLOTS"}).find('?') != std::string::npos) return false;  // a name that is not known yet
    }
    return true;
  });
  if (!stable) throw std::runtime_error("the cluster does not come up");
}

std::string redis_cluster_processes::urls() const {
  std::string out;
  for (const auto& node : nodes)
    out += (out.empty() ? "" : ",") + node->url();
  return out;
}

std::string redis_cluster_processes::id_of(const redis_process& node) {
  return node.run({"CLUSTER", "MYID"});
}

redis_process* redis_cluster_processes::master_of(std::uint16_t slot) {
  for (const auto& asked : nodes) {
    if (!asked->running()) continue;
    for (const auto& node : nodes) {
      if (!node->running()) continue;
      // a node answers for a slot of its own without MOVED
      const std::string said = node->run({"CLUSTER", "NODES"});
      const std::size_t self = said.find("myself,master");
      if (self == std::string::npos) continue;
      const std::size_t line_end = said.find('\n', self);
      std::string line = said.substr(self, line_end - self);
      for (std::size_t at = line.find(" connected "); at != std::string::npos;) {
        at = line.find_first_of("0123456789", at + 1);
        if (at == std::string::npos) break;
        std::size_t used = 0;
        const unsigned long first = std::stoul(line.substr(at), &used);
        at += used;
        unsigned long last = first;
        if (at < line.size() && line[at] == '-') {
          last = std::stoul(line.substr(at + 1), &used);
          at += used + 1;
        }
        if (slot >= first && slot <= last) return node.get();
        at = line.find(' ', at);
      }
    }
    return nullptr;
  }
  return nullptr;
}

}  // namespace roombus::test
