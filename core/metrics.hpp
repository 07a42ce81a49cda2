#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace roombus {

/// Counts up. Belongs to the core's one thread.
class counter {
 public:
  void add(std::uint64_t n = 1) { count_ += n; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  std::uint64_t count_ = 0;
};

/// The program's counters and gauges, in the order in which they were added.
class metrics_registry {
 public:
  /// `name` in Prometheus form with unit or `_total`; `labels` as `key="value"` or empty; the reference stays valid.
  counter& add_counter(std::string name, std::string help, std::string labels = {});
  /// `read` is called at each scrape.
  void add_gauge(std::string name, std::string help, std::function<double()> read, std::string labels = {});
  /// All of them in the Prometheus text format 0.0.4, each name with one HELP and one TYPE line.
  [[nodiscard]] std::string render() const;

 private:
  struct row {
    std::string name;
    std::string help;
    std::string labels;
    counter count;
    std::function<double()> gauge;
  };
  std::deque<row> rows_;  // a deque: rows never move
};

}  // namespace roombus
