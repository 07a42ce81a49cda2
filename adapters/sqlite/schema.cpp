#include "adapters/sqlite/schema.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace roombus::sqlite {

namespace {

constexpr std::int64_t application_id = 0x726d6273;  // "rmbs"; SQLite keeps it in the file's header

// Names are blobs: any bytes, compared as bytes. Numbers without sign are kept as the same 64 bits.
// Who is joined is not kept: connections end with the process. `joined` only tells the next start whose time to set.
constexpr const char* version_1 = R"(
CREATE TABLE rooms(
  id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, epoch BLOB NOT NULL, owner BLOB, whitelist_only INTEGER NOT NULL,
  userlist_updates INTEGER NOT NULL, access_lists_updates INTEGER NOT NULL, history_max_size INTEGER NOT NULL,
  last_message_id INTEGER NOT NULL);
CREATE TABLE room_lists(room INTEGER NOT NULL, list INTEGER NOT NULL, name BLOB NOT NULL,
  PRIMARY KEY(room, list, name)) WITHOUT ROWID;
CREATE TABLE messages(room INTEGER NOT NULL, id INTEGER NOT NULL, has_bytes INTEGER NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY(room, id)) WITHOUT ROWID;
CREATE TABLE tokens(room INTEGER NOT NULL, id INTEGER NOT NULL, token BLOB NOT NULL, until_ms INTEGER NOT NULL,
  PRIMARY KEY(room, id)) WITHOUT ROWID;
CREATE TABLE seen(room INTEGER NOT NULL, user BLOB NOT NULL, at_ms INTEGER NOT NULL, joined INTEGER NOT NULL,
  PRIMARY KEY(room, user)) WITHOUT ROWID;
CREATE INDEX seen_joined ON seen(joined) WHERE joined = 1;
CREATE TABLE users(id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, whitelist_only INTEGER NOT NULL);
CREATE TABLE user_lists(user INTEGER NOT NULL, list INTEGER NOT NULL, name BLOB NOT NULL,
  PRIMARY KEY(user, list, name)) WITHOUT ROWID;
)";

// What leads from version n to n + 1, by n. A new version adds its step at the end and changes none of the others.
constexpr const char* steps[] = {version_1};
static_assert(std::size(steps) == schema_version);

void check_contents(database& db) {
  const std::int64_t tables = db.ask_integer("SELECT count(*) FROM sqlite_master");
  const std::int64_t owner = db.ask_integer("PRAGMA application_id");
  if (tables > 0 && owner != application_id) throw std::runtime_error("is a database of another program");
  const std::int64_t version = db.ask_integer("PRAGMA user_version");
  if (version > schema_version) {
    throw std::runtime_error("was written by a newer version of roombus (schema " + std::to_string(version) +
                             "; this one knows up to " + std::to_string(schema_version) + ")");
  }
  const std::string health = db.ask_text("PRAGMA quick_check(1)");
  if (health != "ok") throw std::runtime_error("is damaged: " + health);
}

void migrate(database& db) {
  for (std::int64_t version = db.ask_integer("PRAGMA user_version"); version < schema_version; ++version) {
    db.run("BEGIN IMMEDIATE");
    db.run(steps[version]);
    db.run(("PRAGMA application_id = " + std::to_string(application_id)).c_str());
    db.run(("PRAGMA user_version = " + std::to_string(version + 1)).c_str());
    db.run("COMMIT");
  }
}

void configure(database& db, const sqlite_options& options) {
  // the process that stopped just now may still be closing the file
  sqlite3_busy_timeout(db.handle(), options.lock_wait_ms);
  // exclusive before the first access: no shared memory file, and one process at a time
  db.run("PRAGMA locking_mode = EXCLUSIVE");
  db.run("PRAGMA journal_mode = WAL");
  db.run(options.sync == sync_mode::full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  db.run("PRAGMA temp_store = MEMORY");
  db.run("PRAGMA journal_size_limit = 16777216");
  db.run(("PRAGMA cache_size = -" + std::to_string(options.page_cache_kib)).c_str());
  db.run("BEGIN IMMEDIATE");  // takes the lock that no other process gets from now on
  db.run("COMMIT");
  if (options.max_file_bytes > 0) {
    const std::int64_t page = db.ask_integer("PRAGMA page_size");
    const std::int64_t pages = static_cast<std::int64_t>(options.max_file_bytes) / page;
    db.run(("PRAGMA max_page_count = " + std::to_string(pages)).c_str());
  }
}

void end_previous_life(database& db, std::int64_t now_ms) {
  db.run("BEGIN IMMEDIATE");
  statement(db, "UPDATE seen SET joined = 0, at_ms = ? WHERE joined = 1").run(now_ms);
  statement(db, "DELETE FROM tokens WHERE until_ms <= ?").run(now_ms);
  db.run("COMMIT");
}

std::string explain(const database_error& e) {
  switch (e.code()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "is locked by another process; only one roombus can use a file";
    case SQLITE_READONLY:
      return "is read-only";
    case SQLITE_NOTADB:
      return "is not a database of roombus";
    case SQLITE_CORRUPT:
      return std::string("is damaged: ") + e.what();
    case SQLITE_FULL:
      return "cannot be written: the disk is full";
    default:
      return std::string("cannot be opened: ") + e.what();
  }
}

bool may(const std::filesystem::path& what, int mode) {
  return ::faccessat(AT_FDCWD, what.c_str(), mode, AT_EACCESS) == 0;
}

std::string reason() {
  return std::string(" (") + std::generic_category().message(errno) + ")";
}

// What the system says about the place before SQLite is asked; SQLite's own texts are about itself.
std::string check_place(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path file(path);
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
  const auto folder_kind = std::filesystem::status(folder, ignored).type();
  if (folder_kind == std::filesystem::file_type::not_found)
    return "the directory " + folder.string() + " does not exist";
  if (folder_kind != std::filesystem::file_type::directory) return folder.string() + " is not a directory";
  if (std::filesystem::is_directory(file, ignored)) return "is a directory";
  if (std::filesystem::exists(file, ignored)) {
    if (!may(file, R_OK)) return "cannot be read" + reason();
    if (!may(file, W_OK)) return "is read-only" + reason();
  }
  if (!may(folder, W_OK | X_OK)) {
    return "the directory " + folder.string() + " is read-only" + reason() + "; more files belong beside this one";
  }
  return "";
}

}  // namespace

opened_database open_database(const sqlite_options& options, std::int64_t now_ms) {
  const auto refuse = [&](const std::string& why) {
    opened_database out;
    out.error = "store.path: \"" + options.path + "\": " + why;
    return out;
  };
  if (options.path.empty()) return refuse("expected a file name");
  if (const std::string problem = check_place(options.path); !problem.empty()) return refuse(problem);
  opened_database out;
  // what it may tell is for its owner
  const mode_t former = ::umask(0077);
  try {
    out.db = std::make_unique<database>(options.path);
    ::umask(former);
    if (out.db->is_read_only()) return refuse("is read-only");
    configure(*out.db, options);
    check_contents(*out.db);
    migrate(*out.db);
    end_previous_life(*out.db, now_ms);
  } catch (const database_error& e) {
    ::umask(former);
    return refuse(explain(e));
  } catch (const std::exception& e) {
    ::umask(former);
    return refuse(e.what());
  }
  return out;
}

}  // namespace roombus::sqlite
