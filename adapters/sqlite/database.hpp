#pragma once

// The few things of SQLite that this adapter needs, owned and with errors as exceptions. They end at the commit queue
// and at `open_sqlite_store`, which turn them into errors of the port and into texts.

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace roombus::sqlite {

/// What SQLite answered, with its extended result code.
class database_error : public std::runtime_error {
 public:
  database_error(int code, const std::string& text) : std::runtime_error(text), code_(code) {}
  /// The primary result code (SQLITE_FULL, SQLITE_BUSY …).
  [[nodiscard]] int code() const { return code_ & 0xff; }

 private:
  int code_;
};

/// One open database file. Belongs to one thread at a time.
class database {
 public:
  /// Opens or creates the file. Throws database_error.
  explicit database(const std::string& path);

  /// Runs statements that answer nothing.
  void run(const char* sql);
  /// First column of the first row, for pragmas.
  [[nodiscard]] std::string ask_text(const char* sql);
  [[nodiscard]] std::int64_t ask_integer(const char* sql);
  [[nodiscard]] bool is_read_only() const;
  /// False after SQLite has rolled a transaction back by itself.
  [[nodiscard]] bool in_transaction() const;
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }

 private:
  struct closer {
    void operator()(sqlite3* db) const;
  };
  std::unique_ptr<sqlite3, closer> handle_;
};

/// A statement that is prepared once and run many times. Parameters are numbered from 1, columns from 0.
class statement {
 public:
  statement(database& db, const char* sql);

  /// Binds all parameters and runs a statement that answers no rows.
  template <class... Values>
  void run(const Values&... values) {
    start(values...);
    while (step()) {
    }
  }
  /// Binds all parameters; `step` follows.
  template <class... Values>
  void start(const Values&... values) {
    reset();
    int place = 0;
    (bind(++place, values), ...);
  }
  /// Goes to the next row; false behind the last one, where the statement is reset.
  bool step();
  /// Ends a run early.
  void reset();

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::uint64_t unsigned_integer(int column) const;
  [[nodiscard]] std::string bytes(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  void bind(int place, std::int64_t number);
  void bind(int place, std::uint64_t number);  // kept as the same 64 bits
  void bind(int place, bool flag);
  void bind(int place, std::string_view bytes);  // as a blob: compared byte for byte
  void bind(int place, const std::string& bytes) { bind(place, std::string_view(bytes)); }
  void bind(int place, const std::optional<std::string>& bytes);
  void check(int code) const;

  struct finalizer {
    void operator()(sqlite3_stmt* s) const;
  };
  sqlite3* db_;
  std::unique_ptr<sqlite3_stmt, finalizer> handle_;
};

}  // namespace roombus::sqlite
