// roombus_load: load for roombus and for what speaks the same protocol. One JSON line per run on standard output.

#include <charconv>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include <sys/resource.h>

#include "tests/bench/scenarios.hpp"

namespace roombus::bench {

namespace {

const std::map<std::string, protocol> protocols = {
    {"eio3", protocol::eio3}, {"eio4", protocol::eio4}, {"mqtt", protocol::mqtt311}, {"mqtt5", protocol::mqtt5}};

[[noreturn]] void usage() {
  std::cerr << "roombus_load --to HOST:PORT --protocol eio3|eio4|mqtt|mqtt5 --scenario NAME [--pid PID[,PID...]]\n"
               "             [--seconds S] [--warmup S] [--count N] [--tag TEXT]\n\nscenarios:\n";
  for (const scenario& s : all_scenarios())
    std::cerr << "  " << s.name << ": " << s.help << "\n";
  std::exit(2);
}

template <class T>
T number(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) fail("not a number: " + text);
  return value;
}

// Thousands of connections need as many descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

int run(int argc, char** argv) {
  std::map<std::string, std::string> given;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    if (i + 1 >= argc || !name.starts_with("--")) usage();
    given[name.substr(2)] = argv[i + 1];
  }
  run_options options;
  const scenario* chosen = nullptr;
  for (const auto& [name, value] : given) {
    if (name == "to") {
      options.to = address::parse(value);
    } else if (name == "protocol") {
      const auto found = protocols.find(value);
      if (found == protocols.end()) usage();
      options.speaks = found->second;
    } else if (name == "scenario") {
      for (const scenario& s : all_scenarios()) {
        if (s.name == value) chosen = &s;
      }
    } else if (name == "pid") {
      std::istringstream list(value);
      for (std::string pid; std::getline(list, pid, ',');)
        options.pids.push_back(number<pid_t>(pid));
    } else if (name == "seconds") {
      options.seconds = number<double>(value);
    } else if (name == "warmup") {
      options.warmup = number<double>(value);
    } else if (name == "count") {
      options.count = number<std::size_t>(value);
    } else if (name == "tag") {
      options.tag = value;
    } else {
      usage();
    }
  }
  if (options.to.port == 0 || chosen == nullptr) usage();
  raise_descriptor_limit();
  std::cout << chosen->run(options) << std::endl;
  return 0;
}

}  // namespace

}  // namespace roombus::bench

int main(int argc, char** argv) {
  return roombus::bench::run(argc, argv);
}
