#include "adapters/sqlite/database.hpp"

#include <sqlite3.h>

#include <system_error>

namespace roombus::sqlite {

namespace {

[[noreturn]] void fail(sqlite3* db, int code) {
  std::string text = sqlite3_errstr(code);
  if (db != nullptr) {
    text = sqlite3_errmsg(db);
    if (const int system = sqlite3_system_errno(db); system != 0 && (code & 0xff) != SQLITE_BUSY) {
      text += std::string(" (") + std::generic_category().message(system) + ")";
    }
  }
  throw database_error(code, text);
}

}  // namespace

void database::closer::operator()(sqlite3* db) const {
  sqlite3_close_v2(db);
}

database::database(const std::string& path) {
  sqlite3* opened = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags, nullptr);
  handle_.reset(opened);
  if (code != SQLITE_OK) fail(opened, code);
}

void database::run(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(handle_.get(), code);
}

std::string database::ask_text(const char* sql) {
  statement s(*this, sql);
  s.start();
  return s.step() ? s.bytes(0) : std::string();
}

std::int64_t database::ask_integer(const char* sql) {
  statement s(*this, sql);
  s.start();
  return s.step() ? s.integer(0) : 0;
}

bool database::is_read_only() const {
  return sqlite3_db_readonly(handle_.get(), "main") == 1;
}

bool database::in_transaction() const {
  return sqlite3_get_autocommit(handle_.get()) == 0;
}

void statement::finalizer::operator()(sqlite3_stmt* s) const {
  sqlite3_finalize(s);
}

statement::statement(database& db, const char* sql) : db_(db.handle()) {
  sqlite3_stmt* prepared = nullptr;
  check(sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr));
  handle_.reset(prepared);
}

bool statement::step() {
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  const std::string text = sqlite3_errmsg(db_);
  reset();
  throw database_error(code, text);
}

void statement::reset() {
  sqlite3_reset(handle_.get());  // answers the error of the last step, which was thrown then
}

std::int64_t statement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

std::uint64_t statement::unsigned_integer(int column) const {
  return static_cast<std::uint64_t>(integer(column));
}

std::string statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return data == nullptr ? std::string() : std::string(data, size);
}

bool statement::is_null(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

void statement::bind(int place, std::int64_t number) {
  check(sqlite3_bind_int64(handle_.get(), place, number));
}

void statement::bind(int place, std::uint64_t number) {
  bind(place, static_cast<std::int64_t>(number));
}

void statement::bind(int place, bool flag) {
  bind(place, std::int64_t{flag ? 1 : 0});
}

void statement::bind(int place, std::string_view bytes) {
  // the bytes outlive the run: `start` and `run` are given references that the caller keeps until the last step.
  // A null pointer would bind NULL, so the empty one needs an address.
  const char* data = bytes.empty() ? "" : bytes.data();
  check(sqlite3_bind_blob64(handle_.get(), place, data, bytes.size(), SQLITE_STATIC));
}

void statement::bind(int place, const std::optional<std::string>& bytes) {
  if (bytes) {
    bind(place, std::string_view(*bytes));
  } else {
    check(sqlite3_bind_null(handle_.get(), place));
  }
}

void statement::check(int code) const {
  if (code != SQLITE_OK) fail(db_, code);
}

}  // namespace roombus::sqlite
