// Appended messages per second of the stores, without anything around them.
//
//   roombus_store_bench [--seconds 3] [--runs 3] [--bytes 64] [--rooms 10] [--folder DIR] [--redis URLS]
//
// DIR is where the SQLite file goes; its disk is what is measured. URLS names a Redis to measure too, or, with commas,
// nodes of a Redis Cluster. Prints one line per store and number of appends in
// flight: the median of the runs, and their lowest and highest.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/memory/memory_store.hpp"
#include "adapters/redis/redis_store.hpp"
#include "adapters/sqlite/sqlite_store.hpp"
#include "tests/contract/posting_scheduler.hpp"
#include "tests/support/fakes.hpp"
#include "tests/support/live_loop.hpp"

namespace roombus::test {

namespace {

using steady = std::chrono::steady_clock;

struct settings {
  double seconds = 3;
  int runs = 3;
  std::size_t bytes = 64;
  int rooms = 10;
  std::string folder = ".";
  std::string redis;
};

using run_until_function = std::function<bool(const std::function<bool()>&, std::chrono::milliseconds)>;

/// What moves a store.
struct motor {
  scheduler& turns;
  run_until_function run_until;
};

struct load {
  store* data = nullptr;
  scheduler* turns = nullptr;
  value_map message;
  steady::time_point end;
  std::uint64_t acked = 0;
  std::uint64_t failed = 0;
  int running = 0;
};

task<void> send(load& l, room_name room) {
  ++l.running;
  std::uint64_t since_turn = 0;
  while (steady::now() < l.end) {
    append_request request;
    request.room = room;
    request.by.bypass = true;
    request.message = &l.message;
    request.now_ms = 1;
    auto done = co_await l.data->append(std::move(request));
    if (done) {
      ++l.acked;
    } else {
      ++l.failed;
    }
    if (++since_turn % 64 != 0) continue;
    completion<bool> turn;  // a store that never waits must let the others run
    l.turns->post([turn] { turn.complete(true); });
    co_await turn;
  }
  --l.running;
}

double messages_per_second(const settings& s, store& data, const motor& turns, int in_flight) {
  load l;
  l.data = &data;
  l.turns = &turns.turns;
  l.message =
      value_map{{"textMessage", value(std::string(s.bytes, 'x'))}, {"author", value("ann")}, {"timestamp", value(1)}};
  for (int i = 0; i < s.rooms; ++i) {
    room_settings room;
    room.epoch = "e";
    bool added = false;
    auto adding = data.add_room(room_name("room " + std::to_string(i)), room);
    turns.run_until([&] { return added = adding.done(); }, std::chrono::seconds(20));
    if (!added) return 0;
  }
  const auto begin = steady::now();
  l.end = begin + std::chrono::duration_cast<steady::duration>(std::chrono::duration<double>(s.seconds));
  for (int i = 0; i < in_flight; ++i)
    send(l, room_name("room " + std::to_string(i % s.rooms))).detach();
  turns.run_until([&] { return l.running == 0; }, std::chrono::seconds(120));
  const std::chrono::duration<double> took = steady::now() - begin;
  if (l.failed > 0) std::printf("%llu failed\n", static_cast<unsigned long long>(l.failed));
  return static_cast<double>(l.acked) / took.count();
}

double one_redis_run(const settings& s, int in_flight, log_sink& log, metrics_registry& metrics) {
  live_loop live;
  system_clock time;
  system_random random;
  redis_options options;
  options.urls = redis::redis_url::parse_list(s.redis).value_or(options.urls);
  options.cluster = options.urls.size() > 1;
  options.prefix = "bench-" + random_hex(random, 4);
  const auto data = make_redis_store(options, redis_environment{live.loop, time, random, log, metrics});
  const motor turns{live.loop, [&live](const auto& done, auto limit) { return live.run_until(done, limit); }};
  const double rate = messages_per_second(s, *data, turns, in_flight);
  for (int i = 0; i < s.rooms; ++i) {
    auto removing = data->remove_room(room_name("room " + std::to_string(i)), actor(user_name(), true));
    live.run_until([&removing] { return removing.done(); });
  }
  return rate;
}

double one_run(const settings& s, const std::string& kind, int in_flight) {
  fake_clock time;
  recording_log log;
  metrics_registry metrics;
  if (kind == "redis") return one_redis_run(s, in_flight, log, metrics);
  posting_scheduler posts;
  const motor turns{posts, [&posts](const auto& done, auto limit) { return posts.run_until(done, limit); }};
  if (kind == "memory") return messages_per_second(s, *make_memory_store(time), turns, in_flight);
  sqlite_options options;
  options.path = s.folder + "/store_bench.db";
  options.sync = kind == "sqlite full" ? sync_mode::full : sync_mode::normal;
  const auto remove_files = [&] {
    for (const char* end : {"", "-wal", "-journal"})
      std::filesystem::remove(options.path + end);
  };
  remove_files();
  double rate = 0;
  {
    opened_store opened = open_sqlite_store(options, time, posts, log, metrics);
    if (!opened.data) {
      std::fprintf(stderr, "%s\n", opened.error.c_str());
      std::exit(1);
    }
    rate = messages_per_second(s, *opened.data, turns, in_flight);
  }
  remove_files();
  return rate;
}

int run(const settings& s) {
  std::printf("%-14s %10s %12s %12s %12s\n", "store", "in flight", "median/s", "lowest/s", "highest/s");
  std::vector<const char*> kinds{"memory", "sqlite normal", "sqlite full"};
  if (!s.redis.empty()) kinds.push_back("redis");
  for (const char* kind : kinds) {
    for (const int in_flight : {1, 8, 64, 512}) {
      std::vector<double> rates;
      for (int i = 0; i < s.runs; ++i)
        rates.push_back(one_run(s, kind, in_flight));
      std::sort(rates.begin(), rates.end());
      std::printf("%-14s %10d %12.0f %12.0f %12.0f\n", kind, in_flight, rates[rates.size() / 2], rates.front(),
                  rates.back());
      std::fflush(stdout);
    }
  }
  return 0;
}

}  // namespace

}  // namespace roombus::test

int main(int count, char** words) {
  roombus::test::settings s;
  for (int i = 1; i < count; i += 2) {
    const std::string name = words[i];
    const char* text = i + 1 < count ? words[i + 1] : "";
    if (name == "--seconds") {
      s.seconds = std::atof(text);
    } else if (name == "--runs") {
      s.runs = std::max(1, std::atoi(text));
    } else if (name == "--bytes") {
      s.bytes = static_cast<std::size_t>(std::max(0, std::atoi(text)));
    } else if (name == "--rooms") {
      s.rooms = std::max(1, std::atoi(text));
    } else if (name == "--folder") {
      s.folder = text;
    } else if (name == "--redis" && roombus::redis::redis_url::parse_list(text)) {
      s.redis = text;
    } else {
      std::fprintf(stderr, "unknown option %s\n", name.c_str());
      return 2;
    }
  }
  return roombus::test::run(s);
}
