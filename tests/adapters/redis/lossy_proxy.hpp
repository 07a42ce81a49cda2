#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

namespace roombus::test {

/// Stands between a client and a server on loopback, for one connection at a time, on a thread of its own. When told,
/// it lets what the client says through, and ends the connection instead of handing over the next answer.
class lossy_proxy {
 public:
  explicit lossy_proxy(std::uint16_t server_port);
  ~lossy_proxy();
  lossy_proxy(const lossy_proxy&) = delete;
  lossy_proxy& operator=(const lossy_proxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void lose_next_answer() { lose_ = true; }
  /// How many answers were lost.
  [[nodiscard]] int lost() const { return lost_; }

 private:
  void run();
  bool pass_on(int from, int to, bool is_answer);

  const std::uint16_t server_port_;
  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<bool> lose_ = false;
  std::atomic<int> lost_ = 0;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace roombus::test
