#include "core/metrics.hpp"

#include <charconv>
#include <set>

namespace roombus {

counter& metrics_registry::add_counter(std::string name, std::string help, std::string labels) {
  rows_.push_back({std::move(name), std::move(help), std::move(labels), {}, {}});
  return rows_.back().count;
}

void metrics_registry::add_gauge(std::string name, std::string help, std::function<double()> read, std::string labels) {
  rows_.push_back({std::move(name), std::move(help), std::move(labels), {}, std::move(read)});
}

std::string metrics_registry::render() const {
  std::string out;
  std::set<std::string_view> named;
  auto render_row = [&](const row& r) {
    out += r.name;
    if (!r.labels.empty()) out += '{' + r.labels + '}';
    out += ' ';
    if (r.gauge) {
      char digits[32];
      auto end = std::to_chars(digits, digits + sizeof digits, r.gauge()).ptr;
      out.append(digits, end);
    } else {
      out += std::to_string(r.count.count());
    }
    out += '\n';
  };
  for (const row& first : rows_) {
    if (!named.insert(first.name).second) continue;
    out += "# HELP " + first.name + ' ' + first.help + '\n';
    out += "# TYPE " + first.name + (first.gauge ? " gauge\n" : " counter\n");
    for (const row& r : rows_) {
      if (r.name == first.name) render_row(r);
    }
  }
  return out;
}

}  // namespace roombus
