#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/metrics.hpp"
#include "core/ports/environment.hpp"
#include "core/ports/store.hpp"

namespace roombus {

/// What a commit waits for.
enum class sync_mode : std::uint8_t {
  full,   ///< The disk has it: nothing acked is lost when the machine loses power.
  normal  ///< The system has it: nothing acked is lost when the process dies; a power cut may take the last moments.
};

struct sqlite_options {
  std::string path;  ///< its directory must exist
  sync_mode sync = sync_mode::full;
  std::size_t cache_bytes = 64 * 1024 * 1024;        ///< rooms, users and recent messages kept decoded
  std::size_t max_cached_rooms = 4096;               ///< rooms with members stay in memory beyond it
  std::size_t max_cached_users = 16384;              ///< users with connections stay in memory beyond it
  std::size_t page_cache_kib = 8192;                 ///< SQLite's own cache of file pages
  std::size_t max_pending = 100'000;                 ///< changes waiting for their commit; more answer unavailable
  std::size_t max_pending_bytes = 64 * 1024 * 1024;  ///< the same in bytes
  std::size_t max_file_bytes = 0;                    ///< largest file; beyond it the disk counts as full; 0: no bound
  int lock_wait_ms = 2000;                           ///< how long the start waits for the file's former user
};

struct opened_store {
  std::unique_ptr<store> data;
  std::string error;  ///< names the file and what is wrong with it; empty when `data` is set
};

/// Opens the durable store: one file that this process has for itself. Blocks until the file is checked.
/// Everything acked is in the file; connections and memberships end with the process, and what a former one left behind
/// is ended here. A thread of its own writes, many changes per commit. The references must outlive the store; it is
/// destroyed when nobody waits for it any more.
[[nodiscard]] opened_store open_sqlite_store(const sqlite_options& options, clock& time, scheduler& turns,
                                             log_sink& log, metrics_registry& metrics);

}  // namespace roombus
