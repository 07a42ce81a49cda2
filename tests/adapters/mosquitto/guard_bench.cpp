// What the plugin's decision costs at one delivery: `guard_bench [connections] [rooms each]`. Not a test.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "adapters/mosquitto/mosquitto_configuration.hpp"
#include "adapters/mosquitto/plugin/broker_guard.hpp"
#include "tests/support/fakes.hpp"

namespace {

struct no_broker final : roombus::plugin::broker_actions {
  void publish(const std::string&, std::string) override {}
  void kick(const std::string&) override {}
};

}  // namespace

int main(int argc, char** argv) {
  using namespace roombus::plugin;
  const std::size_t connections = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000;
  const std::size_t rooms = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 10;
  roombus::test::fake_random random;
  no_broker broker;
  guard_options options;
  options.dev = true;
  roombus::test::fake_clock time;
  roombus::test::recording_log log;
  broker_guard guard(options, "bench", broker, time, log);
  if (!guard.load_bridges(roombus::mosquitto::render_password("bridge", "x", random)).empty()) return 1;
  std::vector<char> keys(connections + 1);
  if (guard.authenticate(&keys[connections], "bridge", "x", "b") != broker_guard::login::accepted) return 1;
  const auto now = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  };
  if (!guard.control(&keys[connections], "roombus 1 i l - 1 3600000\nhello", now())) return 1;
  std::vector<std::string> users;
  std::vector<std::string> clients;
  std::uint64_t sequence = 1;
  for (std::size_t i = 0; i < connections; ++i) {
    users.push_back("user" + std::to_string(i));
    clients.push_back("client" + std::to_string(i));
    if (guard.authenticate(&keys[i], users[i], "", clients[i]) != broker_guard::login::accepted) return 1;
    std::string text = "roombus 1 i l bench " + std::to_string(++sequence) + " 3600000";
    for (std::size_t r = 0; r < rooms; ++r)
      text += "\ngrant " + users[i] + " " + clients[i] + " " + std::to_string(i + 2) + " - room" + std::to_string(r);
    if (!guard.control(&keys[connections], text, now())) return 1;
  }
  const std::string topic = "roombus/r/room" + std::to_string(rooms - 1) + "/json/roomMessage";
  std::size_t allowed = 0;
  std::size_t asked = 0;
  const auto begin = std::chrono::steady_clock::now();
  while (asked < 5'000'000) {
    for (std::size_t i = 0; i < connections; ++i)
      allowed += guard.may_read(&keys[i], users[i], clients[i], topic, now()) ? 1 : 0;
    asked += connections;
  }
  const auto spent = std::chrono::steady_clock::now() - begin;
  if (allowed != asked) return 1;
  std::printf("%zu connections with %zu rooms: %.1f ns per delivery\n", connections, rooms,
              static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(spent).count()) /
                  static_cast<double>(asked));
  return 0;
}
