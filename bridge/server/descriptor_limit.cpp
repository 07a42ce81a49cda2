#include "bridge/server/descriptor_limit.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace roombus::server {

namespace {

constexpr std::size_t of_the_program =
    64;  // log, listeners, event loop, database, broker link; what others open briefly
constexpr std::size_t of_redis = 32;
constexpr std::size_t of_redis_cluster = 128;
constexpr std::size_t most_of_operators = 1'024;  // on the admin listener, where there are not enough for all

std::size_t reserve_of(const config& settings) {
  std::size_t reserve = of_the_program;
  if (settings.store.kind == store_kind::redis) reserve += settings.store.cluster ? of_redis_cluster : of_redis;
  if (!settings.hooks.http.hooks.empty()) reserve += settings.hooks.http.max_connections;
  return reserve;
}

}  // namespace

std::optional<std::size_t> raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return std::nullopt;
  if (limit.rlim_cur != limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  if (limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return static_cast<std::size_t>(limit.rlim_cur);
}

std::string fit_connections(config& settings, std::optional<std::size_t> limit) {
  settings.within_descriptors.reset();
  if (!limit) return "";
  const std::size_t wanted = settings.http.max_connections;
  const std::size_t reserve = std::min(reserve_of(settings), *limit / 2);
  const std::size_t left = *limit - reserve;
  if (left >= wanted && left - wanted >= wanted) return "";
  config::listener_bounds bounds;
  bounds.admin = std::max<std::size_t>(1, std::min({wanted, most_of_operators, left / 8}));
  bounds.http = std::max<std::size_t>(1, std::min(wanted, left - std::min(left, bounds.admin)));
  settings.within_descriptors = bounds;
  if (bounds.http >= wanted) return "";
  return "at most " + std::to_string(bounds.http) + " connections of clients, not " + std::to_string(wanted) +
         " (http.max_connections): the process may open " + std::to_string(*limit) + " files, of which " +
         std::to_string(reserve + bounds.admin) +
         " are for operators, store, broker and hooks; raise the hard limit (ulimit -Hn, LimitNOFILE)";
}

}  // namespace roombus::server
