#include "adapters/sqlite/sqlite_store.hpp"

#include <chrono>

#include "adapters/sqlite/schema.hpp"
#include "adapters/sqlite/store_impl.hpp"

namespace roombus {

namespace sqlite {

namespace {
constexpr std::chrono::milliseconds late_delay{200};
constexpr std::size_t max_late_rows = 1000;  // in one change
}  // namespace

sqlite_store::sqlite_store(std::unique_ptr<tables> rows, const sqlite_options& options, clock& time, scheduler& turns,
                           log_sink& log, metrics_registry& metrics)
    : time_(time),
      turns_(turns),
      rooms_(turns, options.max_cached_rooms, options.cache_bytes / 4 * 3,
             [this](room_pointer entry) { return load_room(std::move(entry)); }),
      users_(turns, options.max_cached_users, options.cache_bytes / 4,
             [this](user_pointer entry) { return load_user(std::move(entry)); }),
      last_room_row_(rows->last_room()),
      last_user_row_(rows->last_user()),
      queue_(std::move(rows), commit_queue::bounds{options.max_pending, options.max_pending_bytes}, turns, log, metrics,
             [this] { abandon_pending(); }) {
  metrics.add_gauge("roombus_store_cache_bytes", "Rooms, users and recent messages that the store keeps in memory.",
                    [this, living = std::weak_ptr<bool>(living_)] {
                      return living.expired() ? 0.0 : static_cast<double>(rooms_.cost() + users_.cost());
                    });
}

sqlite_store::~sqlite_store() {
  late_timer_.cancel();
  if (late_seen_.empty()) return;
  // the queue commits it before it ends; nobody waits for it
  queue_.write(
      [late = late_seen_](tables& rows) {
        for (const auto& [key, row] : late)
          rows.set_seen(row);
      },
      0);
}

void sqlite_store::abandon_pending() {
  for (const room_pointer& entry : appending_)
    entry->log.abandon();
  appending_.clear();
}

void sqlite_store::write_late(seen_row row) {
  std::pair<std::int64_t, std::string> key{row.room, row.user};
  late_seen_.insert_or_assign(std::move(key), std::move(row));
  if (late_under_way_) return;
  late_under_way_ = true;
  late_timer_ = turns_.after(late_delay, [this] { flush_late(); });
}

void sqlite_store::supersede_late(const seen_row& row) {
  late_seen_.erase({row.room, row.user});
}

void sqlite_store::flush_late() {
  late_under_way_ = false;
  if (late_seen_.empty()) return;
  late_under_way_ = true;
  seen_rows batch;
  for (const auto& [key, row] : late_seen_) {
    batch.push_back(row);
    if (batch.size() == max_late_rows) break;
  }
  auto write = queue_.write(
      [batch](tables& rows) {
        for (const seen_row& row : batch)
          rows.set_seen(row);
      },
      job_bytes * batch.size());
  // the rows stay in `late_seen_` until they are written; what has changed meanwhile stays longer
  finish_late(std::move(write), std::move(batch)).detach();
}

task<void> sqlite_store::finish_late(completion<bool> write, seen_rows batch) {
  const std::weak_ptr<bool> living = living_;
  const bool good = co_await write;
  if (living.expired()) co_return;
  if (good) {
    for (const seen_row& row : batch) {
      auto it = late_seen_.find({row.room, row.user});
      if (it != late_seen_.end() && it->second.at_ms == row.at_ms && it->second.joined == row.joined) {
        late_seen_.erase(it);
      }
    }
  }
  late_under_way_ = !late_seen_.empty();
  if (late_under_way_) {
    late_timer_ = turns_.after(good ? late_delay : late_delay * 5, [this] { flush_late(); });
  }
}

task<result<void>> sqlite_store::heartbeat(std::string instance, std::int64_t now_ms) {
  // nobody but this process looks at the file, so a heartbeat is worth no write to a gateway's flash
  heartbeats_[std::move(instance)] = now_ms;
  co_return result<void>{};
}

task<result<std::optional<std::int64_t>>> sqlite_store::last_heartbeat(std::string instance) {
  std::optional<std::int64_t> last;
  if (auto it = heartbeats_.find(instance); it != heartbeats_.end()) last = it->second;
  co_return last;
}

task<result<std::vector<std::string>>> sqlite_store::instances() {
  std::vector<std::string> names;
  for (const auto& [instance, at] : heartbeats_)
    names.push_back(instance);
  co_return names;
}

task<result<void>> sqlite_store::forget_instance(std::string instance) {
  heartbeats_.erase(instance);
  co_return result<void>{};
}

task<result<std::vector<connection_record>>> sqlite_store::instance_connections(std::string instance) {
  std::vector<connection_record> out;
  users_.for_each([&](const user_entry& entry) {
    if (!entry.state) return;
    for (const auto& [id, connection] : entry.state->connections) {
      if (connection.instance != instance) continue;
      connection_record record;
      record.user = entry.name;
      record.id = id;
      record.instance = connection.instance;
      out.push_back(std::move(record));
    }
  });
  co_return out;
}

}  // namespace sqlite

opened_store open_sqlite_store(const sqlite_options& options, clock& time, scheduler& turns, log_sink& log,
                               metrics_registry& metrics) {
  opened_store out;
  sqlite::opened_database opened = sqlite::open_database(options, time.now_ms());
  if (!opened.db) {
    out.error = std::move(opened.error);
    return out;
  }
  try {
    auto rows = std::make_unique<sqlite::tables>(std::move(opened.db));
    out.data = std::make_unique<sqlite::sqlite_store>(std::move(rows), options, time, turns, log, metrics);
  } catch (const sqlite::database_error& e) {
    out.error = "store.path: \"" + options.path + "\": does not fit this version of roombus: " + e.what();
  }
  return out;
}

}  // namespace roombus
