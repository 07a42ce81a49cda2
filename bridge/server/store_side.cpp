#include "bridge/server/store_side.hpp"

#include <sys/stat.h>

#include <filesystem>

#include "adapters/loop/event_loop.hpp"
#include "adapters/memory/memory_store.hpp"
#include "adapters/redis/redis_store.hpp"
#include "adapters/sqlite/sqlite_store.hpp"

namespace roombus::server {

namespace {

// A configured directory that is missing is a mistake, perhaps a disk that is not mounted; ours is made.
void make_default_directory(const std::string& path) {
  if (path != default_store_path) return;
  // what goes wrong here is told when the file is opened
  ::mkdir(std::filesystem::path(path).parent_path().c_str(), 0700);
}

}  // namespace

store_side::store_side(const config::store_section& settings, const std::string& instance, environment env) {
  switch (settings.kind) {
    case store_kind::memory:
      data = make_memory_store(env.time);
      return;
    case store_kind::sqlite: {
      make_default_directory(settings.path);
      sqlite_options options;
      options.path = settings.path;
      options.sync = settings.sync;
      opened_store opened = open_sqlite_store(options, env.time, env.loop, env.log, env.metrics);
      data = std::move(opened.data);
      error = std::move(opened.error);
      if (data) {
        env.log.write(roombus::log_level::info, "store_open", "rooms and users are kept in " + settings.path);
      } else {
        data = make_memory_store(env.time);
      }
      return;
    }
    case store_kind::redis: {
      redis_options options;
      options.urls = redis::redis_url::parse_list(settings.redis).value_or(options.urls);
      options.cluster = settings.cluster;
      options.prefix = settings.prefix;
      options.client_name = "roombus-" + instance;
      options.timeout = std::chrono::milliseconds(settings.timeout);
      options.replicas = settings.replicas;
      options.replica_timeout = std::chrono::milliseconds(settings.replica_timeout);
      for (const redis::redis_url& url : options.urls)
        remote += (remote.empty() ? "Redis at " : ", ") + url.address.str();
      if (!options.urls.empty() && options.urls.front().tls) {
        net::opened_tls_context opened = net::open_tls_context(settings.redis_tls);
        error = std::move(opened.error);  // the files were there when the configuration was checked
        options.tls = std::move(opened.context);
        remote += " (TLS)";
      }
      env.log.write(roombus::log_level::info, "store_open", "rooms and users are kept in " + remote);
      std::unique_ptr<shared_store> opened =
          make_redis_store(std::move(options), redis_environment{env.loop, env.time, env.random, env.log, env.metrics});
      shared = opened.get();
      data = std::move(opened);
      return;
    }
  }
}

}  // namespace roombus::server
