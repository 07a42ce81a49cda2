#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/temp_folder.hpp"
#include "tests/support/test_certificates.hpp"

namespace roombus::test {

/// How a Redis speaks TLS.
struct redis_tls {
  certificate_files own;
  std::string ca_file;        ///< of its clients
  bool asks_clients = false;  ///< only clients with a certificate get in
  std::string name = {};      ///< by which nodes of a cluster name themselves; empty: by their addresses
};

/// A redis-server of a test's own on a free port of loopback, with an append-only file that is written before replies.
/// It ends with the object, or with the test's process.
class redis_process {
 public:
  /// With `tls` clients speak TLS at `port`; what the test itself says (`run`) goes to another port without it.
  explicit redis_process(std::vector<std::string> more_options = {}, std::optional<redis_tls> tls = {});
  ~redis_process();
  redis_process(const redis_process&) = delete;
  redis_process& operator=(const redis_process&) = delete;

  /// Starts it on the same port and files, and waits until it accepts connections.
  void start();
  /// SIGKILL.
  void kill();
  /// SIGSTOP and SIGCONT.
  void freeze();
  void thaw();
  /// Waits until it has all that its master has; false if that takes too long.
  [[nodiscard]] bool follows() const;
  [[nodiscard]] bool running() const { return pid_ > 0; }
  [[nodiscard]] std::uint16_t port() const { return tls_ ? tls_port_ : port_; }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port()); }
  [[nodiscard]] std::string url() const { return (tls_ ? "rediss://" : "redis://") + address(); }

  /// Runs one command on a connection of its own; the answer as text, lists as items joined by blanks, errors with
  /// "error: " before them.
  std::string run(const std::vector<std::string>& words) const;

 private:
  [[nodiscard]] bool answers() const;

  temp_folder folder_;
  std::vector<std::string> more_;
  std::optional<redis_tls> tls_;
  std::uint16_t port_ = 0;
  std::uint16_t tls_port_ = 0;
  std::uint16_t bus_port_ = 0;
  pid_t pid_ = 0;
};

/// Masters with all slots between them, and a replica of each when wanted; stable once made.
class redis_cluster_processes {
 public:
  explicit redis_cluster_processes(std::size_t masters = 3, bool replicas = false, std::optional<redis_tls> tls = {});

  [[nodiscard]] std::string urls() const;
  /// Masters first, then the replica of the first, of the second …
  std::vector<std::unique_ptr<redis_process>> nodes;
  [[nodiscard]] std::size_t masters() const { return masters_; }
  /// The master that serves a slot now, by what a living node says; null when none does.
  redis_process* master_of(std::uint16_t slot);
  [[nodiscard]] static std::string id_of(const redis_process& node);

 private:
  void wait_until_stable(std::size_t known_nodes);

  std::size_t masters_;
};

}  // namespace roombus::test
