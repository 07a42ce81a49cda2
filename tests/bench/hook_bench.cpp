// What a command costs in the core without hooks and with C++ hooks: no wire, the memory store, one thread.
//
//   roombus_hook_bench [--commands 200000] [--runs 7]
//
// Prints ns per command: the median of the runs, their lowest and highest. What hooks over HTTP cost is measured by
// tests/bench/hook_cost.mjs.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "adapters/memory/memory_store.hpp"
#include "core/service.hpp"
#include "tests/support/fakes.hpp"

namespace roombus::test {

namespace {

using steady = std::chrono::steady_clock;

struct settings {
  std::size_t commands = 200'000;
  std::size_t runs = 7;
};

task<hook_answer> answer_of(hook_answer answer) {
  co_return answer;
}
task<result<void>> accept() {
  co_return result<void>{};
}

command_hook saying(const hook_answer& answer) {
  return [answer](const hook_context&) { return answer_of(answer); };
}

struct world {
  explicit world(service_hooks hooks) {
    chat.set_hooks(std::move(hooks));
    room_settings room;
    room.owner = user_name("ann");
    room.history_max_size = 100;
    chat.add_room(room_name("room"), room).take().value();
  }
  /// One command; the process ends if it is refused, for then nothing was measured.
  void run(const char* command, const value_list& args) {
    call c;
    c.user = user_name("ann");
    c.bypass_permissions = true;
    c.command = command;
    c.args = args;
    task<reply> running = chat.execute(std::move(c));
    const reply answer = running.take();
    if (answer) return;
    std::fprintf(stderr, "%s was refused\n", command);
    std::exit(1);
  }

  fake_clock time;
  fake_random random;
  fake_scheduler timers;
  recording_log log;
  metrics_registry metrics;
  std::unique_ptr<store> data = make_memory_store(time);
  service chat{chat_options(), chat_limits(), "bench", service::environment{*data, time, random, timers, log, metrics}};
};

void measure(const settings& s, const char* label, const char* command, const value_list& args, service_hooks hooks) {
  world w(std::move(hooks));
  std::vector<double> times;
  for (std::size_t run = 0; run <= s.runs; ++run) {
    const auto begin = steady::now();
    for (std::size_t i = 0; i < s.commands; ++i)
      w.run(command, args);
    const std::chrono::duration<double, std::nano> took = steady::now() - begin;
    if (run > 0) times.push_back(took.count() / static_cast<double>(s.commands));  // the first warms up
  }
  std::sort(times.begin(), times.end());
  std::printf("%-14s %-32s %6.0f ns  (%.0f..%.0f)\n", command, label, times[times.size() / 2], times.front(),
              times.back());
}

void measure_all(const settings& s, command id, const char* name, const value_list& args) {
  measure(s, "no hook", name, args, service_hooks());

  service_hooks other;
  other.before[command::system_message] = saying(hook_answer());
  measure(s, "a hook of another command", name, args, std::move(other));

  service_hooks before;
  before.before[id] = saying(hook_answer());
  measure(s, "before", name, args, before);

  before.after[id] = saying(hook_answer());
  measure(s, "before and after", name, args, before);

  hook_answer changed;
  changed.args = args;
  service_hooks changing;
  changing.before[id] = saying(changed);
  measure(s, "before that changes arguments", name, args, std::move(changing));

  if (id != command::room_message) return;
  service_hooks checking;
  checking.room_messages_checker = [](value) { return accept(); };
  measure(s, "checker", name, args, std::move(checking));
}

}  // namespace

int hook_bench(int argc, char** argv) {
  settings s;
  for (int i = 1; i + 1 < argc; i += 2) {
    const auto n = static_cast<std::size_t>(std::max(1L, std::strtol(argv[i + 1], nullptr, 10)));
    if (std::strcmp(argv[i], "--commands") == 0) s.commands = n;
    if (std::strcmp(argv[i], "--runs") == 0) s.runs = n;
  }
  const value_list room{value("room")};
  measure_all(s, command::room_get_owner, "roomGetOwner", room);
  const value_list message{value("room"), value(value_map{{"textMessage", value(std::string(64, 'x'))}})};
  measure_all(s, command::room_message, "roomMessage", message);
  return 0;
}

}  // namespace roombus::test

int main(int argc, char** argv) {
  return roombus::test::hook_bench(argc, argv);
}
