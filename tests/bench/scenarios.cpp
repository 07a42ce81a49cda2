// The scenarios of docs/benchmarks.md. All are closed loops: the next request leaves when an answer came.

#include "tests/bench/scenarios.hpp"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include "tests/bench/process_usage.hpp"

namespace roombus::bench {

namespace {

using clock = poll_loop::clock;
using seconds = std::chrono::duration<double>;
using clients = std::vector<std::unique_ptr<chat_client>>;

constexpr std::chrono::seconds setup_limit(60);

std::string quoted(const std::string& text) {
  return '"' + text + '"';
}

// 64 bytes of text
const std::string message = "{\"textMessage\":\"" + std::string(64, 'x') + "\"}";

class flat_json {
 public:
  flat_json& add(const char* key, double value) {
    out_ << (first_ ? "{" : ",") << '"' << key << "\":" << std::setprecision(6) << value;
    first_ = false;
    return *this;
  }
  [[nodiscard]] std::string str() const { return out_.str() + "}"; }

 private:
  std::ostringstream out_;
  bool first_ = true;
};

// Clients, a loop, and the window that is measured.
class bench_run {
 public:
  explicit bench_run(const run_options& options) : options_(options) {}

  void wait(const std::function<bool()>& done, const char* what) {
    if (!loop.run(done, clock::now() + setup_limit)) fail(std::string("no ") + what);
  }

  /// Connects more clients, a few hundred at a time so that no listen queue overflows.
  void connect(std::size_t count) {
    const std::size_t goal = all.size() + count;
    while (all.size() < goal) {
      const std::size_t batch = std::min<std::size_t>(goal - all.size(), 100);
      for (std::size_t i = 0; i < batch; ++i) {
        all.push_back(
            connect_client(loop, options_.to, options_.speaks, options_.tag + "-u" + std::to_string(all.size())));
      }
      wait(
          [&] {
            return std::all_of(all.end() - static_cast<std::ptrdiff_t>(batch), all.end(),
                               [](const auto& c) { return c->ready(); });
          },
          "login");
    }
  }

  /// One command of one client, and its answer.
  void command(chat_client& client, std::string_view name, const std::string& arguments) {
    const std::uint64_t before = client.answers();
    client.call(name, arguments);
    wait([&] { return client.answers() > before; }, "answer while setting up");
  }

  std::string make_room(std::size_t number) {
    std::string room = quoted(options_.tag + "-room" + std::to_string(number));
    command(*all.front(), "roomCreate", room + ",false");
    return room;
  }

  /// Runs through warm-up and window.
  void measure() {
    loop.run([] { return false; },
             clock::now() + std::chrono::duration_cast<clock::duration>(seconds(options_.warmup)));
    measuring = true;
    const process_usage before = read_usage(options_.pids);
    const auto start = clock::now();
    loop.run([] { return false; }, start + std::chrono::duration_cast<clock::duration>(seconds(options_.seconds)));
    const process_usage after = read_usage(options_.pids);
    measuring = false;
    elapsed = seconds(clock::now() - start).count();
    for (std::size_t i = 0; i < options_.pids.size(); ++i) {
      cpu_us.push_back((after.cpu_seconds[i] - before.cpu_seconds[i]) * 1e6);
      cpu_us_all += cpu_us.back();
    }
  }

  /// CPU of all processes and of each per unit of `count`.
  void add_cpu(flat_json& json, const char* key, std::uint64_t count) const {
    if (options_.pids.empty() || count == 0) return;
    json.add(key, cpu_us_all / static_cast<double>(count));
    for (std::size_t i = 0; options_.pids.size() > 1 && i < cpu_us.size(); ++i) {
      json.add((std::string(key) + "_process" + std::to_string(i)).c_str(), cpu_us[i] / static_cast<double>(count));
    }
  }

  poll_loop loop;
  clients all;
  bool measuring = false;
  double elapsed = 0;
  double cpu_us_all = 0;
  std::vector<double> cpu_us;

 private:
  const run_options& options_;
};

std::size_t count_or(const run_options& options, std::size_t usual) {
  return options.count == 0 ? usual : options.count;
}

std::string run_rooms(const run_options& options) {
  constexpr std::size_t rooms = 10;
  constexpr int in_flight = 4;
  bench_run run(options);
  run.connect(count_or(options, 50));
  std::vector<std::string> room;
  for (std::size_t i = 0; i < rooms; ++i)
    room.push_back(run.make_room(i));
  std::uint64_t acked = 0;
  std::uint64_t delivered = 0;
  for (std::size_t i = 0; i < run.all.size(); ++i)
    run.command(*run.all[i], "roomJoin", room[i % rooms]);
  for (std::size_t i = 0; i < run.all.size(); ++i) {
    chat_client& client = *run.all[i];
    const std::string arguments = room[i % rooms] + "," + message;
    client.on_message = [&] { delivered += run.measuring ? 1 : 0; };
    client.on_answer = [&, arguments] {
      acked += run.measuring ? 1 : 0;
      client.call("roomMessage", arguments);
    };
    for (int k = 0; k < in_flight; ++k)
      client.call("roomMessage", arguments);
  }
  run.measure();
  flat_json json;
  json.add("acked_per_second", static_cast<double>(acked) / run.elapsed);
  json.add("delivered_per_second", static_cast<double>(delivered) / run.elapsed);
  run.add_cpu(json, "cpu_us_per_message", acked);
  return json.str();
}

std::string run_fan_out(const run_options& options) {
  bench_run run(options);
  const std::size_t subscribers = count_or(options, 1000);
  run.connect(subscribers + 1);
  const std::string room = run.make_room(0);
  for (auto& client : run.all)
    run.command(*client, "roomJoin", room);
  chat_client& sender = *run.all.front();
  std::uint64_t delivered = 0;
  std::uint64_t rounds = 0;
  // the next message leaves when everybody has the last one, and the sender its answer
  std::size_t missing = 0;
  const auto next = [&] {
    missing = run.all.size() + 1;
    sender.call("roomMessage", room + "," + message);
  };
  const auto got = [&] {
    if (--missing > 0) return;
    rounds += run.measuring ? 1 : 0;
    next();
  };
  for (auto& client : run.all) {
    client->on_message = [&] {
      delivered += run.measuring ? 1 : 0;
      got();
    };
  }
  sender.on_answer = got;
  next();
  run.measure();
  flat_json json;
  json.add("subscribers", static_cast<double>(run.all.size()));
  json.add("messages_per_second", static_cast<double>(rounds) / run.elapsed);
  json.add("delivered_per_second", static_cast<double>(delivered) / run.elapsed);
  run.add_cpu(json, "cpu_us_per_delivery", delivered);
  return json.str();
}

// A closed loop of one read request, with `in_flight` on each connection.
std::string run_requests(const run_options& options, std::size_t connections, int in_flight, bool history) {
  bench_run run(options);
  run.connect(connections);
  const std::string room = run.make_room(0);
  for (auto& client : run.all)
    run.command(*client, "roomJoin", room);
  for (int i = 0; history && i < 100; ++i)
    run.command(*run.all.front(), "roomMessage", room + "," + message);
  const std::string name = history ? "roomHistoryGet" : "roomMessage";
  const std::string arguments = history ? room + ",0,100" : room + "," + message;
  std::uint64_t answered = 0;
  std::vector<double> latencies;
  auto sent = clock::now();
  for (auto& each : run.all) {
    chat_client& client = *each;
    client.on_answer = [&] {
      answered += run.measuring ? 1 : 0;
      if (!history && run.measuring) latencies.push_back(seconds(clock::now() - sent).count() * 1e6);
      sent = clock::now();
      client.call(name, arguments);
    };
    for (int k = 0; k < in_flight; ++k)
      client.call(name, arguments);
  }
  run.measure();
  flat_json json;
  json.add("requests_per_second", static_cast<double>(answered) / run.elapsed);
  run.add_cpu(json, "cpu_us_per_request", answered);
  if (!latencies.empty()) {
    std::sort(latencies.begin(), latencies.end());
    const auto at = [&](double share) {
      return latencies[static_cast<std::size_t>(share * static_cast<double>(latencies.size() - 1))];
    };
    json.add("latency_us_median", at(0.5)).add("latency_us_p99", at(0.99)).add("latency_us_max", latencies.back());
  }
  return json.str();
}

std::string run_history(const run_options& options) {
  return run_requests(options, count_or(options, 10), 4, true);
}

std::string run_one_at_a_time(const run_options& options) {
  return run_requests(options, 1, 1, false);
}

std::string run_idle(const run_options& options) {
  bench_run run(options);
  // the first connections pay for what all share
  run.connect(50);
  const process_usage before = read_usage(options.pids);
  const std::size_t connections = count_or(options, 2000);
  run.connect(connections);
  run.measure();
  const process_usage after = read_usage(options.pids);
  double bytes = 0;
  for (std::size_t i = 0; i < options.pids.size(); ++i) {
    bytes += static_cast<double>(after.rss_bytes[i] - before.rss_bytes[i]);
  }
  flat_json json;
  json.add("connections", static_cast<double>(connections));
  json.add("bytes_per_connection", bytes / static_cast<double>(connections));
  json.add("cpu_percent_while_idle", run.cpu_us_all / run.elapsed / 1e4);
  return json.str();
}

}  // namespace

const std::vector<scenario>& all_scenarios() {
  static const std::vector<scenario> all = {
      {"rooms", "50 connections with 4 messages in flight each, in 10 rooms", run_rooms},
      {"fanout", "1 sender, 1000 subscribers", run_fan_out},
      {"history", "10 connections ask for 100 messages, 4 requests in flight each", run_history},
      {"idle", "2000 connections that do nothing", run_idle},
      {"one", "one message at a time on one connection", run_one_at_a_time},
  };
  return all;
}

}  // namespace roombus::bench
